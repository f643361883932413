"""Where live data comes from and how patiently: the ``[live]`` table of a study, each key also a variable."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from corridor.errors import StudyError

PREFIX = "CORRIDOR_"
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
ADDRESS = r"^https?://[^\s\x00-\x1f\\]+$"
EXTRACT = r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){0,3}$"
Address = Annotated[str, Field(min_length=8, max_length=500, pattern=ADDRESS)]
ExtractName = Annotated[str, Field(pattern=EXTRACT, max_length=100)]


class LiveSettings(BaseModel):
    """Base addresses of the sources of live data, and the limits that every request keeps.

    Each key may be set in the study's ``[live]`` table or as a variable of the environment, which wins:
    ``overpass_url`` is ``CORRIDOR_OVERPASS_URL``, and so on. Plain ``http`` is for this machine alone, unless
    ``allow_http`` is set. Times are seconds; ``http_timeout_s`` is how long a server may say nothing or next to
    nothing, ``http_total_s`` how long one file may take with all its tries.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    osm: Literal["overpass", "geofabrik"] = "overpass"
    dem: Literal["srtm", "copernicus"] = "srtm"
    overpass_url: Address = "https://overpass-api.de/api"
    geofabrik_url: Address = "https://download.geofabrik.de"
    geofabrik_extracts: tuple[ExtractName, ...] = ()
    skadi_url: Address = "https://elevation-tiles-prod.s3.amazonaws.com/skadi"
    copernicus_url: Address = "https://copernicus-dem-30m.s3.amazonaws.com"
    copernicus_90_url: Address = "https://copernicus-dem-90m.s3.amazonaws.com"
    allow_http: bool = False
    query_area_km2: Annotated[float, Field(ge=1, le=1e6)] = 10_000
    query_pause_s: Annotated[float, Field(ge=0, le=600)] = 1.0
    query_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 180
    dem_megapixels: Annotated[float, Field(gt=0, le=400)] = 32
    http_tries: Annotated[int, Field(ge=1, le=20)] = 5
    http_pause_s: Annotated[float, Field(ge=0, le=600)] = 2.0
    http_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    http_total_s: Annotated[float, Field(gt=0, le=86_400)] = 3600
    http_max_mb: Annotated[float, Field(gt=0, le=100_000)] = 4000

    @field_validator("overpass_url", "geofabrik_url", "skadi_url", "copernicus_url", "copernicus_90_url")
    @classmethod
    def _base(cls, address: str) -> str:
        return address.rstrip("/").removesuffix("/interpreter")

    @model_validator(mode="after")
    def _safe(self) -> LiveSettings:
        for name in ("overpass_url", "geofabrik_url", "skadi_url", "copernicus_url", "copernicus_90_url"):
            fault = fault_of_address(getattr(self, name), self.allow_http)
            if fault:
                raise ValueError(f"{name}: {fault}")
        return self

    @property
    def max_bytes(self) -> int:
        """The largest file that is taken from anywhere."""
        return int(self.http_max_mb * 1_000_000)


def fault_of_address(address: str, allow_http: bool) -> str:
    """What is wrong with an address to ask, in words; empty if nothing."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is not an address"
    if parts.scheme not in {"http", "https"} or not host:
        return "must begin with https:// and name a host"
    if parts.username is not None or parts.password is not None:
        return "holds a name or password, which would end up in the results; leave them out"
    if parts.scheme == "http" and host not in LOOPBACK and not allow_http:
        return f"is plain http, which anybody on the way can change; use https, or set {PREFIX}ALLOW_HTTP=1"
    return ""


def resolve_live(table: LiveSettings, environment: Mapping[str, str] | None = None) -> LiveSettings:
    """A study's settings with what the environment says instead.

    Raises:
        StudyError: a variable holds what its key can't.
    """
    given = os.environ if environment is None else environment
    values: dict[str, Any] = {key: getattr(table, key) for key in table.model_fields_set}
    named = {}
    for key in LiveSettings.model_fields:
        text = given.get(PREFIX + key.upper(), "")
        if text:
            values[key] = [part.strip() for part in text.split(",")] if key == "geofabrik_extracts" else text
            named[key] = PREFIX + key.upper()
    try:
        return LiveSettings.model_validate(values)
    except ValidationError as faults:
        said = []
        for fault in faults.errors():
            key = str(fault["loc"][0]) if fault["loc"] else ""
            said.append(
                f"{named.get(key, f'live.{key}' if key else 'live')}: {fault['msg'].removeprefix('Value error, ')}"
            )
        raise StudyError("; ".join(said)) from faults
