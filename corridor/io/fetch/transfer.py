"""One file from one address into one local file: resumed after a drop, bounded in size and time, never followed far."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from corridor.errors import FetchError, ForbiddenError, MissingError
from corridor.io.fetch.retry import MAX_REDIRECTS, PASSING, TransientError, keep_trying, retry_after_s, user_agent
from corridor.schema.live_settings import LOOPBACK, LiveSettings, fault_of_address

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
            for done, chunk in _chunks(response, start, settings, deadline):
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


def _chunks(response: Any, start: int, settings: LiveSettings, deadline: float) -> Iterator[tuple[int, bytes]]:
    """Bytes so far and each chunk; ends a transfer that crawls or takes too long in all."""
    done, mark, mark_at = start, start, time.monotonic()
    with passing_faults():
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            done += len(chunk)
            yield done, chunk
            now = time.monotonic()
            if now > deadline:
                raise TransientError("the server takes too long")
            # A timeout of the socket starts anew with every byte; this one looks at the rate over the whole span.
            if now - mark_at > settings.http_timeout_s:
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
