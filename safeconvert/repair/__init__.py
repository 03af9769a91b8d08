"""Repair a candidate: edits of a graph, the strategies that propose them, and the greedy loop that keeps what helps."""
