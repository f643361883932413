"""Which nodes a link may join: moves to near neighbours, long structure links, and the height levels at nodes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from corridor.alignment.ground import corner_weights
from corridor.compiled import allocating, kernel, pasted
from corridor.errors import AlignmentError
from corridor.schema.alignment import DesignStandard

DEFAULT_OFFSETS_M = (-20.0, -10.0, -5.0, 0.0, 7.0, 14.0)
COARSE_CELL_M = 1250.0
SMALL_NODES, HUGE_NODES = 50_000, 1_000_000  # from these on a grid is searched by way of one coarser one, or two
DENSE_CELLS = 8.0  # stages that narrow a search leave out some of the links that are longer than this

_STEPS = {
    8: ((0, 1), (1, 1)),
    16: ((0, 1), (1, 1), (1, 2)),
    32: ((0, 1), (1, 1), (1, 2), (1, 3), (2, 3)),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """A search that only finds out where the next one has to look.

    It runs both ways with fewer links, over cells ``factor`` times as large, at all ``levels`` or on the ground
    alone, and keeps the nodes that a line within ``near_factor`` of the cheapest can pass.
    """

    factor: int
    near_factor: float
    levels: bool = False

    def __post_init__(self) -> None:
        """Refuse what is no stage.

        Raises:
            AlignmentError: naming what is wrong.
        """
        if self.factor < 1 or self.near_factor < 1:
            raise AlignmentError(
                f"narrowing stage: factor and near_factor must be 1 or more, got {self.factor}, {self.near_factor:g}"
            )


@dataclass(frozen=True, slots=True)
class SearchOptions:
    """How the search lays links.

    ``offsets_m`` are the heights above the ground (negative: below) that a node may be passed at; 0 must be among
    them, because terminals lie on the ground. ``max_structure_km`` bounds structure links; links from and to the
    terminals go as far as ``max_direct_km`` (None: any distance), because a base tunnel often starts right there.
    ``narrowing`` lists stages that narrow the search, coarsest first (empty: none, None: by cell size); what a stage
    keeps is widened by ``dilate_cells`` of its own cells. Coarser cells have the levels ``coarse_offsets_m``.
    ``watch`` hears, while a search runs, what share of its states it has been at, 0 to 1; it changes nothing.
    """

    neighbours: int = 16
    directions: int = 64
    growth: float = 1.35
    max_structure_km: float = 25.0
    max_direct_km: float | None = None
    offsets_m: tuple[float, ...] = DEFAULT_OFFSETS_M
    narrowing: tuple[Stage, ...] | None = None
    coarse_offsets_m: tuple[float, ...] = (-10.0, 0.0, 7.0)
    dilate_cells: int = 1
    abort: bool = True
    turns: bool = True
    reuse: tuple[ReuseLink, ...] = field(default=())
    watch: Callable[[float], None] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse options that make no search.

        Raises:
            AlignmentError: naming every option that is wrong.
        """
        faults = []
        if self.neighbours not in _STEPS:
            faults.append(f"neighbours must be 8, 16 or 32, got {self.neighbours}")
        if self.directions < 0 or self.directions % 4:
            faults.append(f"directions must be 0 or a multiple of 4, got {self.directions}")
        if not self.growth > 1:
            faults.append("growth must be above 1")
        if 0.0 not in self.offsets_m or len(set(self.offsets_m)) != len(self.offsets_m):
            faults.append("offsets_m must be distinct and contain 0")
        if self.dilate_cells < 0:
            faults.append("dilate_cells must be 0 or more")
        if faults:
            raise AlignmentError("search options: " + "; ".join(faults))


def default_narrowing(cell_m: float, n_offsets: int, n_nodes: int) -> tuple[Stage, ...]:
    """Stages for a cell size: cells of about 1.2 km, then, with several levels, the ground level alone, then all.

    Keeping a line on the ground makes open line 10 to 25 % dearer and leaves a base tunnel as it is, so that stage
    keeps what is within 30 %. The last stage has the ground and the levels of the search itself and only misses some
    long links; what these are worth is much the same along all lines, so that little has to be kept.
    """
    stages: list[Stage] = []
    factor = min(round(COARSE_CELL_M / cell_m), 8)
    is_large = n_nodes >= SMALL_NODES
    if factor >= 3 and is_large:
        stages.append(Stage(factor, 1.15, levels=n_offsets > 1))
    if factor >= 6 and n_nodes >= HUGE_NODES:
        stages.append(Stage(3, 1.1))
    if n_offsets > 1:
        stages += [Stage(1, 1.3), Stage(1, 1.05, levels=True)]
    elif is_large:
        stages.append(Stage(1, 1.03, levels=True))
    return tuple(stages)


