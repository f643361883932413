"""Work on all cores: values in order, whatever the order in which they come; the first fault in order is raised."""

from __future__ import annotations

import time

import pytest

from corridor import threads
from corridor.threads import map_in_threads, map_parts_in_threads


def slow_square(n: int) -> int:
    time.sleep(0.001 * (5 - n % 5))
    return n * n


@pytest.mark.parametrize("cores", [1, 2, 8])
def test_values_come_in_the_order_of_items_and_parts(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count_threads", lambda: cores)
    items = [3, 0, 4, 1]

    assert map_in_threads(slow_square, items) == [9, 0, 16, 1]
    assert map_parts_in_threads(range, slow_square, items) == [[k * k for k in range(n)] for n in items]


@pytest.mark.parametrize("cores", [1, 2])
def test_the_first_fault_in_order_is_raised(cores: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "count_threads", lambda: cores)

    def split(n: int) -> list[int]:
        return [n, -n]

    def invert(n: int) -> float:
        if n < 0:
            time.sleep(0.01 * (3 + n))
            raise ValueError(str(n))
        return 1 / n

    with pytest.raises(ValueError, match="-1"):
        map_parts_in_threads(split, invert, [1, 2])
    with pytest.raises(ZeroDivisionError):
        map_parts_in_threads(split, invert, [0, 1])
