"""One routable graph from roads, railways and catalogue sections, and searches on it."""

from corridor.network.graph import Network

__all__ = ["Network"]
