"""The content of a certificate and its evidence, from the results of a run."""
