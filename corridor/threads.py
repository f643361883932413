"""Independent pieces of work on all cores: compiled loops hold no lock while they run, so that threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
V = TypeVar("V")

MOST_THREADS = 8
"""A search for a line may hold half a gigabyte: with no more at a time than this, they fit into a usual memory."""


def count_threads() -> int:
    """How many pieces of work are done at a time: one for each core that this process may use, up to the most.

    ``OMP_NUM_THREADS`` in the environment bounds it. The workers of a sweep have 1 there, as they share the cores.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    given = os.environ.get("OMP_NUM_THREADS", "")
    return min(usable, MOST_THREADS, max(int(given), 1) if given.isdecimal() else MOST_THREADS)


def map_in_threads(function: Callable[[T], V], items: Iterable[T]) -> list[V]:
    """What a function gives for each item, in the order of the items.

    Args:
        function: of one item. Items must not hang on each other.
        items: any.

    Returns:
        The values.

    Raises:
        Exception: what the first item raised that did; those that wait are given up then.
    """
    waiting = list(items)
    n = min(count_threads(), len(waiting))
    # One item, or one core, needs no other thread: faults then have a shorter trace.
    if n < 2:
        return [function(item) for item in waiting]
    with ThreadPoolExecutor(n) as pool:
        running = [pool.submit(function, item) for item in waiting]
        try:
            return [one.result() for one in running]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
