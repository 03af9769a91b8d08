"""What the unseen bench's makers share; imports nothing."""

SAMPLES = 12
