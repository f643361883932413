"""Frozen types that travel between the stages; no module here reads files or computes results."""
