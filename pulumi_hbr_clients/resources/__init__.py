"""Pulumi in Python: resources, look-up functions, stack references."""
