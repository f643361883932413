"""Sources of live elevation: one file and one class each, known by their file's name.

A new source is one new module here that holds a class with what :class:`~corridor.io.fetch.elevation_provider
.ElevationProvider` asks for, under the decorator :func:`~corridor.io.fetch.elevation_provider.register`. Its choice on
the command line, its addresses as settings and variables, the vertical error of a run on it and the tables in the
documentation follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from corridor.errors import FetchError
from corridor.plugins import Registry

if TYPE_CHECKING:
    from corridor.io.fetch.elevation_provider import ElevationProvider

# Kept light: the command line asks for the ids before it knows whether anything will be fetched.
REGISTRY: Registry[ElevationProvider] = Registry(
    __name__,
    "source of elevation",
    {
        "id": str,
        "summary": str,
        "title": str,
        "publisher": str,
        "licence": str,
        "date": str,
        "vertical_error_m": float,
        "settings": dict,
    },
    FetchError,
    first="srtm",
)


def provider_ids() -> tuple[str, ...]:
    """Ids of all sources of live elevation, SRTM first."""
    return REGISTRY.ids()


def get_provider(provider_id: str) -> ElevationProvider:
    """The source of live elevation with an id.

    Args:
        provider_id: Such as ``srtm``; :func:`provider_ids` lists them.

    Raises:
        FetchError: nobody has that id (gives the nearest), or the source is only half written.
    """
    return REGISTRY.get(provider_id)


def all_providers() -> tuple[ElevationProvider, ...]:
    """Every source of live elevation, in the order of :func:`provider_ids`."""
    return REGISTRY.all()
