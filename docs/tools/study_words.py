"""What the keys of a study mean, by model and key; a test holds that none is missing and none too many."""

from __future__ import annotations

_NAMED = {"id": "short name, unique in its list", "name": "name that readers see", "note": "remark"}
_POINT = {"lon": "degrees east", "lat": "degrees north"}
_ROUTE = _NAMED | {
    "family": "what the route is made from",
    "mode": "road or railway",
    "comparator": "there to compare with: ranked apart",
    "aliases": "other names, with who uses them",
}

WORDS: dict[str, dict[str, str]] = {
    "Study": {
        "id": "short name; stands in every result",
        "title": "title of the page",
        "question": "what is asked, in a sentence",
        "as_of": "date of what the catalogue says",
        "area": "west, south, east, north in degrees: what is read and shown",
        "focus": "the region that the study is about",
        "origin": "where routes begin: a table, or the name of a node or settlement",
        "destination": "where they end",
        "border_crossing": "fixed point on the far side of the border, from which access is measured",
        "capital": "place to which access is measured",
        "sources": "where the data lies",
        "elevation": "how far heights can be trusted",
        "baselines": "dated states of the network",
        "baseline": "which of them is computed",
        "candidates": "the routes",
        "criteria": "what is scored",
        "default_perspective": "whose weights rank first on the page",
        "snap_limit_km": "farthest that a place may lie from a road",
        "grade_effect": "whether climbs slow trucks",
        "checks": "documented lengths to hold computed ones against",
        "impact": "what routes do to everyone else; nothing is measured if left out",
        "perspectives": "weights of the study's own, a table each",
    },
    "Focus": _NAMED | {"country": "two letters", "outline": "corners of the region: longitude, latitude"},
    "Place": _NAMED | _POINT | {"country": "whose ground it is on, two letters"},
    "Files": {
        "reference": "folder of catalogue tables",
        "elevation": "rasters; the first counts where they overlap",
        "borders": "polygons with a column `country`",
        "places": "settlements, CSV",
        "osm": "OpenStreetMap file",
        "perspectives": "file of perspectives",
    },
    "Elevation": {
        "vertical_error_m": "standard error of a height",
        "error_range_km": "distance over which errors are alike",
        "draws": "draws of the error for intervals; 0 for none",
        "level_sections": "sections known to be nearly level, to test the heights on",
        "seed": "of the draws",
    },
    "Baseline": _NAMED | {"as_of": "the date that decides which sections and controls count"},
    "ReferenceCandidate": _ROUTE | {"sections": "catalogue sections, from the origin to the destination"},
    "ExistingCandidates": _ROUTE
    | {
        "count": "how many ways at most",
        "max_shared": "greatest shared part of the shorter of two ways",
        "max_stretch": "greatest ratio of a way's time to the quickest one's",
        "countries": "which may be driven through",
        "assume_open": "crossings and sections that count as open; named with each result",
    },
    "NewBuildCandidate": _ROUTE
    | {
        "standard": "design standard of the new line, such as `rail-18`",
        "from_node": "node of the catalogue where the new line begins",
        "to_node": "node where it ends",
        "via": "nodes that it must pass, such as stations",
        "before": "catalogue sections that lead from the origin to its beginning",
        "after": "catalogue sections that lead from its end to the destination",
        "countries": "the only ones that it may pass; any if left out",
    },
    "Alias": {"name": "the name", "used_by": "who uses it"},
    "CriterionSpec": {
        "id": "short name",
        "label": "name that readers see",
        "metric": "column of `metrics.csv`",
        "unit": "of the metric",
        "direction": "whether less or more is better",
        "group": "whose weight it shares",
        "best": "the metric that is worth 1",
        "worst": "the metric that is worth 0",
        "shape": "1 is linear; above 1 the first losses weigh less",
        "tolerance": "difference below which two routes tie",
        "explanation": "what it says, for readers",
        "factor": "what its range hangs on; criteria with the same factor move together",
    },
    "Check": _NAMED
    | {
        "mode": "road or railway",
        "from_node": "node of the catalogue",
        "to_node": "node of the catalogue",
        "via": "nodes between",
        "low_km": "documented length, low end",
        "high_km": "documented length, high end",
        "tolerance_pct": "how far outside still agrees",
        "source": "row of `sources.csv`",
    },
    "ImpactSpec": {
        "neighbour": "country of the border crossing's far side",
        "regimes": "file of regimes",
        "centres": "provincial centres",
        "stages": "places between which disjoint routes are counted, in order",
        "axes": "north-south lines",
        "documented_times": "journeys that truck times are fitted to",
        "own_regimes": "regimes of the study's own, a table each",
        "strip_draws": "draws for the strip's interval",
        "seed": "of those draws",
    },
    "StageSpec": _NAMED | _POINT | {"radius_km": "junctions this near count as it"},
    "AxisSpec": _NAMED | {"sections": "catalogue sections from end to end"},
    "TimeSpec": _NAMED
    | {
        "from_node": "node of the catalogue",
        "to_node": "node of the catalogue",
        "low_min": "documented minutes, low end",
        "high_min": "documented minutes, high end",
        "source": "row of `sources.csv`",
    },
}
