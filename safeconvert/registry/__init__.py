"""Adapters, their environments, and the routes that they make up."""
