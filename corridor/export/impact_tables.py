"""Files of what routes do to everyone else: crossings, places, findings."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path

from corridor.export.gis import write_geoparquet, write_layer
from corridor.export.qml import event_style
from corridor.report.escape import clean
from corridor.report.i18n import render, render_table
from corridor.report.plain_tables import write_csv
from corridor.schema.results import Results

FILES = ("crossings.gpkg", "crossings.parquet", "crossings.qml", "places.csv", "findings.json")
EVENT_LAYER = "events"


def write_impacts(results: Results, folder: Path, formats: Collection[str] = ("gpkg", "parquet")) -> tuple[str, ...]:
    """Write the impact files that there is something for, and give their names; events in the GIS formats asked for."""
    written = []
    events, parquet, style, places, findings = FILES
    if results.events is not None and len(results.events):
        table = render_table(results.events)
        if "gpkg" in formats:
            write_layer(table, folder / events, EVENT_LAYER)
            written.append(events)
        if "parquet" in formats:
            write_geoparquet(table, folder / parquet)
            written.append(parquet)
        if written:
            (folder / style).write_text(event_style(), encoding="utf-8", newline="\n")
            written.append(style)
    if results.place_effects is not None and len(results.place_effects):
        write_csv(results.place_effects, folder / places)
        written.append(places)
    if results.findings:
        rows = [
            {
                "candidate_id": f.candidate_id,
                "regime_id": f.regime_id,
                "text": render(f.message),
                "evidence": list(f.evidence),
            }
            for f in results.findings
        ]
        text = json.dumps(clean(rows), ensure_ascii=False, indent=2)
        (folder / findings).write_text(text + "\n", encoding="utf-8")
        written.append(findings)
    return tuple(written)
