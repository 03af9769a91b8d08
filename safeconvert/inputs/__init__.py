"""What models are run on: pictures, arrays, or generated samples; split, and written out for workers."""
