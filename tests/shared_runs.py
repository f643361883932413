"""Runs of packaged studies that take from one another what is computed, in one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from corridor.pipeline import comparing
from corridor.pipeline.graph import Cache, Graph, Run
from corridor.schema.study import Study

EXTRACT = "south-caucasus-2021-08.osm.pbf"
"""The real OpenStreetMap extract, which no test writes to either."""
_KNOWN: dict[Path | None, Cache] = defaultdict(Cache)


def _sharing_run(graph: Graph, given: Mapping[str, Any], **more: Any) -> Run:
    """A run that takes what earlier ones computed of the same values, if it reads nothing that a test writes."""
    osm = given["osm_path"]
    packaged = given["study"].folder == Study.bundled("syunik").folder and not given["dem_paths"]
    fixed = packaged and (osm is None or osm.name == EXTRACT)
    return Run(graph, given, cache=_KNOWN[osm] if fixed else None, **more)


def share(patch: pytest.MonkeyPatch) -> None:
    """From now on, until the patch is undone, nothing of a packaged study is computed twice."""
    patch.setattr(comparing, "Run", _sharing_run)
