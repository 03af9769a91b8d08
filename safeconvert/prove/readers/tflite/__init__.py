"""TFLite files: a flatbuffer, and a table of builtin operators."""
