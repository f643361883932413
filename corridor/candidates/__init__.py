"""Candidate routes: chains of catalogue sections, and ways over the open network that differ."""
