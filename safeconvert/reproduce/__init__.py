"""Faults as issues: the smallest graph on which the raw converter goes wrong, and the text to report it with."""
