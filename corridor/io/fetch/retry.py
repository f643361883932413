"""When to ask a server again: limits, waits and which answers are worth another try."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import TypeVar

from corridor.errors import FetchError
from corridor.schema.live_settings import LiveSettings

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
