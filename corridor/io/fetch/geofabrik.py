"""OpenStreetMap extracts of whole countries, as Geofabrik serves them: large, resumed after a drop, checked by MD5."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from corridor.errors import FetchError, MissingError, SourceError, StudyError
from corridor.io.fetch.cache import CachedFile, CacheEntry, drop_partial, key_of
from corridor.io.fetch.fetcher import Fetcher
from corridor.io.fetch.transfer import download
from corridor.schema.live_settings import LiveSettings

_SUFFIX = "-latest.osm.pbf"
_HEADER = b"\n\tOSMHeader"
EXTRACT_PUBLISHER = "OpenStreetMap contributors, extract by Geofabrik GmbH"
LICENCE = "ODbL 1.0"


def extract_entries(study_id: str, settings: LiveSettings) -> list[CacheEntry]:
    """What to ask for the study's extracts.

    Args:
        study_id: For an error's words.
        settings: Name the server and the extracts.

    Raises:
        StudyError: the study names none.
    """
    if not settings.geofabrik_extracts:
        raise StudyError(
            f"{study_id}: live.geofabrik_extracts: name the extracts that cover the area, for instance "
            'geofabrik_extracts = ["europe/malta"], or take --osm overpass'
        )
    found = []
    for name in settings.geofabrik_extracts:
        address = f"{settings.geofabrik_url}/{name}{_SUFFIX}"
        file = name.replace("/", "-") + _SUFFIX
        found.append(
            CacheEntry(
                key_of("extract", name), file, f"OpenStreetMap extract {name}", EXTRACT_PUBLISHER, LICENCE, address
            )
        )
    return found


def fetch_extract(fetcher: Fetcher, entry: CacheEntry) -> CachedFile:
    """One extract, held against the MD5 that the server states beside it, if it does.

    Args:
        fetcher: Cache, settings, limits and who hears of progress.
        entry: One of :func:`extract_entries`.

    Raises:
        FetchError: it can't be had, or isn't whole.
    """
    wrong: set[str] = set()

    def check(part: Path) -> None:
        with part.open("rb") as stream:
            # The first block of a PBF says so after four bytes of length; a web page or a cut-off file doesn't.
            if stream.read(15)[4:] != _HEADER:
                raise SourceError("is no OpenStreetMap PBF")
        stated = _stated_md5(fetcher, entry, part)
        if not stated:
            return
        with part.open("rb") as stream:
            found = hashlib.file_digest(stream, "md5").hexdigest()
        # Extracts are renewed daily, file and MD5 one after the other: the MD5 is asked for once more, and the file is
        # fetched once more at most, since it may be hundreds of megabytes.
        if found == stated or found == (stated := _stated_md5(fetcher, entry, part)):
            return
        words = f"has MD5 {found}, the server states {stated}"
        if wrong:
            raise FetchError(f"{entry.address}: {words} (fetched twice); try again later or set another address")
        wrong.add(found)
        raise SourceError(words)

    return fetcher.download(entry, check, keep_partial=True)


def _stated_md5(fetcher: Fetcher, entry: CacheEntry, part: Path) -> str:
    """The MD5 in the file beside an extract, or nothing where there is none."""
    beside = part.with_name(part.name + ".md5")
    try:
        download(f"{entry.address}.md5", beside, fetcher.settings, fetcher.meter)
        found = re.match(rb"([0-9a-f]{32})\b", beside.read_bytes()[:200])
    except MissingError:
        return ""
    finally:
        drop_partial(beside)
    if not found:
        raise FetchError(f"{entry.address}.md5: holds no MD5; is it the right address?")
    return found[1].decode()
