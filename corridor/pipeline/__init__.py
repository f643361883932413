"""The steps of a comparison, from study to results, in the order that their inputs ask for."""
