"""Equivalence of graphs, shown rather than sampled."""
