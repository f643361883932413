"""Cases that ``scripts/benchmark.py`` measures, each beside named peers in the same run."""
