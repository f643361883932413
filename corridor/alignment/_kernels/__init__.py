"""Compiled inner loops of the alignment searches, on flat arrays alone."""
