"""From a request to a whole file in the cache: by which settings, when a server is asked again, what is refused."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import ValidationError, create_model, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from corridor.errors import FetchError, OfflineError, SourceError, StudyError
from corridor.io.fetch.cache import Cache, CachedFile, CacheEntry, drop_partial
from corridor.io.fetch.elevation import all_providers, provider_ids
from corridor.io.fetch.transfer import Meter, download
from corridor.plugins import nearest_name
from corridor.schema.live_settings import PREFIX, BaseAddress, ExtractName, LiveSettings


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
        with self.cache.open(entry.key, self.settings.http_total_s) as part:
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
        with self.cache.open(entry.key, self.settings.http_total_s) as part:
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
                except SourceError as fault:
                    drop_partial(part)
                    raise TransientError(str(fault)) from fault

            keep_trying(once, entry.address, self.settings, self.meter.say)

        return self.get(entry, make, keep_partial=keep_partial)


AGENT = f"corridor/{version('corridor')} (comparison of land routes; python-requests)"
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
MAX_REDIRECTS = 4
_LONGEST_PAUSE_S = 120.0
Result = TypeVar("Result")


class TransientError(Exception):
    """A fault that may pass: why, and how many seconds the server asked to wait (0 if it didn't say)."""

    def __init__(self, why: str, wait_s: float = 0.0) -> None:
        super().__init__(why)
        self.wait_s = wait_s


def retry_after_s(value: str | None) -> float:
    """Seconds that a ``Retry-After`` header asks for, given as a number or a date; 0 if it says nothing sensible.

    Args:
        value: The header, if there is one.
    """
    if not value:
        return 0.0
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return 0.0
        seconds = (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return max(seconds, 0.0) if math.isfinite(seconds) else 0.0


def keep_trying(
    once: Callable[[float], Result],
    address: str,
    settings: LiveSettings,
    say: Callable[[str], None],
    gained: Callable[[], int] = lambda: 0,
) -> Result:
    """Call ``once`` (with the time by which it must end) until it succeeds, with growing pauses.

    ``gained`` counts what is complete so far; where it grew, the tries begin anew.

    Args:
        once: One try; raises a TransientError for what may pass.
        address: For an error's words.
        settings: Tries, pauses and the time allowed.
        say: Hears of each pause.
        gained: How much is complete so far.

    Returns:
        What ``once`` gives.

    Raises:
        FetchError: the tries or the time are used up, or the server asks for a longer wait than is left.
    """
    deadline = time.monotonic() + settings.http_total_s
    attempt, had = 0, gained()
    while True:
        try:
            return once(deadline)
        except TransientError as fault:
            # A long fetch in many answers isn't given up while it gets on: tries count from the last that gained
            # something.
            attempt, had = (1 if gained() > had else attempt + 1), gained()
            if attempt >= settings.http_tries:
                tries = "once" if attempt == 1 else f"{attempt} times"
                raise FetchError(
                    f"{address}: {fault} (tried {tries}); try again later or set another address"
                ) from fault
            # Exponential backoff, never shorter than what the server asks for.
            pause = max(fault.wait_s, min(settings.http_pause_s * 2 ** (attempt - 1), _LONGEST_PAUSE_S))
            if time.monotonic() + pause >= deadline:
                raise FetchError(
                    f"{address}: {fault}, and the next try in {pause:.0f} s would come after the time allowed "
                    f"({settings.http_total_s:g} s); try again later or raise CORRIDOR_HTTP_TOTAL_S"
                ) from fault
            say(f"{address}: {fault}; again in {pause:.0f} s")
            time.sleep(pause)


class _FromEnvironment(LiveSettings, BaseSettings):
    """A study's settings, over each of which ``CORRIDOR_`` and its name in capitals wins."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid", frozen=True)

    geofabrik_extracts: Annotated[tuple[ExtractName, ...], NoDecode] = ()

    @field_validator("geofabrik_extracts", mode="before")
    @classmethod
    def _split(cls, given: Any) -> Any:
        """A variable holds names between commas; JSON, which is the usual form of lists there, is no way to type."""
        return [part.strip() for part in given.split(",")] if isinstance(given, str) else given

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """The environment first, then the study; no file of variables is read."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def settings_model() -> type[LiveSettings]:
    """The model of all settings that there are: the general ones, and the addresses that sources of elevation add."""
    addresses: dict[str, Any] = {
        key: (BaseAddress, setting.default)
        for provider in all_providers()
        for key, setting in provider.settings.items()
    }
    # Fields that only the registry knows are made at run time; their types are as strict as if they were written.
    dem: Any = (Literal[provider_ids()], LiveSettings.model_fields["dem"].default)
    return create_model("LiveSettingsNow", __base__=_FromEnvironment, dem=dem, **addresses)


def resolve_live(table: LiveSettings) -> LiveSettings:
    """A study's settings with what the environment says instead.

    Args:
        table: The study's ``[live]`` table.

    Returns:
        Settings with a value for every address of every source.

    Raises:
        StudyError: a variable holds what its key can't, or the table has a key that no source knows; all faults at
            once.
    """
    model = settings_model()
    try:
        return model(**{key: getattr(table, key) for key in table.model_fields_set})
    except ValidationError as faults:
        said = []
        for fault in faults.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            # Whoever set it must be named: the variable wins over the table, so a set variable is the culprit.
            variable = PREFIX + key.upper()
            where = variable if os.environ.get(variable) else f"live.{key}".rstrip(".")
            words = fault["msg"].removeprefix("Value error, ")
            if fault["type"] == "extra_forbidden":
                words = f"no source has such a server{nearest_name(key, model.model_fields)}; correct or remove it"
            said.append(f"{where}: {words}")
        raise StudyError("; ".join(said)) from faults
