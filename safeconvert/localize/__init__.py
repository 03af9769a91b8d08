"""Find the faults of a target: cut points, faults between them, and the paper's layer analysis."""
