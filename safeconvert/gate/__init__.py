"""Is every model under a folder the one that its certificate speaks of? What is asked before a deployment."""
