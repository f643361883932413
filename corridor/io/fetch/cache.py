"""Fetched data on this machine: files under their SHA-256, each with a record of where and when it came from.

::

    CACHEDIR.TAG                       this folder is ours
    files/<sha256>/<name>              the data, whole
    files/<sha256>/provenance.json     a record for each request that gave it
    partial/                           what is being fetched
    locks/                             who is fetching

A file is written beside, checked, and moved into place with its record in one step; what is listed is whole.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from filelock import FileLock, Timeout

from corridor.errors import FetchError, OutputError
from corridor.files import unwritable
from corridor.io.read.data_files import LISTING
from corridor.schema.fields import Fetched, file_sha256

VARIABLE = "CORRIDOR_CACHE"
_TAG = "CACHEDIR.TAG"
_TAG_TEXT = (
    "Signature: 8a477f597d28d172789f06886806bc55\n# Data fetched by corridor; `corridor cache clear` empties it.\n"
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FOLDERS = ("files", "partial", "locks")


@dataclass(frozen=True)
class CacheEntry:
    """One file of the cache: what it is, and where and when it came from.

    ``key`` identifies what was asked; ``date`` is the date of the data, ``fetched`` the time (UTC) that it came;
    ``made_from`` names the fetched files that a computed one was made from.
    """

    key: str
    file: str
    title: str
    publisher: str
    licence: str
    address: str
    date: str = ""
    note: str = ""
    fetched: str = ""
    sha256: str = ""
    bytes: int = 0
    made_from: tuple[Fetched, ...] = ()

    @property
    def origins(self) -> tuple[Fetched, ...]:
        """The files as they came from the network."""
        return self.made_from or (Fetched(self.address, self.file, self.sha256, self.bytes, self.fetched),)


class CachedFile(NamedTuple):
    """A file of the cache, whole, with the record of it."""

    path: Path
    entry: CacheEntry


def key_of(*asked: str) -> str:
    """The key of a request: the same words give the same key."""
    return sha256("\n".join(asked).encode()).hexdigest()


def default_folder() -> Path:
    """The folder of the cache: ``CORRIDOR_CACHE``, or the system's place for such."""
    import platformdirs

    given = os.environ.get(VARIABLE, "")
    return Path(given) if given else Path(platformdirs.user_cache_dir("corridor", appauthor=False))


class Cache:
    """The cache in one folder; safe to use from several processes at once."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = (folder or default_folder()).expanduser().absolute()

    def find(
        self, key: str, wanted: str = "", fits: Callable[[CacheEntry], bool] = lambda entry: True
    ) -> CachedFile | None:
        """The newest sound file for a key (whose SHA-256 is ``wanted``, whose record ``fits``), or None.

        Args:
            key: Of the request; see :func:`key_of`.
            wanted: SHA-256 that it must have; any if left out.
            fits: Further test of a record.
        """
        # Records are small and few: all listings are read, and the newest whose file is still what it says wins.
        known = [entry for entry in self.entries() if entry.key == key and wanted in {"", entry.sha256}]
        for entry in sorted(known, key=lambda entry: entry.fetched, reverse=True):
            if fits(entry) and fault_of_file(self.path(entry), entry) == "":
                return CachedFile(self.path(entry), entry)
        return None

    def path(self, entry: CacheEntry) -> Path:
        """Where the file of a record lies.

        Args:
            entry: Record of a file that is in the cache.
        """
        return self.folder / "files" / entry.sha256 / entry.file

    def entries(self) -> list[CacheEntry]:
        """Every record that can be read, ordered by file name and time; what can't is for :meth:`verify`."""
        found = [entry for listing in self._listings() for entry in _read_listing(listing)]
        return sorted(found, key=lambda entry: (entry.file, entry.fetched, entry.key))

    @contextmanager
    def open(self, key: str, wait_s: float, say: Callable[[str], None] = lambda _: None) -> Iterator[Path]:
        """Hold the lock of a key and give a path for its partial file.

        Args:
            key: Of the request; see :func:`key_of`.
            wait_s: How long to wait for another process that works on the same request.
            say: Hears that there is one.

        Raises:
            OutputError: the folder can't be written.
            FetchError: another process holds the lock for longer than ``wait_s``.
        """
        self._set_up()
        with _hold_lock(self.folder / "locks" / f"{key}.lock", wait_s, say):
            yield self.folder / "partial" / key

    def add(self, part: Path, entry: CacheEntry) -> CachedFile:
        """Move a complete partial file into the cache, with its record.

        Args:
            part: The partial file, complete now.
            entry: What was asked; time, SHA-256 and size are filled in here.

        Raises:
            OutputError: the folder can't be written; nothing half-written stays.
        """
        if not _NAME.fullmatch(entry.file):
            raise FetchError(f"{entry.address}: its name {entry.file[:60]!r} can't be a file's name here")
        # Everything is put together beside its place, file and record, so that one rename makes it visible or doesn't.
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        whole = replace(entry, fetched=now, sha256=file_sha256(part), bytes=part.stat().st_size)
        path = self.path(whole)
        staged = part.with_name(part.name + ".whole")
        with self._writing(), _hold_lock(self.folder / "locks" / "files.lock", 60):
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir()
            part.replace(staged / path.name)
            # The same bytes may have come for several requests: one folder by content, one record for each request.
            others = [r for r in _read_listing(path.parent / LISTING) if (r.key, r.file) != (whole.key, whole.file)]
            listing = json.dumps([asdict(r) for r in (whole, *others)], ensure_ascii=False, indent=1)
            (staged / LISTING).write_text(listing, encoding="utf-8")
            if path.parent.is_dir():  # the same content came for another request
                for name in (path.name, LISTING):
                    (staged / name).replace(path.parent / name)
                staged.rmdir()
            else:
                staged.replace(path.parent)
        return CachedFile(path, whole)

    def verify(self) -> list[str]:
        """What is wrong in the folder, a line each: damaged files, files without a record, records without a file."""
        faults = []
        for listing in self._listings():
            entries = _read_listing(listing)
            if not entries:
                faults.append(f"{listing.parent}: has no readable {LISTING}")
            faults += [f"{self.path(r)}: {fault}" for r in entries if (fault := fault_of_file(self.path(r), r))]
            known = {LISTING, *(r.file for r in entries)}
            faults += [f"{path}: has no record" for path in sorted(listing.parent.iterdir()) if path.name not in known]
        return faults

    def clear(self) -> tuple[int, int]:
        """Remove everything that was fetched; gives the number of files and their bytes.

        Raises:
            OutputError: the folder isn't a cache of this tool, or can't be written.
        """
        if not self.folder.exists():
            return 0, 0
        if not (self.folder / _TAG).is_file():
            raise OutputError(f"{self.folder}: is no cache of this tool (it has no {_TAG}); nothing was removed")
        # By path, since several records may share a file.
        sizes = {self.path(entry): entry.bytes for entry in self.entries()}
        with self._writing():
            for name in _FOLDERS:
                folder = self.folder / name
                if folder.is_symlink():
                    folder.unlink()
                elif folder.is_dir():
                    shutil.rmtree(folder)
        return len(sizes), sum(sizes.values())

    def _listings(self) -> list[Path]:
        files = self.folder / "files"
        if files.is_symlink() or not files.is_dir():
            return []
        return [
            folder / LISTING
            for folder in sorted(files.iterdir())
            if _DIGEST.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink()
        ]

    def _set_up(self) -> None:
        with self._writing():
            # Only a folder with our tag is ours to fill, and to empty later.
            if self.folder.is_dir() and any(self.folder.iterdir()) and not (self.folder / _TAG).is_file():
                raise FetchError(f"{self.folder}: holds other files and is no cache of this tool; name another --cache")
            for name in _FOLDERS:
                folder = self.folder / name
                folder.mkdir(parents=True, exist_ok=True)
                if folder.is_symlink():
                    raise FetchError(f"{folder}: is a link; a cache keeps its files in its own folder")
            tag = self.folder / _TAG
            if not tag.is_file():
                tag.write_text(_TAG_TEXT, encoding="utf-8")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OutputError:
            raise
        except OSError as fault:
            raise unwritable(self.folder, fault, "choose another folder with --cache") from fault


