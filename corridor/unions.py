"""Things that hang together, found pair by pair."""

from __future__ import annotations


class Unions:
    """Numbers from 0 on, each alone at first, of which pairs are put together.

    A forest of disjoint sets with halved paths: Tarjan and van Leeuwen 1984, https://doi.org/10.1145/62.2160.

    Args:
        count: how many numbers.

    >>> groups = Unions(4)
    >>> groups.join(3, 1)
    >>> groups.together(1, 3), groups.members()
    (True, [[0], [1, 3], [2]])
    """

    def __init__(self, count: int) -> None:
        self._above = list(range(count))

    def join(self, one: int, other: int) -> None:
        """Put the groups of two numbers together."""
        low, high = sorted((self._first(one), self._first(other)))
        self._above[high] = low

    def together(self, one: int, other: int) -> bool:
        """Whether two numbers are in one group."""
        return self._first(one) == self._first(other)

    def members(self) -> list[list[int]]:
        """The groups in the order of their first numbers, each in order."""
        groups: dict[int, list[int]] = {}
        for number in range(len(self._above)):
            groups.setdefault(self._first(number), []).append(number)
        return list(groups.values())

    def _first(self, number: int) -> int:
        """The least number of a group."""
        above = self._above
        while above[number] != number:
            above[number] = above[above[number]]
            number = above[number]
        return number
