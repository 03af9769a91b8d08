"""Words and facts that every package shares: formats, signatures, paths, text, progress."""
