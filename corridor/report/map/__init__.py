"""The map of a comparison: relief, layers and overlays on Folium, complete without a network."""
