"""Mutations of files by their structure, a module a kind of structure. Each takes bytes and a seeded generator, and gives bytes."""
