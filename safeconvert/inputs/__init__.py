"""What models are run on: images, arrays, or generated samples; split, and written out for workers."""
