"""Makes parts of the documentation from the code, and checks the rest against it."""
