"""The page that a reader opens: sentences, tables, scores and profiles in one HTML file."""
