"""What to fetch for a study and what came of it; light, as runs without the network load nothing else from here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corridor.io.fetch.elevation import provider_ids
from corridor.schema.settings import PREFIX
from corridor.schema.study import Study

if TYPE_CHECKING:
    from corridor.io.fetch.cache import CacheEntry

OVERPASS, GEOFABRIK = "overpass", "geofabrik"
"""Sources of roads and railways."""
VSICURL = "/vsicurl/"


def is_source(name: str) -> bool:
    """Whether a name is that of a source of live data.

    Args:
        name: As people type it after ``--osm`` or ``--dem``.
    """
    return name in {OVERPASS, GEOFABRIK, *provider_ids()}


def is_remote(name: str) -> bool:
    """Whether a raster's name is an address (``https://...`` or ``/vsicurl/https://...``), not a file.

    Args:
        name: As people type it after ``--dem``.
    """
    return name.removeprefix(VSICURL).startswith(("http://", "https://"))


@dataclass(frozen=True)
class WantedInputs:
    """What to fetch: ``osm`` and ``dem`` name a source, a file or an address, or nothing for the study's own."""

    osm: str | None = None
    dem: Sequence[str] = ()
    live: bool = True


@dataclass(frozen=True)
class FetchedInputs:
    """A study with its live data in files.

    ``study`` names the fetched borders and places and has the vertical error of the fetched heights; ``osm`` and
    ``dem`` are for the readers; ``layers`` names what was asked, with its entry; ``fetched`` is what wasn't at hand.
    """

    study: Study
    osm: Path | None
    dem: tuple[Path, ...]
    layers: tuple[tuple[str, Path, CacheEntry], ...]
    fetched: tuple[str, ...]


def inputs_at_hand(study: Study, wanted: WantedInputs) -> FetchedInputs | None:
    """A study's inputs where nothing of them may come from the network; None where that isn't clear at first sight.

    Args:
        study: Names its own data.
        wanted: What is asked for instead.
    """
    named = [name for name in (wanted.osm, *wanted.dem) if name is not None]
    # What hangs on the sources that there are isn't checked yet: a wrong setting is told even if nothing is fetched.
    live = study.live
    unsure = live.model_extra or live.dem not in provider_ids() or any(name.startswith(PREFIX) for name in os.environ)
    if wanted.live or unsure or any(is_source(name) or is_remote(name) for name in named):
        return None
    return FetchedInputs(
        study, Path(wanted.osm) if wanted.osm is not None else None, tuple(map(Path, wanted.dem)), (), ()
    )
