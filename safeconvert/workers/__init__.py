"""Worker processes: each framework in one of its own, and what is asked of them."""
