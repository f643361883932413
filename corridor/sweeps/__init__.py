"""Many comparisons at once: which inputs vary, over what, where they are computed, and what comes of it."""
