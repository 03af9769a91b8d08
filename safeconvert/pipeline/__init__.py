"""One conversion from source to verified target."""
