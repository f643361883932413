"""Files of what routes do to everyone else: crossings, places, findings."""

from __future__ import annotations

import json
from pathlib import Path

from corridor.model.results import Results
from corridor.report.csvs import write_csv
from corridor.report.escape import clean
from corridor.report.gis import write_layer

FILES = ("crossings.gpkg", "places.csv", "findings.json")


def write_impacts(results: Results, folder: Path) -> tuple[str, ...]:
    """Write the impact files that there is something for, and give their names."""
    written = []
    if results.events is not None and len(results.events):
        write_layer(results.events, folder / FILES[0], "events")
        written.append(FILES[0])
    if results.place_effects is not None and len(results.place_effects):
        write_csv(results.place_effects, folder / FILES[1])
        written.append(FILES[1])
    if results.findings:
        rows = [
            {"candidate_id": f.candidate_id, "regime_id": f.regime_id, "text": f.text, "evidence": list(f.evidence)}
            for f in results.findings
        ]
        text = json.dumps(clean(rows), ensure_ascii=False, indent=2)
        (folder / FILES[2]).write_text(text + "\n", encoding="utf-8")
        written.append(FILES[2])
    return tuple(written)
