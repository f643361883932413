"""Runs of packaged studies that take from one another what is computed, in one process and in all of a session."""

from __future__ import annotations

import itertools
import os
import pickle
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from corridor.pipeline import comparing
from corridor.pipeline.digests import combine, fingerprint
from corridor.pipeline.graph import Cache, Declared, Graph, Held, Run
from corridor.schema.study import Study

EXTRACT = "south-caucasus-2021-08.osm.pbf"
"""The real OpenStreetMap extract, which no test writes to either."""


LARGE_BYTES = 8_000_000
"""Few values are larger, and those are soon made: error draws, profiles."""


class _Whole(Cache):
    """Lets nothing go: a command lets go on its way what the next test wants.

    What other processes computed is read from a folder, as the key of a value is the same in all of them.
    """

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder
        self._given: dict[int, tuple[Any, bytes]] = {}
        # What else goes by its identity is known to one process alone, and to those that are forked from it.
        own = uuid4().hex
        self._numbers = (f"{own} {os.getpid()} {number}" for number in itertools.count())  # type: ignore[assignment]

    def keep_only(self, names: Collection[str]) -> None:
        """Keep all."""

    def has(self, declared: Declared, key: bytes) -> bool:
        return super().has(declared, key) or bool(self._folder and self._path(declared, key).is_file())

    def get(self, declared: Declared, key: bytes, make: Callable[[], Any]) -> Held:
        held = super().get(declared, key, partial(self._read_or_make, self._path(declared, key), make))
        self._given.setdefault(id(held.value), (held.value, combine(declared.name, key)))
        return held

    def mark(self, value: Any) -> bytes:
        """A value that was given from here and is handed in again has a key that other processes know too."""
        known = self._given.get(id(value))
        return known[1] if known else super().mark(value)

    def _path(self, declared: Declared, key: bytes) -> Path:
        return (self._folder or Path()) / combine(declared.name, key).hex()

    def _read_or_make(self, path: Path, make: Callable[[], Any]) -> Any:
        if not self._folder:
            return make()
        if path.is_file():
            return pickle.loads(path.read_bytes())
        value = make()
        kept = pickle.dumps(value)
        if len(kept) <= LARGE_BYTES:
            # Another process may be at it too: whoever comes last puts the same value in place, whole.
            part = path.with_name(f"{path.name}.{os.getpid()}")
            part.write_bytes(kept)
            part.replace(path)
        return value


@lru_cache(maxsize=4)
def _known(_study: bytes | None, _osm: Path | None, folder: Path | None) -> Cache:
    """By study and map: steps keep one value each, so that another study would push out what the next test wants.

    Of the last few alone: all that a page of the documentation makes of a study would fill gigabytes by the end.
    """
    return _Whole(folder)


def share(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """From now on, until the patch is undone, nothing of a packaged study is computed twice.

    Values go through ``folder`` to other processes; those on the real map don't, as one worker has all of them.
    """

    def sharing_run(graph: Graph, given: Mapping[str, Any], **more: Any) -> Run:
        """A run that takes what earlier ones of an equal study computed, if it reads nothing that a test writes."""
        osm = given["osm_path"]
        packaged = given["study"].folder == Study.bundled("syunik").folder and not given["dem_paths"]
        fixed = packaged and (osm is None or osm.name == EXTRACT)
        known = _known(fingerprint(given["study"]), osm, None if osm else folder) if fixed else None
        return Run(graph, given, cache=known, **more)

    patch.setattr(comparing, "Run", sharing_run)


def downstream(graph: Graph, names: Iterable[str]) -> frozenset[str]:
    """Values and all that hangs on them: what may be stale when they are replaced."""
    return frozenset(name for name in graph.order if not graph.upstream(name).isdisjoint(names))
