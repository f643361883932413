"""A small comparison made by hand: two through routes, a comparator and an unreachable one, over made-up ground."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
from affine import Affine
from shapely import LineString, Point, box

from corridor.metrics.registry import table_columns
from corridor.report.i18n import Words, page_messages
from corridor.schema.candidate import BorderPassage, Candidate, Part, Profile, Span
from corridor.schema.catalogue import Estimate
from corridor.schema.column import Criterion
from corridor.schema.fields import Grid, Source
from corridor.schema.message import Alias
from corridor.schema.results import FirstPlaces, Layers, PerspectiveWords, Results

HOSTILE = (
    '<img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=2</script>",
    "\"'><svg onload=window.hacked=3>",
    "abc\u202egnp.exe\u2066",
    "<!--<script>window.hacked=4",
    "{{ 7*7 }}{% raw %}",
    "\u2028alert(1)\u2029",
)


def part(name: str, xy: list[tuple[float, float]], status: str = "open", country: str = "AA") -> Part:
    line = LineString(xy)
    km = line.length * 100
    return Part(
        name=name,
        section_id=name,
        mode="road",
        road_class="primary",
        status=status,
        country=country,
        line=line,
        length_km=Estimate(km, km * 1.02, km * 1.1),
        drawn_km=km,
        documented=status == "open",
        geometry_quality="schematic",
        minutes=Estimate(km, km, km),
        tunnel_km=0.0,
        bridge_km=0.0,
        max_grade_pct=None,
        spans=(),
        source_ids=("doc",),
    )


def candidate(key: str, name: str, north: float, *, comparator: bool = False, status: str = "open") -> Candidate:
    return Candidate(
        candidate_id=key,
        name=name,
        family="reference",
        mode="road",
        comparator=comparator,
        aliases=(Alias(name="Alias", used_by="some"),),
        note="A note.",
        parts=(
            part(f"{name} west", [(45.0, 39.5), (45.5, north)]),
            part(f"{name} east", [(45.5, north), (46.0, 39.5)], status, "BB"),
        ),
        passages=(BorderPassage(("AA", "BB"), 45.5, north, "gate", "closed", Estimate(60.0, 90.0, 120.0)),),
        assumptions=(),
        end_gaps_km=(0.0, 0.0),
    )


def profile(item: Candidate) -> Profile:
    along = np.linspace(0.0, 1.0, 1500)
    points = [item.line.interpolate(t, normalized=True) for t in along]
    ground = 800 + 600 * np.sin(along * 9) ** 2
    spans = (Span("tunnel", 30.0, 34.0, "Made-up tunnel", "documented"),)
    lon, lat = np.array([p.x for p in points]), np.array([p.y for p in points])
    return Profile(
        chainage_km=along * item.drawn_km,
        lon=lon,
        lat=lat,
        ground_m=ground,
        height_m=ground,
        limit_pct=np.full(1500, 8.0),
        threshold_m=np.full(1500, 60.0),
        spans=spans,
    )


CRITERIA = (
    Criterion("length", "Length", "length_km", "km", "min", "distance", 80.0, 200.0, 1.0, 2.0, "From end to end."),
    Criterion("time", "Time", "time_h", "h", "min", "distance", 1.0, 8.0, 1.7, 0.1),
    Criterion("ascent", "Ascent", "ascent_m", "m", "min", "terrain", 0.0, 4000.0, 1.0, 50.0),
    Criterion("open", "Openings", "openings", "", "max", "people", 10.0, 0.0, 0.6, 0.0),
)


def metric_table() -> pd.DataFrame:
    rows = []
    for regime in ("free", "gated"):
        for index, key in enumerate(("north", "middle", "south", "cut", "far")):
            lost = key == "cut"
            rows.append(
                {
                    "candidate_id": key,
                    "regime_id": regime,
                    "name": f"Route {key}",
                    "comparator": key == "far",
                    "members": "north; south" if key == "middle" else "",
                    "length_km": 100.0 + 7.3 * index,
                    "length_km_low": 98.0 + 7.3 * index,
                    "length_km_high": 110.0 + 7.3 * index,
                    "time_h": 2.0 + 0.31 * index + (regime == "gated") * 0.5 * (index == 0),
                    "ascent_m": 3000.0 - 700.0 * index,
                    "openings": np.inf if lost else float(index + 2),
                    "openings_status": "unreachable" if lost else "ok",
                    "dem": "Made-up heights",
                    "dem_resolution_m": 900.0,
                    "dem_vertical_error_m": 20.0,
                }
            )
    return pd.DataFrame(rows)


def scorable(table: pd.DataFrame) -> pd.DataFrame:
    """The same table as scoring takes it: what is unreachable is blank."""
    return table.assign(openings=table["openings"].replace(np.inf, np.nan))


def rank(
    table: pd.DataFrame, perspectives: dict[str, dict[str, float]]
) -> tuple[pd.DataFrame, pd.DataFrame, FirstPlaces]:
    from corridor.mcda.matrix import build_matrix
    from corridor.mcda.rank import rank_alternatives
    from corridor.mcda.robustness import count_first_places

    matrix = build_matrix(scorable(table), CRITERIA)
    frames = [rank_alternatives(matrix, weights).assign(perspective=key) for key, weights in perspectives.items()]
    return pd.concat(frames, ignore_index=True), matrix.excluded, count_first_places(matrix, perspectives)


def place_effects() -> pd.DataFrame:
    """The middle route cuts two places off where it is gated; nothing else does anything."""
    rows = []
    for key in ("north", "middle"):
        for regime in ("free", "gated"):
            cut = (key, regime) == ("middle", "gated")
            for name, lon, low, high, centre in (
                ("Alba", 45.1, 12000.0, 12000.0, False),
                ("Borg", 45.9, 0.0, 499.0, True),
            ):
                rows.append(
                    {
                        "place": name,
                        "people_low": low,
                        "people_high": high,
                        "lost_crossing": cut,
                        "lost_centre": cut and centre,
                        "centre": "Alba",
                        "lon": lon,
                        "lat": 39.5,
                        "candidate_id": key,
                        "regime_id": regime,
                    }
                )
    return pd.DataFrame(rows)


def results(names: dict[str, str] | None = None) -> Results:
    """Results with the given names of candidates (and made-up ones for the rest)."""
    called = {key: f"Route {key}" for key in ("north", "middle", "south", "cut", "far")} | (names or {})
    heights = {"north": 39.9, "middle": 39.6, "south": 39.2, "cut": 39.0, "far": 38.8}
    candidates = tuple(
        candidate(key, called[key], lat, comparator=key == "far", status="planned" if key == "south" else "open")
        for key, lat in heights.items()
    )
    table = metric_table()
    table["name"] = [called[key] for key in table["candidate_id"]]
    views = {
        "equal": {"distance": 1 / 3, "terrain": 1 / 3, "people": 1 / 3},
        "time": {"distance": 0.8, "terrain": 0.1, "people": 0.1},
    }
    ranking, excluded, first_places = rank(table, views)
    rows, cols = np.mgrid[0:60, 0:90]
    ground = (900 + 500 * np.sin(rows / 7) * np.cos(cols / 9)).astype(np.float32)
    places = gpd.GeoDataFrame(
        {"name": ["Alba", "Borg"], "country": ["AA", "BB"], "population": [12000.0, np.nan]},
        geometry=[Point(45.1, 39.5), Point(45.9, 39.4)],
        crs="EPSG:4326",
    )
    crossings = gpd.GeoDataFrame(
        {
            "crossing_id": ["gate"],
            "name": ["The Gate"],
            "mode": ["road"],
            "status": ["closed"],
            "as_of": ["2026"],
            "countries": ["AA-BB"],
        },
        geometry=[Point(45.5, 39.6)],
        crs="EPSG:4326",
    )
    countries = gpd.GeoDataFrame(
        {"country": ["AA", "BB"], "name": ["Alphaland", "Betaland"]},
        geometry=[box(44.0, 38.0, 45.5, 41.0), box(45.5, 38.0, 47.0, 41.0)],
        crs="EPSG:4326",
    )
    axes = gpd.GeoDataFrame(
        {
            "axis_id": ["one", "two", "one"],
            "name": ["Long road", "Twin road", "Long road"],
            "status": ["open", "open", "planned"],
        },
        geometry=[LineString([(45.4, 40.0), (45.4, 39.4)])] * 2 + [LineString([(45.4, 39.4), (45.4, 38.9)])],
        crs="EPSG:4326",
    )
    return Results(
        study_id="made-up",
        title="Made-up routes",
        question="Which route?",
        as_of="2026-01",
        baseline="now: as it is",
        version="0.1.0",
        area=(44.6, 38.6, 46.4, 40.2),
        focus_id="mid",
        focus_name="Middle",
        candidates=candidates,
        profiles={item.candidate_id: profile(item) for item in candidates},
        metrics=table,
        columns=table_columns(table),
        ranking=ranking,
        excluded=excluded,
        criteria=CRITERIA,
        perspectives=(
            PerspectiveWords(
                "equal", "Equal weights", "Declared.", {"length": 1 / 6, "time": 1 / 6, "ascent": 1 / 3, "open": 1 / 3}
            ),
            PerspectiveWords(
                "time", "Time first", "Declared.", {"length": 0.4, "time": 0.4, "ascent": 0.1, "open": 0.1}
            ),
        ),
        default_perspective="equal",
        sources=(
            Source(
                "heights",
                "Made-up heights",
                "Nobody",
                "2026",
                "CC0-1.0",
                kind="data",
                file="heights.tif",
                sha256="ab" * 32,
            ),
        ),
        documents=(Source("doc", "A document", "Somebody", "2025", "", url="https://example.org/doc"),),
        layers=Layers(
            ground,
            Grid("EPSG:4326", Affine(0.03, 0.0, 44.2, 0.0, -0.03, 40.4), (60, 90)),
            countries,
            places,
            crossings,
            box(45.2, 39.0, 45.8, 39.9),
            axes,
        ),
        notes={"heights": ("Heights are made up.",)},
        place_effects=place_effects(),
        first_places=first_places,
    )


def with_grades(found: Results, keys: tuple[str, ...]) -> Results:
    """Results whose heights support grades for some candidates."""
    grades = np.where(found.metrics["candidate_id"].isin(keys), 6.5, np.nan)
    table = found.metrics.assign(grade_p95_pct=grades)
    return replace(found, metrics=table, columns=table_columns(table))


def page_words(found: Results, language: str = "en") -> Words:
    """The words of the results' page in one language, with the names that its study gives."""
    messages = page_messages(found)
    return Words(language, messages[language], messages["en"])


