"""The compiled loop of the raster search."""

# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN001, ANN201, ANN202, PLR0912, PLR0915

from __future__ import annotations

import numpy as np
from numba import njit

from corridor.alignment.heap import DONE, new_heap, pop, push


@njit(cache=True, nogil=True, error_model="numpy")
def run_raster(price, start_r, start_c, end_r, end_c, cell_m, cheapest, moves, pointer, steps, weights):
    """A* over pixels; returns the cost at the end and the number of the move that led to each pixel."""
    rows, cols = price.shape
    total, n_moves = rows * cols, moves.shape[0]
    cost, parent = np.full(total, np.inf), np.full(total, -1, np.int8)
    keys, items, position = new_heap(total)
    lengths, jump = np.empty(n_moves), np.empty(n_moves, np.int64)
    for m in range(n_moves):
        lengths[m] = cheapest * cell_m * np.sqrt(float(moves[m, 0] ** 2 + moves[m, 1] ** 2))
        jump[m] = moves[m, 0] * cols + moves[m, 1]
    offset = np.empty(steps.shape[0], np.int64)
    for k in range(steps.shape[0]):
        offset[k] = steps[k, 0] * cols + steps[k, 1]
    flat = price.ravel()
    begin, end = start_r * cols + start_c, end_r * cols + end_c
    cost[begin] = 0.0
    size = push(keys, items, position, 0, begin, 0.0)
    scale = cheapest * cell_m * (1.0 - 1e-12)
    while size > 0:
        u, size = pop(keys, items, position, size)
        if u == end:
            break
        r, c = u // cols, u % cols
        cost_u = cost[u]
        for m in range(n_moves):
            t_r, t_c = r + moves[m, 0], c + moves[m, 1]
            if t_r < 0 or t_c < 0 or t_r >= rows or t_c >= cols:
                continue
            v = u + jump[m]
            if position[v] == DONE or cost_u + lengths[m] >= cost[v]:
                continue
            value = cost_u
            for k in range(pointer[m], pointer[m + 1]):
                value += weights[k] * flat[u + offset[k]]
            if value < cost[v]:
                cost[v], parent[v] = value, m
                rest = scale * np.sqrt(float((t_r - end_r) ** 2 + (t_c - end_c) ** 2))
                size = push(keys, items, position, size, v, value + rest)
    return cost[end], parent
