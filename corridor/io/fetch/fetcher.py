"""From a request to a whole file in the cache: found there, or fetched, checked and put there; or refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from corridor.errors import FetchError, OfflineError, SourceError
from corridor.io.fetch.cache import Cache, CachedFile, CacheEntry, drop_partial
from corridor.io.fetch.retry import TransientError, keep_trying
from corridor.io.fetch.transfer import Meter, download
from corridor.schema.live_settings import LiveSettings


@dataclass
class Fetcher:
    """What every source of live data works with.

    ``expected`` gives the SHA-256 that a file from an address must have (address and file name -> hash); ``refresh``
    fetches again what is there; ``fetched`` collects the names of the files that came from the network.
    """

    cache: Cache
    settings: LiveSettings
    meter: Meter
    offline: bool = False
    refresh: bool = False
    expected: Mapping[tuple[str, str], str] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)

    def get(self, entry: CacheEntry, bring: Callable[[Path], None], *, keep_partial: bool = False) -> CachedFile:
        """The file of a request: from the cache, else brought by ``bring`` to the path that it is given.

        Another process that brings the same file is waited for. A partial file stays only with ``keep_partial``.

        Args:
            entry: What is asked.
            bring: Writes the file to a path.
            keep_partial: Leave a partial file after a fault, so that the next try goes on from there.

        Raises:
            OfflineError: it isn't there and may not be fetched.
            FetchError: it can't be fetched, or differs from what is expected.
        """
        wanted = self.expected.get((entry.address, entry.file), "")
        # A locked run names exact files, so a refresh changes nothing for those.
        renew = self.refresh and not wanted
        found = None if renew else self.cache.find(entry.key, wanted)
        if found:
            return found
        if self.offline:
            raise OfflineError(entry.title)
        with self.cache.open(entry.key, self.settings.http_total_s, self.meter.say) as part:
            # Asked again under the lock: the process that was waited for may have brought it.
            found = None if renew else self.cache.find(entry.key, wanted)
            if found:
                return found
            self.meter.say(f"fetching {entry.file}")
            cached = self._place(part, entry, bring, keep_partial=keep_partial)
        self.fetched.append(entry.file)
        if wanted and cached.entry.sha256 != wanted:
            raise FetchError(
                f"{entry.file}: {entry.address} gives SHA-256 {cached.entry.sha256}, the manifest names {wanted}; "
                "the data has changed since: run without --locked, or bring the earlier file into the cache"
            )
        return cached

    def find_made(self, entry: CacheEntry) -> CachedFile | None:
        """A file of the cache that was made for a request earlier, if it was made from what is expected now.

        Args:
            entry: What is asked.
        """
        if self.refresh and not self.expected:
            return None
        return self.cache.find(entry.key, fits=self._is_expected)

    def make(self, entry: CacheEntry, compute: Callable[[Path], None]) -> CachedFile:
        """A file computed from others of the cache, or the same found there.

        Args:
            entry: What is asked; ``made_from`` says of which files.
            compute: Writes the file to a path.
        """
        with self.cache.open(entry.key, self.settings.http_total_s, self.meter.say) as part:
            found = self.cache.find(entry.key, fits=lambda cached: cached.made_from == entry.made_from)
            return found or self._place(part, entry, compute)

    def _is_expected(self, entry: CacheEntry) -> bool:
        return not self.expected or all(
            self.expected.get((origin.address, origin.file), origin.sha256) == origin.sha256
            for origin in entry.made_from
        )

    def _place(
        self, part: Path, entry: CacheEntry, write: Callable[[Path], None], *, keep_partial: bool = False
    ) -> CachedFile:
        try:
            write(part)
            cached = self.cache.add(part, entry)
        except BaseException:
            if not keep_partial:
                drop_partial(part)
            raise
        drop_partial(part)
        return cached

    def download(self, entry: CacheEntry, check: Callable[[Path], object], *, keep_partial: bool = False) -> CachedFile:
        """The file at a record's address; one that ``check`` refuses (SourceError) is fetched again, then refused.

        Args:
            entry: What is asked; its address is fetched.
            check: Reads the file, and raises a SourceError if it isn't what it should be.
            keep_partial: As in :meth:`get`.
        """

        def make(part: Path) -> None:
            def once(_: float) -> None:
                download(entry.address, part, self.settings, self.meter)
                try:
                    check(part)
                except FetchError:  # no further try helps
                    drop_partial(part)
                    raise
                except SourceError as fault:
                    drop_partial(part)
                    raise TransientError(str(fault)) from fault

            keep_trying(once, entry.address, self.settings, self.meter.say)

        return self.get(entry, make, keep_partial=keep_partial)
