"""Settings, flags and options."""
