"""Comparisons of packaged studies that take from one another what is computed, in one process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from corridor.pipeline import comparing
from corridor.pipeline.graph import Cache, Graph, Run
from corridor.schema.study import Study

_KNOWN = Cache()


def _sharing_run(graph: Graph, given: Mapping[str, Any], **more: Any) -> Run:
    """A run that takes what earlier ones computed of the same values, if it reads nothing but packaged data."""
    packaged = given["study"].folder == Study.bundled("syunik").folder and not (given["osm_path"] or given["dem_paths"])
    return Run(graph, given, cache=_KNOWN if packaged else None, **more)


def share(patch: pytest.MonkeyPatch) -> None:
    """From now on, until the patch is undone, nothing of a packaged study is computed twice."""
    patch.setattr(comparing, "Run", _sharing_run)
