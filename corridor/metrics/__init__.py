"""What a candidate measures and what it does to everyone else: one subject, one module."""