@dataclass(frozen=True, slots=True)
class ReuseLink:
    """A piece of an old formation between two nodes (row, column), usable both ways at a price of its own.

    ``path`` holds the positions in between as (row, column, height) so that the line can be drawn; ``tunnel_m`` is
    documented tunnel length inside the piece. The heights at the ends are the ground's.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    length_m: float
    price_musd: float
    tunnel_m: float = 0.0
    path: tuple[tuple[float, float], ...] = ()


def neighbour_moves(neighbours: int) -> NDArray[np.int32]:
    """Row and column steps to 8, 16 or 32 neighbours, (n, 2); each set contains the smaller ones.

    >>> len(neighbour_moves(32))
    32
    """
    moves = {
        (sr * r, sc * c) for a, b in _STEPS[neighbours] for r, c in ((a, b), (b, a)) for sr in (1, -1) for sc in (1, -1)
    }
    return np.array(sorted(moves), dtype=np.int32)


def structure_moves(options: SearchOptions, dx_m: float, dy_m: float, thin: bool = False) -> NDArray[np.int32]:
    """Steps of structure links: evenly spread directions, lengths growing from one cell to ``max_structure_km``.

    The set is the same upside down and left to right, so that a search from the other end sees the same links.
    ``thin`` leaves out half of the lengths and three of four directions where links are long: these make most of the
    work, and short ones more of the difference in price.
    """
    moves: set[tuple[int, int]] = set()
    cell = max(dx_m, dy_m)
    length, number = cell, 0
    while options.directions and length <= options.max_structure_km * 1000.0:
        is_long = thin and length > DENSE_CELLS * cell
        if not (is_long and number % 2):
            # A quarter of the circle is laid out and mirrored, so that the set is symmetrical whatever rounding does.
            for k in range(0, options.directions // 4 + 1, 4 if is_long else 1):
                angle = 2 * math.pi * k / options.directions
                row, col = round(length * math.sin(angle) / dy_m), round(length * math.cos(angle) / dx_m)
                moves |= {(sr * row, sc * col) for sr in (1, -1) for sc in (1, -1)}
        length *= options.growth
        number += 1
    moves.discard((0, 0))
    return np.array(sorted(moves), dtype=np.int32).reshape(-1, 2)


def all_moves(options: SearchOptions, dx_m: float, dy_m: float, thin: bool = False) -> NDArray[np.int32]:
    """Neighbour and structure steps without duplicates, shortest first, (n, 2)."""
    both = np.vstack([neighbour_moves(options.neighbours), structure_moves(options, dx_m, dy_m, thin)])
    both = np.unique(both, axis=0)
    # By length first, ties by row and column: the search counts on rising lengths, and its answer must not depend on
    # chance.
    order = np.lexsort((both[:, 1], both[:, 0], np.hypot(both[:, 0] * dy_m, both[:, 1] * dx_m)))
    return np.ascontiguousarray(both[order], dtype=np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """States at a node: a height above the ground together with a kind that is allowed there.

    ``offset_m`` and ``kind`` (0 open line, 1 bridge, 2 tunnel) have one value per state; ``first`` marks where each
    distinct offset starts (and has one more value at the end); ``terminal`` is the state of open line on the ground.
    """

    offset_m: NDArray[np.float64]
    kind: NDArray[np.int32]
    first: NDArray[np.int32]
    terminal: int


def build_levels(offsets_m: tuple[float, ...], standard: DesignStandard) -> Levels:
    """Every combination of offset and kind that the standard allows.

    A line may change kind at a node or anywhere between; giving each kind a state of its own lets a tunnel or a
    bridge run on through a node without paying for portals that aren't there.
    """
    offsets, kinds, first = [], [], [0]
    # Offsets rise: searches read the lowest and the highest off the ends.
    for offset in sorted(offsets_m):
        allowed = []
        if -standard.max_cut_m <= offset <= standard.max_fill_m:
            allowed.append(0)
        if standard.min_bridge_height_m <= offset <= standard.max_bridge_height_m:
            allowed.append(1)
        if -offset >= standard.min_tunnel_depth_m:
            allowed.append(2)
        if allowed:
            offsets += [offset] * len(allowed)
            kinds += allowed
            first.append(len(offsets))
    terminal = next(i for i, (o, k) in enumerate(zip(offsets, kinds, strict=True)) if o == 0.0 and k == 0)
    return Levels(np.array(offsets), np.array(kinds, dtype=np.int32), np.array(first, dtype=np.int32), terminal)


# Compiled: numba infers the types, which stand in the docstrings.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, assignment"
# ruff: noqa: ANN201


SAME_PLACE = 1e-13  # shares of a link that count as one crossing


class Crossings(NamedTuple):
    """Crossings of links, start and end included, one after the other.

    ``share`` (n,) says how far along the link a crossing lies, ``cell`` (n, 2) row and column of the first node of
    its square, ``weight`` (n, 4) what its corners count (first, next in the row, next in the column, opposite).
    """

    share: NDArray[np.float64]
    cell: NDArray[np.int32]
    weight: NDArray[np.float64]


class Laid(NamedTuple):
    """Crossings of moves between nodes, as if the link started at node (0, 0) and led down and to the right, steeply.

    ``pointer`` (m, 2): first and last crossing of a move, the last one left out; ``turn`` (m, 4): rows and columns
    that a step down, then those that a step to the right of the laid link stands for in the move.
    """

    crossings: Crossings
    pointer: NDArray[np.int32]
    turn: NDArray[np.int32]


@allocating
def room_for(rows: int, cols: int) -> Crossings:
    """Empty crossings with room for any one link over so many rows and columns."""
    n = 3 * (rows + cols) + 8
    return Crossings(np.empty(n), np.empty((n, 2), np.int32), np.empty((n, 4)))


@pasted
def _first_and_every(start, step):
    """Crossings with whole numbers come at shares of ``count * every``: first count and every (infinite: none)."""
    if step == 0.0:
        return 1.0, np.inf
    first = np.floor(start) + 1.0 - start if step > 0.0 else start - (np.ceil(start) - 1.0)
    return first, 1.0 / abs(step)


@kernel
def lay_crossings(r0, c0, r1, c1, last_row, last_col, into):
    """Write out the crossings of the link between two fractional positions; returns how many there are.

    Squares are kept to rows up to ``last_row`` and columns up to ``last_col``.
    """
    share, cell, weight = into
    dr, dc = r1 - r0, c1 - c0
    # Four families of lines bound the triangles: rows, columns, and both diagonals, where r + c or r - c is whole.
    at_r, every_r = _first_and_every(r0, dr)
    at_c, every_c = _first_and_every(c0, dc)
    at_s, every_s = _first_and_every(r0 + c0, dr + dc)
    at_m, every_m = _first_and_every(r0 - c0, dr - dc)
    n, t = 0, 0.0
    while True:
        # Where several lines meet in one place, rounding gives it several shares; it is written once.
        if n == 0 or t - share[n - 1] >= SAME_PLACE:
            r, c = r0 + t * dr, c0 + t * dc
            i, j = min(max(int(r), 0), last_row), min(max(int(c), 0), last_col)
            share[n], cell[n, 0], cell[n, 1] = t, i, j
            weight[n, 0], weight[n, 1], weight[n, 2], weight[n, 3] = corner_weights(c - j, r - i)
            n += 1
        if t == 1.0:
            return n
        # Shares come from counts and aren't summed up, so that errors don't grow along the link.
        t_r, t_c, t_s, t_m = at_r * every_r, at_c * every_c, at_s * every_s, at_m * every_m
        t = min(t_r, t_c, t_s, t_m)
        if t > 1.0 - 1e-12:
            t = 1.0
        if t_r <= t:
            at_r += 1.0
        if t_c <= t:
            at_c += 1.0
        if t_s <= t:
            at_s += 1.0
        if t_m <= t:
            at_m += 1.0


def lay_moves(moves: NDArray[np.int32]) -> Laid:
    """Lay out all moves (m, 2). Moves that are each other's image, turned or mirrored, share their crossings."""
    longest, shortest = np.abs(moves).max(axis=1), np.abs(moves).min(axis=1)
    shapes, which = np.unique(np.column_stack([longest, shortest]), axis=0, return_inverse=True)
    scratch = room_for(*(int(n) + 1 for n in np.abs(moves).max(axis=0)))
    parts, ends = [], [0]
    for down, right in shapes.tolist():
        n = lay_crossings(0.0, 0.0, float(down), float(right), max(down - 1, 0), max(right - 1, 0), scratch)
        parts.append(Crossings(*(part[:n].copy() for part in scratch)))
        ends.append(ends[-1] + n)
    pointer = np.column_stack([np.array(ends[:-1])[which.ravel()], np.array(ends[1:])[which.ravel()]])
    sign = np.sign(moves)
    along_rows = np.abs(moves[:, 0]) >= np.abs(moves[:, 1])
    # The laid link runs down along the longer side of the move: down stands for rows where these are more, else for
    # columns.
    turn = np.zeros((len(moves), 4))
    turn[along_rows, 0], turn[along_rows, 3] = sign[along_rows, 0], sign[along_rows, 1]
    turn[~along_rows, 1], turn[~along_rows, 2] = sign[~along_rows, 1], sign[~along_rows, 0]
    crossings = Crossings(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    return Laid(crossings, pointer.astype(np.int32), turn.astype(np.int32))
