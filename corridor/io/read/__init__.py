"""The only code that reads the world: files in, checked tables and rasters out, each with its Source."""
