"""Pages, maps, tables, charts and files made of results; computes nothing."""
