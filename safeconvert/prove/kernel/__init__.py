"""Terms, layouts and nodes: what the checker and its axioms speak of. With the checker, at most 500 lines in all."""
