"""What a study's data is worth before anything is computed with it, and computed lengths beside documented ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from corridor.errors import NetworkError, NoRouteError
from corridor.io.read.inputs import Inputs, find_place, load_inputs
from corridor.metrics.limits import say_gap
from corridor.network.conflation import Conflation
from corridor.network.connectivity import Reachability
from corridor.network.graph import Network, Position
from corridor.network.match import measure_route, node_position
from corridor.pipeline.stages import build_candidates, conflate_network
from corridor.schema.study import Check, Study
from corridor.schema.vocabulary import Mode

Table = tuple[str, list[str], list[list[str]]]


@dataclass(frozen=True)
class Diagnosis:
    """Tables (title, columns, rows) and remarks, all as text."""

    tables: tuple[Table, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Checked:
    """A documented length range and what was computed; ``computed_km`` is None where there is no way."""

    name: str
    mode: str
    low_km: float
    high_km: float
    tolerance_pct: float
    computed_km: float | None
    verdict: str
    source: str


def diagnose(study: Study, osm: Path | None, dem: Sequence[Path], progress: Callable[[str], None]) -> Diagnosis:
    """Read a study's data, build its network and say what was found and what is missing."""
    inputs = load_inputs(study, osm=osm, dem=dem, progress=progress)
    assembly = conflate_network(study, inputs, progress=progress)
    progress("building candidates")
    origin, destination = (find_place(getattr(study, end), end, study, inputs) for end in ("origin", "destination"))
    remarks = [f"baseline {study.baseline}: {study.chosen_baseline.name}"]
    reach: list[Reachability] = []
    try:
        candidates, reach = build_candidates(study, inputs, assembly, origin, destination)
        remarks += [f"{len(candidates)} candidates can be built, from {origin.name} to {destination.name}"]
    except NoRouteError as fault:
        # what is closed, and why, is what somebody asks next
        remarks += [f"the candidates can't be built: {fault}"]
    for item in reach:
        state = "are connected" if item.connected else "are not connected"
        gaps = "; gaps: " + "; ".join(say_gap(gap, inputs.places) for gap in item.gaps) if item.gaps else ""
        remarks.append(f"open roads in {', '.join(item.countries)}: {origin.name} and {destination.name} {state}{gaps}")
    remarks += [f"section {key} is drawn by its waypoints: {why}" for key, why in sorted(assembly.schematic.items())]
    remarks += [*assembly.contradictions, *assembly.joins]
    remarks += _missing(study, inputs)
    tables = (_data_table(study, inputs), _country_table(assembly.network), _border_table(assembly.network, inputs))
    return Diagnosis(tables, tuple(remarks))


def _missing(study: Study, inputs: Inputs) -> list[str]:
    found = []
    if inputs.osm is None:
        found.append("no OpenStreetMap file: the network is the reference catalogue alone; give one with --osm")
    else:
        found += inputs.osm.remarks
    if inputs.places is None:
        found.append("no table of places: nothing can be said about settlements; name one under sources.places")
    holes = float(np.isnan(inputs.dem.heights_m).mean())
    if holes > 0:
        found.append(f"{holes:.1%} of the elevation model has no height")
    return found


def _data_table(study: Study, inputs: Inputs) -> Table:
    west, south, east, north = study.area
    grid = np.meshgrid(np.linspace(west, east, 60), np.linspace(south, north, 60))
    covered = np.isfinite(inputs.dem.sample(grid[0].ravel(), grid[1].ravel())).mean()
    in_land = (inputs.borders.country_at(grid[0].ravel(), grid[1].ravel()) != "").mean()
    rows = [
        [
            s.title,
            s.file,
            s.date or "unknown",
            s.licence,
            _coverage(s.source_id, float(covered), float(in_land), inputs),
        ]
        for s in inputs.sources
    ]
    rows.append(
        [
            "Reference catalogue",
            str(inputs.catalogue.folder.name),
            study.as_of,
            f"{len(inputs.catalogue.sources)} sources",
            _catalogue(inputs),
        ]
    )
    return ("Data", ["what", "file", "date", "licence", "covers"], rows)


