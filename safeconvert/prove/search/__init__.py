"""Canonical forms of both graphs, by which the prover finds cut points. No claim rests on them: what counts is what the checker says."""
