"""Heights as a surface, along a line, and how far they can be trusted."""
