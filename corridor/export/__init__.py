"""Files made of results: tables, GIS formats, tracks, the manifest; written whole or not at all."""
