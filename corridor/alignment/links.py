"""Which nodes a link may join: moves to near neighbours, long structure links, and the height levels at nodes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from corridor.errors import AlignmentError
from corridor.schema.standard import DesignStandard

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
