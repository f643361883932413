"""A four-way heap of states with decrease-key, in flat arrays (compiled)."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"

from __future__ import annotations

import numpy as np

from corridor.compiled import allocating, kernel

OUT, DONE = -1, -2  # in the position array: not in the heap yet; taken out for good


@kernel
def _up(keys, items, position, i):
    # Those above sink one place each, and the item is written once, where it comes to rest. ``position`` follows every
    # move, so that an item's key can be lowered without a search for it.
    key, item = keys[i], items[i]
    while i > 0:
        above = (i - 1) >> 2
        if keys[above] <= key:
            break
        keys[i], items[i] = keys[above], items[above]
        position[items[i]] = i
        i = above
    keys[i], items[i] = key, item
    position[item] = i


@kernel
def push(keys, items, position, size, item, key):
    """Insert an item or lower its key; returns the new size."""
    at = position[item]
    if at >= 0:
        # Keys only ever fall while an item waits, so that it moves up and never down.
        if key < keys[at]:
            keys[at] = key
            _up(keys, items, position, at)
        return size
    keys[size], items[size] = key, item
    _up(keys, items, position, size)
    return size + 1


@kernel
def pop(keys, items, position, size):
    """Take out the item with the lowest key; returns (item, new size) and marks the item as done."""
    top = items[0]
    position[top] = DONE
    size -= 1
    if size > 0:
        key, item = keys[size], items[size]
        i = 0
        while True:
            child = 4 * i + 1
            if child >= size:
                break
            # Four children to a node: half the depth of a binary heap, and keys that lie side by side in memory.
            best, best_key = child, keys[child]
            for other in range(child + 1, min(child + 4, size)):
                if keys[other] < best_key:
                    best, best_key = other, keys[other]
            if best_key >= key:
                break
            keys[i], items[i] = best_key, items[best]
            position[items[i]] = i
            i = best
        keys[i], items[i] = key, item
        position[item] = i
    return top, size


@allocating
def new_heap(capacity):
    """Empty arrays for up to ``capacity`` items: keys, items, positions."""
    return np.empty(capacity, np.float64), np.empty(capacity, np.int32), np.full(capacity, OUT, np.int32)