def _coverage(source_id: str, dem: float, land: float, inputs: Inputs) -> str:
    if source_id == "elevation":
        return f"{dem:.0%} of the area; pixels of {inputs.dem.resolution_m:.0f} m"
    if source_id == "borders":
        return f"{land:.0%} of the area; {', '.join(inputs.borders.countries['country'])}"
    if source_id == "places" and inputs.places is not None:
        return f"{len(inputs.places.frame)} places"
    if inputs.osm is not None:
        return f"{len(inputs.osm.roads):,} roads, {len(inputs.osm.rails):,} railways, {len(inputs.osm.places):,} places"
    return ""


def _catalogue(inputs: Inputs) -> str:
    return f"{len(inputs.catalogue.sections)} sections, {len(inputs.catalogue.crossings)} border crossings"


def _country_table(network: Network) -> Table:
    edges = network.edges[~network.is_border]
    grouped = edges.groupby(["country", "mode"])["length_m"].agg(["count", "sum"])
    rows = [
        [str(c) or "none", str(m), f"{int(r['count']):,}", f"{r['sum'] / 1000:,.0f}"]
        for (c, m), r in grouped.iterrows()
    ]
    return ("Network by country", ["country", "mode", "edges", "km"], rows)


def _border_table(network: Network, inputs: Inputs) -> Table:
    links = network.edges[network.is_border]
    rows = []
    for (border, mode), group in links.groupby(["border", "mode"]):
        listed = sorted({c for c in group["crossing_id"] if c})
        opened = sorted({inputs.catalogue.crossings[c].name for c in listed if inputs.catalogue.crossings[c].is_open})
        closed = int((group["status"] != "open").sum())
        rows.append(
            [
                str(border),
                str(mode),
                str(len(group)),
                str(closed),
                ", ".join(listed) or "none",
                ", ".join(opened) or "none",
            ]
        )
    return ("Passages between countries", ["border", "mode", "found", "closed", "listed crossings found", "open"], rows)


def check_lengths(study: Study, osm: Path | None, progress: Callable[[str], None]) -> list[Checked]:
    """Computed lengths beside the documented ones that the study lists under ``checks``.

    The way taken is the quickest one for a truck (for railways the shortest, whatever its status), borders passable.
    """
    inputs = load_inputs(study, osm=osm, dem=[], progress=progress)
    assembly = conflate_network(study, inputs, progress=progress)
    return [_check(row, assembly, inputs) for row in study.checks]


def _check(row: Check, assembly: Conflation, inputs: Inputs) -> Checked:
    computed: float | None
    try:
        computed = computed_km(row, assembly.network, inputs)
    except (NoRouteError, NetworkError):
        computed = None
    low, high = row.low_km * (1 - row.tolerance_pct / 100), row.high_km * (1 + row.tolerance_pct / 100)
    verdict = "no way" if computed is None else "agrees" if low <= computed <= high else "differs"
    return Checked(row.name, row.mode, row.low_km, row.high_km, row.tolerance_pct, computed, verdict, row.source)


def computed_km(row: Check, network: Network, inputs: Inputs) -> float:
    """Length of the way between catalogue nodes on a network, leg by leg, in km.

    Raises:
        NetworkError: a node has no way of the mode near it.
        NoRouteError: there is no way between two of them.
    """
    rail = row.mode == Mode.RAIL
    closed = network.closed(row.mode, any_status=rail) & ~(
        network.is_border & (network.edges["mode"] == row.mode).to_numpy()
    )
    stops = [_position(network, inputs, node, row.mode, closed) for node in (row.from_node, *row.via, row.to_node)]
    forward, backward = (
        network.edges["length_m" if rail else name].to_numpy() for name in ("minutes_forward", "minutes_backward")
    )
    legs = [network.route(start, end, forward, backward, closed) for start, end in pairwise(stops)]
    return sum(measure_route(network, leg).length_km for leg in legs)


def _position(network: Network, inputs: Inputs, node_id: str, mode: str, closed: NDArray[np.bool_]) -> Position:
    node = inputs.catalogue.nodes[node_id]
    if inputs.osm is not None:
        return node_position(network, node, mode)
    return network.snap(node.lon, node.lat, closed, limit_m=3000.0, what=f"node '{node_id}'")