def hostile_results() -> Results:
    """Results whose every outside text is an attack."""
    keys = ("north", "middle", "south", "cut", "far")
    base = results({key: f"{HOSTILE[index]} {key}" for index, key in enumerate(keys)})
    bad = " ".join(HOSTILE)
    layers = replace(
        base.layers,
        places=base.layers.places.assign(name=[HOSTILE[0], HOSTILE[1]]),
        crossings=base.layers.crossings.assign(name=[bad], status=["closed"], as_of=[bad]),
        axes=base.layers.axes.assign(name=HOSTILE[0], status=HOSTILE[1]),
        countries=base.layers.countries.assign(name=[HOSTILE[1], HOSTILE[2]]),
    )
    documents = (Source("doc", bad, bad, bad, bad, url="javascript:window.hacked=5"),)
    return replace(
        base,
        title=bad,
        question=bad,
        as_of=bad,
        baseline=bad,
        focus_name=bad,
        layers=layers,
        documents=documents,
        place_effects=base.place_effects.assign(place=bad, centre=bad, candidate_id="north", lost_crossing=True),
        sources=(replace(base.sources[0], title=bad, note=bad, file=bad),),
        perspectives=tuple(replace(view, label=bad, weights_from=bad) for view in base.perspectives),
        notes={bad: (bad,)},
    )
