"""Axioms: identities over the reals, one a module, with statement, side conditions, and how an ONNX node is read by it.

They and the checker are all that a proof rests on. The prover's search has canonical forms of its own (`search`), which share nothing with them.
"""
