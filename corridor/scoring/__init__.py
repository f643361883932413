"""Ranking of alternatives in a table of metrics, and how much of it survives other weights and other inputs."""
