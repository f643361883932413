"""Independent pieces of work on all cores: compiled loops hold no lock while they run, so that threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

P = TypeVar("P")
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


def map_parts_in_threads(
    split: Callable[[T], Iterable[P]], function: Callable[[P], V], items: Iterable[T]
) -> list[list[V]]:
    """What a function gives for each part of each item, in the order of the items and of their parts.

    The parts of an item go on as soon as it is split: no core waits until all items are.

    Args:
        split: gives the parts of an item, which may take long too. Items must not hang on each other.
        function: of one part, whose parts must not hang on each other either.
        items: any.

    Returns:
        The values, a list for each item.

    Raises:
        Exception: what the first item raised that did, or the first of its parts; those that wait are given up then.
    """
    if count_threads() < 2:
        return [[function(part) for part in split(item)] for item in items]
    with ThreadPoolExecutor(count_threads()) as pool:

        def begin(item: T) -> list[Future[V]]:
            return [pool.submit(function, part) for part in split(item)]

        begun = [pool.submit(begin, item) for item in items]
        try:
            return [[one.result() for one in parts.result()] for parts in begun]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
