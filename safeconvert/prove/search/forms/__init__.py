"""Axioms: what an operator's node says of its output, as terms. One family a module, each with the identities that it uses.

A function of an axiom takes the `Step` of one node and gives the values of its outputs, or None where its side conditions do
not hold, so that the node is taken as it is (`opaque`).
"""
