"""Every error that this package raises on purpose.

::

    CorridorError
    ├── StudyError      (ValueError)   a study file is wrong: all faults at once, each with its field
    ├── CatalogueError  (ValueError)   a row of the reference catalogue is wrong
    ├── SourceError     (ValueError)   an input file can't be read as what it claims to be
    │   ├── CoverageError              an input is sound but doesn't cover the ground it is needed for
    │   └── FetchError                 live data can't be fetched, or may not be
    │       ├── MissingError           the server is sound and has nothing of what was asked
    │       └── OfflineError           it isn't in the cache, and the network is forbidden
    ├── NetworkError    (ValueError)   a place, crossing or edge doesn't fit the network
    │   └── NoRouteError (LookupError) there is no way between two places; says why
    ├── AlignmentError  (ValueError)   a new-build search was asked for something impossible
    ├── ScoringError    (ValueError)   weights or criteria that can't rank anything
    ├── RegistryError   (ValueError)   a metric is registered or asked for wrongly
    ├── SweepError      (ValueError)   a sweep's file, folder or cluster can't be used
    ├── OutputError     (OSError)      results can't be written
    └── ExtraError      (ImportError)  a package is missing that an extra of this one installs

The command line turns any of them into one line on stderr and exit code 2.
"""

from __future__ import annotations

import re

_ENDLESS = re.compile(r"\S{401,}")


class CorridorError(Exception):
    """Base of all errors raised on purpose; its text is one line for a person, words of over 400 letters shortened."""

    def __str__(self) -> str:
        return _ENDLESS.sub(lambda word: f"{word.group()[:200]}...", super().__str__())


class StudyError(CorridorError, ValueError):
    """A study file is missing, unreadable or has faults."""


class CatalogueError(CorridorError, ValueError):
    """A row of the reference catalogue is wrong: names the file, the row and the field."""


class SourceError(CorridorError, ValueError):
    """An input file can't be read as what it claims to be."""


class CoverageError(SourceError):
    """An input is sound but doesn't cover the ground it is needed for."""


class FetchError(SourceError):
    """Live data can't be fetched, or may not be: names the address, what it answered and the remedy."""


class MissingError(FetchError):
    """A server that answers as it should has no file at an address, or nothing of a kind."""


class ForbiddenError(FetchError):
    """A server refuses to give what lies at an address, or to say whether anything does."""


class OfflineError(FetchError):
    """Data isn't in the cache, and the network is forbidden; its text says what is missing."""


class NetworkError(CorridorError, ValueError):
    """A place, crossing or edge doesn't fit the network."""


class NoRouteError(NetworkError, LookupError):
    """There is no way between two places on the network that was asked."""


class AlignmentError(CorridorError, ValueError):
    """A new-build search was asked for something impossible."""


class SearchRoomError(AlignmentError):
    """A new-line search had no room to find a line, or to prove that there is none.

    Args:
        message: one line for a person.
        least_musd: what any line costs at least, as far as it came, million USD; None where ground was left out.
    """

    def __init__(self, message: str, least_musd: float | None) -> None:
        super().__init__(message)
        self.least_musd = least_musd


class ScoringError(CorridorError, ValueError):
    """Weights or criteria that can't rank anything."""


class RegistryError(CorridorError, ValueError):
    """A metric is registered or asked for wrongly: names it, its column or its input."""


class SweepError(CorridorError, ValueError):
    """A sweep's file is wrong, its folder holds another sweep, or its cluster doesn't answer."""


class OutputError(CorridorError, OSError):
    """Results can't be written where they were asked for."""


class ExtraError(CorridorError, ImportError):
    """A package is missing that an extra installs (``pip install corridor[charts]``)."""
