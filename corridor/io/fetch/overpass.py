"""OpenStreetMap through osmnx, which asks an Overpass server tile by tile; its requests are held within our limits."""

from __future__ import annotations

import io
import json
import shutil
import socket
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from shapely.geometry.base import BaseGeometry

from corridor.errors import FetchError, SourceError
from corridor.io.fetch.osm_pieces import Bounds, OsmPieces, iterate_filters
from corridor.io.fetch.retry import AGENT, MAX_REDIRECTS, TransientError, keep_trying
from corridor.io.fetch.transfer import (
    Meter,
    check_redirect,
    passing_faults,
    proxies_for,
    refuse_status,
    refuse_web_page,
)
from corridor.io.read.osm_tags import PLACE_KINDS
from corridor.schema.live_settings import LiveSettings

_CHUNK = 1 << 16
_KEEP_S = 86_400
PLACES: dict[str, bool | str | list[str]] = {"place": sorted(PLACE_KINDS)}
_CORNER_STEP_DEG = 0.25


def download_ways(area: Bounds, work: Path, settings: LiveSettings, meter: Meter) -> OsmPieces:
    """Roads, railways and places inside ``area``; answers that came are kept in ``work``, so that a new call goes on.

    Args:
        area: west, south, east, north in degrees.
        work: Folder for answers, kept after a fault.
        settings: The server's address and the limits.
        meter: Who hears of progress.

    Raises:
        FetchError: the server can't be used; the message says why.
    """
    import osmnx
    from osmnx._errors import CacheOnlyInterruptError

    address = f"{settings.overpass_url}/interpreter"
    filters = list(iterate_filters())

    def ask(deadline: float) -> None:
        with _osmnx_settings(work, settings, meter, deadline), _reworded():
            # in this mode osmnx keeps the answers and makes nothing of them
            with suppress(CacheOnlyInterruptError):
                osmnx.graph_from_polygon(_outline(area), custom_filter=filters, retain_all=True, simplify=False)
            with suppress(CacheOnlyInterruptError):
                osmnx.features_from_polygon(_outline(area), PLACES)

    with _answers_in(work):
        keep_trying(ask, address, settings, meter.say, lambda: _count(work))
    pieces = OsmPieces()
    for path in sorted(work.glob("*.json")):
        try:
            pieces.add_answer(path)
        except SourceError as fault:
            shutil.rmtree(work)
            raise FetchError(f"{address}: its answer {fault}; is it the right address?") from fault
    return pieces


def download_features(
    area: Bounds,
    tags: dict[str, bool | str | list[str]],
    work: Path,
    settings: LiveSettings,
    meter: Meter,
    *,
    tiled: bool,
) -> Any:
    """Features with any of ``tags`` that touch ``area``, as osmnx builds them (GeoDataFrame, EPSG:4326).

    Args:
        area: west, south, east, north in degrees.
        tags: Keys with the values that are wanted, as osmnx takes them.
        work: Folder for answers, kept after a fault.
        settings: The server's address and the limits.
        meter: Who hears of progress.
        tiled: Whether to ask tile by tile; borders must come in one piece to be closed.

    Raises:
        FetchError: the server can't be used, or has no such feature there.
    """
    import osmnx
    from osmnx._errors import InsufficientResponseError

    address = f"{settings.overpass_url}/interpreter"
    # An area so large that osmnx never cuts it in tiles.
    limits = settings if tiled else settings.model_copy(update={"query_area_km2": 1e9})

    def ask(deadline: float) -> Any:
        with _osmnx_settings(work, limits, meter, deadline, keep_only=False):
            try:
                with _reworded():
                    return osmnx.features_from_polygon(_outline(area), tags)
            except InsufficientResponseError as fault:
                what = ", ".join(tags)
                raise FetchError(f"{address}: knows no feature with {what} in the study's area; name a file") from fault

    with _answers_in(work):
        return keep_trying(ask, address, limits, meter.say, lambda: _count(work))


def _outline(area: Bounds) -> BaseGeometry:
    """The area with corners every quarter degree: osmnx cuts tiles in metres, where long sides are curves."""
    import shapely

    return shapely.segmentize(shapely.box(*area), _CORNER_STEP_DEG)


@contextmanager
def _answers_in(work: Path) -> Iterator[None]:
    """A folder for answers; those that an earlier run was ended in the middle of writing, or of another day, go."""
    work.mkdir(exist_ok=True)
    # An answer that was half written when a run was ended, or is of another day, would be taken for whole and new.
    for path in work.glob("*.json"):
        try:
            json.loads(path.read_bytes())
            if time.time() - path.stat().st_mtime > _KEEP_S:
                path.unlink()
        except (ValueError, RecursionError):
            path.unlink()
    try:
        yield
    finally:
        if not _count(work):
            shutil.rmtree(work, ignore_errors=True)


def _count(work: Path) -> int:
    return sum(1 for _ in work.glob("*.json"))


