"""Data fetched from the network: every request goes through here, within limits, into the cache."""
