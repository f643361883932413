"""Ranking of alternatives in a table of metrics, and how much of it survives other weights and other inputs.

``matrix.build_matrix`` sorts a metric table into panels that can be ranked and says who can't be; ``rank`` ranks them
under a perspective, a mapping of weights or numbers, by one of the ``methods``; ``review`` puts a ranking to every test
(``robustness``, ``pareto``, ``flips``, ``agreement``) and says the outcome in sentences; ``sensitivity`` asks which
inputs the winner's margin hangs on. Nothing here knows of maps.
"""
