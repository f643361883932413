"""Made-up roads and railways in metres on a plane, put on the map in the UTM zone that networks there use."""

from __future__ import annotations

import itertools
from functools import cache

import networkx as nx
import numpy as np
import shapely

from corridor.geo.geodesy import WGS84, line_lengths_m, project
from corridor.interactions.crossings import meetable, own_rows
from corridor.interactions.events import find_beside, find_crossed, order_events
from corridor.interactions.regime_effects import split_network
from corridor.network.graph import MINUTES, Network, edge_frame
from corridor.schema.candidate import Candidate, Part, Span
from corridor.schema.catalogue import Estimate
from corridor.schema.regime import (
    ATTRIBUTES,
    Applicability,
    Attribute,
    CheckTime,
    CrossingRule,
    Regime,
    SharedRule,
)
from corridor.schema.vocabulary import BedRoad

UTM = "EPSG:32638"
EAST, NORTH = 500_000.0, 4_300_000.0
TEXTS = ("class", "ref", "name", "status", "mode", "country", "section_id")


def lonlat(xy):
    """Metres from the plane's corner as lon, lat."""
    points = shapely.points(np.add(np.atleast_2d(xy), [EAST, NORTH]))
    return shapely.get_coordinates(project(points, UTM, WGS84))


def build(lines, **columns):
    """A network of lines given in metres; ends at one place are one node. Values of columns are by line."""
    ends = [tuple(np.round(line[i], 6)) for line in lines for i in (0, -1)]
    nodes = {xy: number for number, xy in enumerate(dict.fromkeys(ends))}
    frame = {
        "u": np.array([nodes[e] for e in ends[::2]]),
        "v": np.array([nodes[e] for e in ends[1::2]]),
        "geometry": np.array([shapely.LineString(lonlat(line)) for line in lines], dtype=object),
        "country": np.full(len(lines), "AA", dtype=object),
    }
    for name, values in columns.items():
        frame[name] = np.array(values, dtype=object if name in TEXTS else None)
    table = edge_frame(frame)
    table[list(MINUTES)] = np.tile(table["length_m"].to_numpy()[:, None] / 1000, len(MINUTES))
    at = lonlat(list(nodes))
    return Network(table, at[:, 0], at[:, 1])


def rail(line, spans=(), country="AA", quality="osm", mode="rail", edges=(), section_id="", status="abandoned"):
    """A candidate of one part; spans as (kind, from metre, to metre)."""
    shape = shapely.LineString(lonlat(line))
    drawn = float(line_lengths_m([shape])[0]) / 1000
    piece = Part(
        name="line", section_id=section_id, mode=mode, road_class="rail", status=status, country=country, line=shape,
        length_km=Estimate(drawn, drawn, drawn), drawn_km=drawn, documented=False, geometry_quality=quality,
        minutes=Estimate(1, 1, 1), tunnel_km=0.0, bridge_km=0.0, max_grade_pct=None,
        spans=tuple(Span(kind, a / 1000, b / 1000, "", "mapped") for kind, a, b in spans), source_ids=(),
        edges=tuple(edges),
    )  # fmt: skip
    return Candidate("c", "Made up", "reference", mode, False, (), "", (piece,), (), (), (0.0, 0.0))


def turned(candidate):
    """The same candidate travelled back."""
    from dataclasses import replace

    parts = tuple(replace(p, line=p.line.reverse(), edges=p.edges[::-1]) for p in candidate.parts[::-1])
    return replace(candidate, parts=parts)


def regime(crossing="free", same_line="open", minutes=10.0, min_class="", **applies):
    """A regime with some switches that leaves every question open."""
    wait = Estimate(minutes / 2, minutes, minutes * 2)
    none = CheckTime(low=0, mid=0, high=0, source_ids=("none",), note="none")
    return Regime(
        regime_id=f"{crossing}-{same_line}".replace("_", "-"),
        label="made up",
        summary="made up",
        text_status="made up",
        as_of="",
        counterfactual=True,
        source_ids=("none",),
        crossing=CrossingRule(kind=crossing, minutes=wait if crossing == "gated" else None, min_class=min_class),
        same_line=SharedRule(kind=same_line, minutes=wait if same_line == "gated" else None),
        switches_from="made up",
        transit_check_min=none,
        border_check_min=none,
        local_access="open",
        applies_to=Applicability(**applies),
        attributes={
            name: Attribute(state="unspecified", text="open", source_id="none", as_of="") for name in ATTRIBUTES
        },
    )