@contextmanager
def _hold_lock(path: Path, wait_s: float, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """Hold a lock file that processes share, waiting for another that has it; the lock ends with its process.

    Raises:
        FetchError: another process held it for all of ``wait_s``.
    """
    lock = FileLock(path, timeout=wait_s)
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"another run fetches the same; waiting up to {wait_s:g} s for it")
            lock.acquire()
    except Timeout as fault:
        raise FetchError(f"{path}: another run has held this lock for {wait_s:g} s; wait for it or end it") from fault
    try:
        yield
    finally:
        lock.release()


def fault_of_file(path: Path, entry: CacheEntry) -> str:
    """What is wrong with a file of the cache, in words; empty if it is what its record says.

    Args:
        path: A file of the cache.
        entry: Its record.
    """
    # A link could point anywhere, and would be taken for the file.
    if path.is_symlink():
        return "is a link out of the cache"
    try:
        # The size first: it costs nothing and finds what was cut short.
        if path.stat().st_size != entry.bytes:
            return f"has {path.stat().st_size} bytes instead of {entry.bytes}"
        return "" if file_sha256(path) == entry.sha256 else "its content doesn't fit its SHA-256"
    except OSError as fault:
        return f"can't be read ({fault.strerror})"


def drop_partial(part: Path) -> None:
    """Remove a partial file or folder with what is noted beside it.

    Args:
        part: As :meth:`Cache.open` gave it.
    """
    if part.is_dir() and not part.is_symlink():
        shutil.rmtree(part)
    else:
        part.unlink(missing_ok=True)
    part.with_name(part.name + ".etag").unlink(missing_ok=True)


def _read_listing(path: Path) -> list[CacheEntry]:
    """The records of a listing that are sound; none if it isn't there or isn't a listing."""
    if path.is_symlink():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return []
    found = [_entry(row) for row in rows] if isinstance(rows, list) else []
    return [entry for entry in found if entry is not None and entry.sha256 == path.parent.name]


def _entry(row: Any) -> CacheEntry | None:
    # A listing is data from disk: whatever isn't exactly a record is none, and is shown by verify.
    if not isinstance(row, dict) or set(row) != {field.name for field in fields(CacheEntry)}:
        return None
    texts = [value for name, value in row.items() if name not in {"bytes", "made_from"}]
    if not all(isinstance(text, str) for text in texts) or not _NAME.fullmatch(row["file"]):
        return None
    try:
        made_from = tuple(Fetched(**part) for part in row["made_from"])
        return CacheEntry(**{**row, "bytes": int(row["bytes"]), "made_from": made_from})
    except (TypeError, ValueError):
        return None
