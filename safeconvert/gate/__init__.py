"""Is every model in a directory the one that its certificate describes, and is that enough to deploy it?"""
