"""Small made-up countries: a home country AA, a neighbour BB behind one open crossing."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from corridor.metrics.access import Access, build_access
from corridor.network.graph import MINUTES, Network, edge_frame
from corridor.schema.candidate import Candidate, Part
from corridor.schema.catalogue import Estimate
from corridor.schema.results import EdgeEffect, Event
from corridor.schema.study import Place

STEP = 0.02  # degrees between nodes
LON, LAT = 45.0, 39.0
ABROAD = Place(name="Gate", lon=LON, lat=LAT - STEP, country="BB")


def network(nodes, edges, **columns):
    """A network of straight edges: nodes as (lon, lat), edges as (u, v); country AA unless a column says otherwise."""
    xy = np.array(nodes, dtype=float)
    u, v = (np.array([e[i] for e in edges], dtype=np.int64) for i in (0, 1))
    lines = shapely.linestrings(np.stack([xy[u], xy[v]], axis=1))
    frame = {"u": u, "v": v, "geometry": lines, "country": np.full(len(u), "AA", dtype=object)}
    frame |= {name: np.asarray(values) for name, values in columns.items()}
    table = edge_frame(frame)
    if "minutes_forward" not in columns:
        table[list(MINUTES)] = np.tile(table["length_m"].to_numpy()[:, None] / 1000, len(MINUTES))
    return Network(table, xy[:, 0], xy[:, 1])


def with_neighbour(nodes, edges, door=0, **columns):
    """The same with a road in BB that reaches node ``door`` through an open crossing 'gate'; rows -2 and -1."""
    n = len(nodes)
    at = nodes[door]
    outside = (at[0], at[1] - STEP)
    all_nodes = [*nodes, at, outside]
    all_edges = [*edges, (n, n + 1), (door, n)]
    rows = len(edges)
    filled = {name: [*values, columns_default(name), columns_default(name)] for name, values in columns.items()}
    filled["country"] = np.array([*(["AA"] * rows), "BB", ""], dtype=object)
    filled["border"] = np.array([*([""] * (rows + 1)), "AA-BB"], dtype=object)
    filled["crossing_id"] = np.array([*([""] * (rows + 1)), "gate"], dtype=object)
    return network(all_nodes, all_edges, **filled)


def columns_default(name):
    return {"oneway": 0, "status": "open", "section_id": "", "class": "primary", "ref": "", "truck_access": "yes"}.get(
        name, 1.0
    )


def grid(seed, width=4, height=4, keep=0.75, oneways=0.0):
    """A random planar network, a jittered grid with a spanning tree and some other edges: nodes, edges, oneway."""
    rng = np.random.default_rng(seed)
    nodes = [
        (LON + STEP * (x + rng.uniform(-0.3, 0.3)), LAT + STEP * (y + rng.uniform(-0.3, 0.3)))
        for y in range(height)
        for x in range(width)
    ]
    every = [(y * width + x, y * width + x + 1) for y in range(height) for x in range(width - 1)]
    every += [(y * width + x, (y + 1) * width + x) for y in range(height - 1) for x in range(width)]
    order = rng.permutation(len(every))
    parent = list(range(len(nodes)))

    def root(i):
        while parent[i] != i:
            i = parent[i]
        return i

    edges, oneway = [], []
    for index in order:
        a, b = every[index]
        ra, rb = root(a), root(b)
        if ra != rb:
            parent[ra] = rb
            edges.append((a, b))
            oneway.append(0)
        elif rng.random() < keep:
            edges.append((a, b) if rng.random() < 0.5 else (b, a))
            oneway.append(int(rng.random() < oneways))
    return nodes, edges, oneway


def place_table(points, people=None):
    n = len(points)
    people = np.arange(1, n + 1) * 100.0 if people is None else np.asarray(people, dtype=float)
    known = np.isfinite(people)
    return pd.DataFrame(
        {
            "place": [f"p{i}" for i in range(n)],
            "country": "AA",
            "lon": [p[0] for p in points],
            "lat": [p[1] for p in points],
            "people": people,
            "people_low": np.where(known, people, 0.0),
            "people_mid": np.where(known, people, 0.0),
            "people_high": np.where(known, people, 500.0),
        }
    )


def along(net, edge, fraction):
    """A point on an edge."""
    at = shapely.line_interpolate_point(net.edges.geometry.iat[edge], fraction, normalized=True)
    return at.x, at.y


def access_to(net, capital, points=(), centres=(), **options) -> Access:
    """Access on a made-up network, capital, places and centres given as points (lon, lat)."""
    return build_access(
        net,
        "AA",
        options.pop("crossing", ABROAD),
        Place(name="Capital", lon=capital[0], lat=capital[1], country="AA"),
        [Place(name=f"C{i}", lon=x, lat=y, country="AA") for i, (x, y) in enumerate(centres)],
        place_table(list(points), options.pop("people", None)),
        snap_limit_m=options.pop("snap_limit_m", 3000.0),
        **options,
    )


def effect(net, closed=(), delay=()) -> EdgeEffect:
    """An effect that closes some rows and delays others (row, minutes)."""
    shut, minutes = np.zeros(len(net.edges), dtype=bool), np.zeros(len(net.edges))
    shut[list(closed)] = True
    for row, value in delay:
        minutes[row] += value
    slowed = np.flatnonzero(minutes)
    return EdgeEffect(shut, slowed, minutes[slowed])


def event(
    kind="crossing", edges=(), event_id="e1", separation="at_grade_assumed", portions=(), geometry=None, **more
) -> Event:
    values = {
        "candidate_id": "c", "road_class": "primary", "road_ref": "", "road_name": "", "country": "AA",
        "chainage_km": 0.0, "to_chainage_km": 0.0, "distance_m": 0.0, "length_km": 0.0, "structure": "",
        "cause": "made up",
    } | more  # fmt: skip
    return Event(
        event_id=event_id, kind=kind, separation=separation if kind == "crossing" else "", edges=tuple(edges),
        geometry=geometry or shapely.Point(LON, LAT), portions=tuple(portions), **values,
    )  # fmt: skip


def part(
    line, country="AA", section_id="", edges=(), mode="road", length_km=None, status="open", quality="osm"
) -> Part:
    from corridor.geo.geodesy import line_lengths_m

    drawn = float(line_lengths_m([line])[0]) / 1000
    km = drawn if length_km is None else length_km
    return Part(
        name="stretch", section_id=section_id, mode=mode, road_class="primary", status=status, country=country,
        line=line, length_km=Estimate(km, km, km), drawn_km=drawn, documented=False, geometry_quality=quality,
        minutes=Estimate(1, 1, 1),
        tunnel_km=0.0, bridge_km=0.0, max_grade_pct=None, spans=(), source_ids=(), edges=tuple(edges),
    )  # fmt: skip


def candidate(*parts) -> Candidate:
    return Candidate("c", "Made up", "reference", parts[0].mode, False, (), "", tuple(parts), (), (), (0.0, 0.0))
