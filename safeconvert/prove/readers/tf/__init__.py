"""SavedModels: protocol buffers, a checkpoint, functions that call each other, and a table of TensorFlow operators."""
