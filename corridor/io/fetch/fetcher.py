"""From a request to a whole file in the cache: found, or fetched within limits and checked; or refused."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from corridor.errors import FetchError, ForbiddenError, MissingError, OfflineError, SourceError
from corridor.io.fetch.cache import Cache, CachedFile, CacheEntry, drop_partial
from corridor.schema.settings import LOOPBACK, LiveSettings, fault_of_address

# --- When to ask a server again: limits, waits and which answers are worth another try ---

PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
MAX_REDIRECTS = 4
_LONGEST_PAUSE_S = 120.0
Result = TypeVar("Result")


def user_agent(settings: LiveSettings) -> str:
    """Who asks: public servers want to know whom to write to before they shut somebody out.

    Args:
        settings: ``contact`` names who runs this, if they say.
    """
    contact = f"; {settings.contact}" if settings.contact else ""
    return f"corridor/{version('corridor')} (comparison of land routes{contact})"


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

    ``gained`` counts what is complete so far; where it grew, the tries begin anew, but the pauses go on growing: a
    server that was busy a moment ago is no less so for one answer.

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
    attempt, faults, had = 0, 0, gained()
    while True:
        try:
            return once(deadline)
        except TransientError as fault:
            # A long fetch in many answers isn't given up while it gets on: tries count from the last that gained
            # something.
            attempt, faults, had = (1 if gained() > had else attempt + 1), faults + 1, gained()
            if attempt >= settings.http_tries:
                tries = "once" if attempt == 1 else f"{attempt} times"
                raise FetchError(
                    f"{address}: {fault} (tried {tries}); try again later or set another address"
                ) from fault
            # Exponential backoff, never shorter than what the server asks for.
            pause = max(fault.wait_s, min(settings.http_pause_s * 2.0 ** min(faults - 1, 20), _LONGEST_PAUSE_S))
            if time.monotonic() + pause >= deadline:
                raise FetchError(
                    f"{address}: {fault}, and the next try in {pause:.0f} s would come after the time allowed "
                    f"({settings.http_total_s:g} s); try again later or raise CORRIDOR_HTTP_TOTAL_S"
                ) from fault
            say(f"{address}: {fault}; again in {pause:.0f} s")
            time.sleep(pause)


# --- One file from one address into one local file: resumed after a drop, bounded in size and time, never followed
#     far ---

_CHUNK = 1 << 18
_MIN_BYTES_PER_S = 200
_NO_PROXY: dict[str, Any] = {"http": None, "https": None}


@dataclass(frozen=True)
class Meter:
    """Who hears of a transfer: ``say`` of steps and retries; ``moved`` of name, bytes so far, bytes in all (or 0)."""

    say: Callable[[str], None]
    moved: Callable[[str, int, int], None] = lambda name, done, total: None


def download(address: str, part: Path, settings: LiveSettings, meter: Meter) -> None:
    """Fetch ``address`` into ``part``, going on where an earlier try stopped if the server can and nothing changed.

    Args:
        address: What to fetch.
        part: Where to; what lies there is gone on with.
        settings: Limits of size and time, tries and pauses.
        meter: Who hears of progress.

    Raises:
        MissingError: the server has no such file.
        ForbiddenError: it doesn't give it, or doesn't say whether it has it.
        FetchError: it can't be had within the limits, is too large, or isn't a file; the message names the address.
    """
    keep_trying(lambda deadline: _try_once(address, part, settings, meter, deadline), address, settings, meter.say)


def proxies_for(address: str) -> dict[str, Any]:
    """The ``proxies`` of requests: none for this machine itself, else what the environment says.

    Args:
        address: What is to be asked.
    """
    return _NO_PROXY if urlsplit(address).hostname in LOOPBACK else {}


@contextmanager
def passing_faults() -> Iterator[None]:
    """Turn the faults of a connection into :class:`TransientError`."""
    import requests
    import urllib3

    try:
        yield
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as fault:
        raise FetchError(f"{fault}; correct the address") from fault
    except requests.exceptions.SSLError as fault:
        raise TransientError("the secure connection can't be made") from fault
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as fault:
        raise TransientError("the server takes too long") from fault
    except (requests.exceptions.ChunkedEncodingError, urllib3.exceptions.ProtocolError) as fault:
        raise TransientError("the connection broke before the end") from fault
    except (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError) as fault:
        raise TransientError("the answer can't be unpacked") from fault
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError) as fault:
        raise TransientError("can't be reached") from fault


def refuse_status(response: Any, address: str) -> None:
    """Nothing for 200 and 206; else the error that fits the status.

    Args:
        response: An answer of requests, or one like it.
        address: For an error's words.
    """
    status = int(response.status_code)
    if status in {200, 206}:
        return
    if status in {404, 410}:
        raise MissingError(f"{address}: there is no such file (status {status}); correct the address")
    if status == 403:
        raise ForbiddenError(
            f"{address}: the server refuses (status 403): it has shut this machine or network out, or wants a key; "
            "wait a day, or set another address"
        )
    if status == 406:
        raise FetchError(
            f"{address}: the server doesn't take requests from programs that it can't tell (status 406); "
            "set CORRIDOR_CONTACT to your address, or set another server"
        )
    # Too many requests, gateway faults and the like: another try may help.
    if status in PASSING:
        raise TransientError(f"answers with status {status}", retry_after_s(response.headers.get("Retry-After")))
    raise FetchError(f"{address}: answers with status {status}; is it the right address?")


def refuse_web_page(beginning: bytes, address: str) -> None:
    """An error if an answer is a page for people; servers' own words on what they send are often wrong.

    Args:
        beginning: First bytes of an answer.
        address: For an error's words.
    """
    if beginning.lstrip()[:1] == b"<":
        raise FetchError(f"{address}: answers with a web page instead of data; is it the right address?")


def check_redirect(response: Any, address: str, settings: LiveSettings) -> str:
    """The address that a redirect leads to, if it may be followed.

    Args:
        response: An answer that sends elsewhere.
        address: What was asked first.
        settings: Whether plain http is allowed.

    Raises:
        FetchError: it leads nowhere or to where may not be asked.
    """
    target = urljoin(str(response.url or address), str(response.headers.get("Location", "")))
    fault = fault_of_address(target, settings.allow_http)
    here, there = urlsplit(response.url or address).hostname, urlsplit(target).hostname
    # A server elsewhere could otherwise make this machine ask itself.
    if there in LOOPBACK and here not in LOOPBACK:
        fault = "is this machine itself"
    if fault:
        raise FetchError(f"{address}: redirects to an address that {fault}; set the address of a server that serves it")
    return target


def settled(address: str, settings: LiveSettings) -> str:
    """Where an address leads in the end, for readers that would follow a redirect to anywhere.

    Args:
        address: What is to be read.
        settings: How long a server may say nothing, and whether plain http is allowed.

    Returns:
        The address without redirects, which has something.

    Raises:
        MissingError: the server has no such file.
        ForbiddenError: it doesn't give it.
        FetchError: it gives a page for people, or leads to where may not be asked.
        TransientError: it can't be reached, or is busy.
    """
    headers = {"User-Agent": user_agent(settings), "Accept-Encoding": "identity", "Range": "bytes=0-99"}
    with passing_faults(), _get(address, headers, settings) as response:
        refuse_status(response, address)
        refuse_web_page(response.raw.read(100), address)
        return str(response.url)


def _try_once(address: str, part: Path, settings: LiveSettings, meter: Meter, deadline: float) -> None:
    note = part.with_name(part.name + ".etag")
    have = part.stat().st_size if part.is_file() else 0
    etag = _read_etag(note, address)
    headers = {"User-Agent": user_agent(settings), "Accept-Encoding": "identity"}
    # Going on is safe only if the server's file is still the one that the part is of: a strong ETag says so.
    if have and etag:
        headers |= {"Range": f"bytes={have}-", "If-Range": etag}
    with passing_faults():
        response = _get(address, headers, settings)
    try:
        if response.status_code == 416:
            part.unlink(missing_ok=True)
            raise TransientError("can't go on where it stopped")
        refuse_status(response, address)
        # Packed answers would be counted, resumed and hashed as other bytes than the file's.
        packed = response.headers.get("Content-Encoding", "identity")
        if packed != "identity" and not address.endswith(".gz"):
            raise FetchError(f"{address}: is sent packed ({packed[:20]}) though not asked; use another server")
        start, total = _frame(response, have if "Range" in headers else 0)
        if total > settings.max_bytes:
            raise FetchError(_too_large(address, settings))
        fresh = response.headers.get("ETag", "")
        if fresh and not fresh.startswith("W/"):
            note.write_text(json.dumps({"address": address, "etag": fresh}), encoding="utf-8")
        else:
            note.unlink(missing_ok=True)
        with part.open("ab" if start else "wb") as stream:
            for done, chunk in chunks_of(response, deadline, settings.http_timeout_s, start):
                # The first chunk tells a web page; a file that was gone on with was told at its first.
                if done == len(chunk):
                    refuse_web_page(chunk, address)
                if done > settings.max_bytes:
                    raise FetchError(_too_large(address, settings))
                stream.write(chunk)
                meter.moved(address.rsplit("/", 1)[-1], done, total)
        # A connection that ends early is no error to requests when the body is read raw.
        if total and part.stat().st_size != total:
            raise TransientError("the connection broke before the end")
    except FetchError:
        for path in (part, note):
            path.unlink(missing_ok=True)
        raise
    finally:
        response.close()


def _get(address: str, headers: dict[str, str], settings: LiveSettings) -> Any:
    """Answer of the last address of a short chain of redirects, its body not yet read."""
    import requests

    target = address
    for _ in range(MAX_REDIRECTS + 1):
        response = requests.get(
            target, headers=headers, stream=True, allow_redirects=False, timeout=settings.http_timeout_s,
            proxies=proxies_for(target),
        )  # fmt: skip
        if not response.is_redirect:
            return response
        target = check_redirect(response, address, settings)
        response.close()
    raise FetchError(f"{address}: redirects more than {MAX_REDIRECTS} times; set the address where the data really is")


def _frame(response: Any, have: int) -> tuple[int, int]:
    """Where the answer begins in the file, and how long the file is in all (0 if not said)."""
    length = response.headers.get("Content-Length", "")
    size = int(length) if re.fullmatch(r"\d{1,15}", length) else 0
    if response.status_code != 206:
        return 0, size
    found = re.fullmatch(r"bytes (\d{1,15})-(\d{1,15})/(\d{1,15}|\*)", response.headers.get("Content-Range", ""))
    if not found or int(found[1]) != have:
        raise TransientError("answers with another part than the one asked for")
    return have, int(found[3]) if found[3] != "*" else have + size


def chunks_of(
    response: Any, deadline: float, patience_s: float, start: int = 0, *, unpack: bool = False
) -> Iterator[tuple[int, bytes]]:
    """Bytes so far and each chunk of an answer, as they come; a transfer that crawls or takes too long is ended.

    Args:
        response: An answer of requests whose body isn't read yet.
        deadline: When all must be there, as :func:`time.monotonic` counts.
        patience_s: How long next to nothing may come.
        start: How many bytes were there before.
        unpack: Give what is packed, not its packing.

    Raises:
        TransientError: it crawls, takes too long, or breaks off.
    """
    done, mark, mark_at = start, start, time.monotonic()
    with passing_faults():
        while chunk := response.raw.read1(_CHUNK, decode_content=unpack):
            done += len(chunk)
            yield done, chunk
            now = time.monotonic()
            if now > deadline:
                raise TransientError("the server takes too long")
            # A timeout of the socket starts anew with every byte; this one looks at the rate over the whole span.
            if now - mark_at > patience_s:
                if done - mark < _MIN_BYTES_PER_S * (now - mark_at):
                    raise TransientError("the server sends next to nothing")
                mark, mark_at = done, now


def _read_etag(note: Path, address: str) -> str:
    """The version that a partial file belongs to; empty if it isn't known to be of this address."""
    try:
        told = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(told["etag"]) if isinstance(told, dict) and told.get("address") == address and "etag" in told else ""


def _too_large(address: str, settings: LiveSettings) -> str:
    return f"{address}: is larger than {settings.http_max_mb:g} MB; raise CORRIDOR_HTTP_MAX_MB if that is right"


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
