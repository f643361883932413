"""What lies under and over the routes on the map: the north-south axes."""

from __future__ import annotations

from typing import Any

import shapely

from corridor.model.results import Results
from corridor.report.linework import route_line


def axis_lines(results: Results) -> list[dict[str, Any]]:
    """The north-south axes, each stretch of ground once, with the names of all axes that run along it."""
    frame = results.layers.axes
    if frame is None or frame.empty:
        return []
    found: dict[tuple[bytes, str], dict[str, Any]] = {}
    for name, status, shape in zip(frame["name"], frame["status"], frame.geometry, strict=True):
        for line in shapely.get_parts(shape):
            if shapely.get_type_id(line) != 1 or shapely.is_empty(line):
                continue
            stretch = found.setdefault(
                (shapely.to_wkb(shapely.normalize(line)), str(status)),
                {"names": [], "status": str(status), "line": route_line(line)},
            )
            if str(name) not in stretch["names"]:
                stretch["names"].append(str(name))
    return list(found.values())
