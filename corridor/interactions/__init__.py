"""What a route meets on the roads of others, and what a regime makes of that."""