def all_met(candidate, network, country=None, *, barriers=None, bed_road=BedRoad.REPLACED, **more):
    """All that a candidate meets, in order."""
    crossed = find_crossed(candidate, network, country, **more)
    beside = find_beside(candidate, network, country, barriers=barriers, bed_road=bed_road)
    return order_events(candidate, [*crossed, *beside], country)


def crossings(candidate, network):
    """Crossing events alone."""
    return [event for event in all_met(candidate, network) if event.kind == "crossing"]


def gated(network, events):
    """The network with gates for some events."""
    return split_network(network, events)


def digraph(network, closed, minutes=None):
    """A networkx graph of what is open: the oracle for reachability and times."""
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(network.n_nodes))
    cost = network.edges["minutes_forward"].to_numpy() + (0.0 if minutes is None else minutes)
    for row, (u, v, oneway) in enumerate(network.edges[["u", "v", "oneway"]].itertuples(index=False)):
        if not closed[row]:
            graph.add_edge(u, v, minutes=cost[row])
            if not oneway:
                graph.add_edge(v, u, minutes=cost[row])
    return graph


def street_grid(seed, width=4, height=4, gap=300.0, keep=0.6):
    """A random planar street network as lines in metres with classes: a spanning tree of a jittered grid and more."""
    rng = np.random.default_rng(seed)
    at = {
        (x, y): (gap * (x + rng.uniform(-0.3, 0.3)), gap * (y + rng.uniform(-0.3, 0.3)))
        for x in range(width)
        for y in range(height)
    }
    pairs = [((x, y), (x + 1, y)) for x in range(width - 1) for y in range(height)]
    pairs += [((x, y), (x, y + 1)) for x in range(width) for y in range(height - 1)]
    tree = nx.minimum_spanning_edges(nx.Graph([(a, b, {"weight": rng.random()}) for a, b in pairs]), data=False)
    chosen = {frozenset(pair) for pair in tree}
    chosen |= {frozenset(pair) for pair in pairs if rng.random() < keep}
    lines = [[at[a], at[b]] for a, b in pairs if frozenset((a, b)) in chosen]
    classes = rng.choice(["trunk", "secondary", "residential", "track"], len(lines)).tolist()
    bridges = (rng.random(len(lines)) < 0.25).tolist()
    refs = [f"R{i}" if rng.random() < 0.7 else "" for i in range(len(lines))]
    return lines, {"class": classes, "bridge": bridges, "ref": refs}


@cache
def streets(seed):
    """Lines and network of a random street network, made once for all examples that only look at it."""
    lines, columns = street_grid(seed)
    return lines, build(lines, **columns)


def split_lines(lines, columns, seed):
    """The same streets with some of them split at random points."""
    rng = np.random.default_rng(seed)
    out, rows = [], []
    for row, (a, b) in enumerate(lines):
        cuts = [0.0, *sorted(rng.uniform(0.05, 0.95, rng.integers(0, 3))), 1.0]
        points = [tuple(np.array(a) + f * (np.array(b) - np.array(a))) for f in cuts]
        points[-1] = tuple(b)
        for start, end in itertools.pairwise(points):
            out.append([start, end])
            rows.append(row)
    return out, {name: [values[row] for row in rows] for name, values in columns.items()}


def count_raw_hits(candidate, network, country=None):
    """Points where an edge that the candidate runs over and a road's edge meet, before anything is merged.

    Every class counts, tracks and service roads too. A level crossing at a node gives a point for each pair of the
    edges that end there: on OpenStreetMap data of 2021-08 the Aras railway in Armenia has 35 and 11 crossings.
    """
    fit = meetable(network, own_rows(candidate, network))
    if country is not None:
        fit = fit & (network.edges["country"] == country).to_numpy()
    total = 0
    for part in candidate.parts:
        pieces = network.planar[list(part.edges)]
        if len(pieces):
            own, road = network.tree.query(pieces, predicate="intersects")
            meeting = shapely.intersection(pieces[own[fit[road]]], network.planar[road[fit[road]]])
            total += len(shapely.get_parts(meeting))
    return total
