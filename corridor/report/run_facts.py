"""What a run was made from, as plain facts for the page and for the manifest."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from corridor.report.i18n import render
from corridor.schema.results import Results

TOOL = "corridor"


def describe_run(results: Results) -> dict[str, Any]:
    """Version, study, baseline and inputs with date, licence, SHA-256 and what was fetched when; no other times.

    ``map_remarks`` counts what of the OpenStreetMap file wasn't understood or couldn't be used; ``status_remarks`` how
    many statuses are over a year older than the study's date.
    """
    return {
        "tool": TOOL,
        "version": results.version,
        "study": results.study_id,
        "title": results.title,
        "as_of": results.as_of,
        "baseline": results.baseline,
        "area": list(results.area),
        "inputs": [
            {
                "id": source.source_id,
                "title": source.title,
                "publisher": source.publisher,
                "file": source.file,
                "date": source.date,
                "licence": source.licence,
                "sha256": source.sha256,
                **({"fetched": [asdict(part) for part in source.fetched]} if source.fetched else {}),
            }
            for source in results.sources
        ],
        "documents": [
            {name: getattr(source, name) for name in ("source_id", "title", "publisher", "date", "licence", "url")}
            for source in results.documents
        ],
        "rules": results.rules,
        **{
            name: [render(remark) for remark in remarks]
            for name, subject in (("map_remarks", "map data"), ("status_remarks", "statuses"))
            if (remarks := results.notes.get(subject))
        },
        "dem": describe_dem(results),
        "candidates": [candidate.candidate_id for candidate in results.candidates],
        "criteria": [asdict(criterion) for criterion in results.criteria],
        "perspectives": {view.perspective_id: view.weights for view in results.perspectives},
        "default_perspective": results.default_perspective,
        "as_if_opened": results.as_if_opened,
        "panels": [asdict(panel) for panel in results.panels],
        **({"first_places": asdict(results.first_places)} if results.first_places else {}),
    }


def describe_dem(results: Results) -> dict[str, Any]:
    """Name, pixel size in metres and standard error in metres of the elevation model, as the metric table has them."""
    named = {"dem": "title", "dem_resolution_m": "resolution_m", "dem_vertical_error_m": "vertical_error_m"}
    table = results.metrics
    return {word: table[column].iloc[0].item() if hasattr(table[column].iloc[0], "item") else table[column].iloc[0]
            for column, word in named.items() if column in table.columns and len(table)}  # fmt: skip
