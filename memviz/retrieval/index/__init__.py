"""Exact and compressed nearest-neighbor search over descriptors, and the files of an index."""
