"""New lines on a grid of heights: the cheapest one under a hard grade limit, with bridges and tunnels as choices."""
