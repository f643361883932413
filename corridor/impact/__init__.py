"""What a candidate measures and what it does to everyone else; knows network and candidate, not how it was made."""
