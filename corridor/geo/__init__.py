"""Geometry that belongs to no stage: geodesic measures, lines by chainage, rasters on the map."""