@contextmanager
def _reworded() -> Iterator[None]:
    """Faults of the connection and of the answer's form, which osmnx passes on, as something to try again."""
    from osmnx._errors import CacheOnlyInterruptError, InsufficientResponseError, ResponseStatusCodeError

    try:
        with passing_faults():
            yield
    except CacheOnlyInterruptError:
        raise
    except (ResponseStatusCodeError, json.JSONDecodeError, RecursionError) as fault:
        raise TransientError("answers with what isn't JSON") from fault
    except InsufficientResponseError as fault:
        if "matching" in str(fault) or "No data elements" in str(fault):
            raise
        raise TransientError("answers with what isn't JSON") from fault


@contextmanager
def _osmnx_settings(
    work: Path, settings: LiveSettings, meter: Meter, deadline: float, *, keep_only: bool = True
) -> Iterator[None]:
    """Settings of osmnx for one fetch, put back afterwards, with the look-up of names that it replaces.

    Its own waiting (55 s after a 429 or 504, without end) never comes about: the guard answers for those first.
    """
    import osmnx

    wanted = {
        "overpass_url": settings.overpass_url,
        "overpass_rate_limit": False,
        "overpass_settings": "[out:json][timeout:{timeout}]{maxsize}",
        "overpass_memory": None,
        "requests_timeout": settings.query_timeout_s,
        "requests_kwargs": {
            "stream": True,
            "hooks": {"response": _guard(settings, meter, deadline)},
            "proxies": proxies_for(settings.overpass_url),
        },
        "max_query_area_size": settings.query_area_km2 * 1e6,
        "use_cache": True,
        "cache_only_mode": keep_only,
        "cache_folder": str(work),
        "http_user_agent": AGENT,
        "http_referer": "corridor",
        "doh_url_template": None,
        "log_file": False,
        "log_console": False,
    }
    before = {name: getattr(osmnx.settings, name) for name in wanted}
    look_up = socket.getaddrinfo
    try:
        for name, value in wanted.items():
            setattr(osmnx.settings, name, value)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"This area is .* times your configured", category=UserWarning)
            yield
    finally:
        socket.getaddrinfo = look_up
        for name, value in before.items():
            setattr(osmnx.settings, name, value)


def _guard(settings: LiveSettings, meter: Meter, deadline: float) -> Callable[..., Any]:
    """A hook of requests that reads each answer within the limits and lets only sound ones through."""
    redirects = answers = 0

    def check(response: Any, *_: Any, **__: Any) -> Any:
        try:
            return take(response)
        except BaseException:
            response.close()
            raise

    def take(response: Any) -> Any:
        nonlocal redirects, answers
        import requests

        address = f"{settings.overpass_url}/interpreter"
        if response.is_redirect:
            redirects += 1
            if redirects > MAX_REDIRECTS:
                raise FetchError(f"{address}: redirects more than {MAX_REDIRECTS} times; set the server's own address")
            check_redirect(response, address, settings)
            return response
        redirects = 0
        refuse_status(response, address)
        # Read here and not by osmnx, which knows no limit of size or time.
        body = _read_body(response, address, settings, meter, deadline)
        refuse_web_page(body[:100], address)
        response.close()
        _refuse_remark(body, address)
        answers += 1
        meter.say(f"OpenStreetMap: answer {answers}, {len(body) / 1e6:.1f} MB")
        time.sleep(settings.query_pause_s)
        # osmnx reads the answer again: it gets one of the same head whose body is in memory.
        whole = requests.Response()
        whole.status_code, whole.url, whole.headers = response.status_code, response.url, response.headers
        whole.request, whole.reason, whole.raw, whole.encoding = (
            response.request,
            response.reason,
            io.BytesIO(body),
            "utf-8",
        )
        return whole

    return check


def _read_body(response: Any, address: str, settings: LiveSettings, meter: Meter, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        body += chunk
        meter.moved("OpenStreetMap", len(body), 0)
        if len(body) > settings.max_bytes:
            raise FetchError(
                f"{address}: answers with more than {settings.http_max_mb:g} MB; ask for smaller tiles "
                "(CORRIDOR_QUERY_AREA_KM2) or raise CORRIDOR_HTTP_MAX_MB"
            )
        if time.monotonic() > deadline:
            raise TransientError("the server takes too long")
    return bytes(body)


def _refuse_remark(body: bytes, address: str) -> None:
    """Overpass says at the end of an answer, whose status is 200, that it isn't the whole."""
    if b'"remark"' not in body[-4000:]:
        return
    try:
        remark = str(json.loads(body).get("remark", ""))
    except (ValueError, AttributeError, RecursionError) as fault:
        raise TransientError("answers with what isn't JSON") from fault
    shown = "".join(c for c in remark if c.isprintable())[:160]
    if "out of memory" in remark or "Query timed out" in remark:
        raise FetchError(f"{address}: {shown}; ask for smaller tiles (CORRIDOR_QUERY_AREA_KM2)")
    if "error" in remark:
        raise TransientError(shown)
