"""What keeps the code of a model file where it belongs. Runs in workers: standard library only."""
