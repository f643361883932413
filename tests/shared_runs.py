"""Runs of packaged studies that take from one another what is computed, in one process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from corridor.pipeline import comparing
from corridor.pipeline.graph import Cache, Graph, Run, fingerprint
from corridor.schema.study import Study

EXTRACT = "south-caucasus-2021-08.osm.pbf"
"""The real OpenStreetMap extract, which no test writes to either."""


class _Whole(Cache):
    """Lets nothing go: a command lets go on its way what the next test wants."""

    def keep_only(self, names: Collection[str]) -> None:
        """Keep all."""


_KNOWN: dict[tuple[bytes | None, Path | None], Cache] = defaultdict(_Whole)
"""By study and map: steps keep one value each, so that another study would push out what the next test wants."""


def _sharing_run(graph: Graph, given: Mapping[str, Any], **more: Any) -> Run:
    """A run that takes what earlier ones of an equal study computed, if it reads nothing that a test writes."""
    osm = given["osm_path"]
    packaged = given["study"].folder == Study.bundled("syunik").folder and not given["dem_paths"]
    fixed = packaged and (osm is None or osm.name == EXTRACT)
    return Run(graph, given, cache=_KNOWN[fingerprint(given["study"]), osm] if fixed else None, **more)


def share(patch: pytest.MonkeyPatch) -> None:
    """From now on, until the patch is undone, nothing of a packaged study is computed twice."""
    patch.setattr(comparing, "Run", _sharing_run)


def downstream(graph: Graph, names: Iterable[str]) -> frozenset[str]:
    """Values and all that hangs on them: what may be stale when they are replaced."""
    return frozenset(name for name in graph.order if not graph.upstream(name).isdisjoint(names))
