"""Models opened and exported, and one route converted."""
