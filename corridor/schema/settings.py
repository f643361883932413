"""What a study asks of live data and of its page."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, model_validator

from corridor.schema.fields import Date, Identifier, Listed, Text
from corridor.schema.regime import ATTRIBUTES

# --- Where live data comes from and how patiently: the ``[live]`` table of a study ---

PREFIX = "CORRIDOR_"
LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))
ADDRESS = r"^https?://[^\s\x00-\x1f\\]+$"
EXTRACT = r"^[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*){0,3}$"
_ADDRESS_KEY = re.compile(r"[a-z][a-z0-9_]{0,59}_url")


def _base_address(address: str, info: ValidationInfo) -> str:
    """An address that others are made from by adding to it: no slash at its end, and one that may be asked."""
    fault = fault_of_address(address, bool(info.data.get("allow_http")))
    if fault:
        raise ValueError(fault)
    return address.rstrip("/").removesuffix("/interpreter")


BaseAddress = Annotated[str, Field(min_length=8, max_length=500, pattern=ADDRESS), AfterValidator(_base_address)]
"""A server's address. Whatever has this type is checked, wherever it stands; ``allow_http`` must stand before it."""
ExtractName = Annotated[str, Field(pattern=EXTRACT, max_length=100)]


MOST_HEIGHTS = 200_000_000
"""Pixels of a study's elevation model, which is held in memory: larger ones are neither fetched nor read."""


class LiveSettings(BaseModel):
    """Base addresses of the sources of live data, and the limits that every request keeps.

    Each key may be set in the study's ``[live]`` table or as a variable of the environment, which wins:
    ``overpass_url`` is ``CORRIDOR_OVERPASS_URL``, and so on. Plain ``http`` is for this machine alone, unless
    ``allow_http`` is set. Times are seconds; ``http_timeout_s`` is how long a server may say nothing or next to
    nothing, ``http_total_s`` how long one file may take with all its tries, ``busy_pause_s`` how long a server that
    says that it is busy is left alone at least. ``contact`` (an address or e-mail) is told to servers with each
    request. Sources of elevation add a key for each of their servers.
    """

    # What ends in _url may be the server of a source of elevation; only who knows those sources can say if it is.
    model_config = ConfigDict(extra="allow", frozen=True, str_strip_whitespace=True)
    __pydantic_extra__: dict[str, BaseAddress] = Field(init=False)

    allow_http: bool = False
    osm: Literal["overpass", "geofabrik"] = "overpass"
    dem: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = "srtm"
    overpass_url: BaseAddress = "https://overpass-api.de/api"
    geofabrik_url: BaseAddress = "https://download.geofabrik.de"
    geofabrik_extracts: tuple[ExtractName, ...] = ()
    query_area_km2: Annotated[float, Field(ge=1, le=1e6)] = 10_000
    query_pause_s: Annotated[float, Field(ge=0, le=600)] = 1.0
    query_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 180
    dem_megapixels: Annotated[float, Field(gt=0, le=MOST_HEIGHTS / 1e6)] = 32
    query_memory_mb: Annotated[int, Field(ge=1, le=100_000)] = 512
    busy_pause_s: Annotated[float, Field(ge=0, le=3600)] = 30
    contact: Annotated[str, Field(max_length=200, pattern=r"^[\x20-\x7e]*$")] = ""
    http_tries: Annotated[int, Field(ge=1, le=20)] = 5
    http_pause_s: Annotated[float, Field(ge=0, le=600)] = 2.0
    http_timeout_s: Annotated[float, Field(gt=0, le=3600)] = 60
    http_total_s: Annotated[float, Field(gt=0, le=86_400)] = 3600
    http_max_mb: Annotated[float, Field(gt=0, le=100_000)] = 4000

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_keys(cls, values: Any) -> Any:
        for key in values if isinstance(values, dict) else ():
            if key not in cls.model_fields and not _ADDRESS_KEY.fullmatch(key):
                raise ValueError(f"{key[:60]}: is no setting; correct or remove it")
        return values

    def address(self, key: str) -> str:
        """The base address under a key; of settings that know the sources of elevation.

        Args:
            key: of the address, such as ``skadi_url``.

        Returns:
            The address, without a slash at its end.
        """
        return str(getattr(self, key))

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


# --- What a study asks of its page: opening rules, languages, who compiled it, and conditions that somebody named ---

Language = Literal["en", "ru", "hy", "az", "fa"]
LANGUAGES: tuple[str, ...] = get_args(Language)
"""Languages of pages, and of names in tables."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ReportSettings(_Strict):
    """The ``[report]`` table of a study.

    Attributes:
        opening_regime: the rules that the page opens under; the first of the regimes if left out.
        languages: that the page offers, the first of them chosen at first. English texts stand in for what a language
            lacks.
        compiled_by: who answers for the study, as it is to be printed.
        conditions: file of conditions that routes are held against; none if left out.
    """

    opening_regime: Identifier | None = None
    languages: Annotated[Listed[Language], Field(min_length=1)] = get_args(Language)
    compiled_by: Annotated[str, Field(max_length=300)] = ""
    conditions: Text | None = None


class Indicator(_Strict):
    """One row under a condition: exactly one of its four kinds.

    Attributes:
        label: what is shown, in a few words.
        metric: column of ``metrics.csv``; the row has its value and interval for each route under the chosen rules.
        attribute: what the chosen rules' text declares; see :data:`corridor.schema.regime.ATTRIBUTES`.
        fact: the same for all routes and rules, as ``source_id`` says.
        unmeasurable: why no figure can be had.
        source_id: where a fact is from; metrics are computed here, attributes have their own.
        as_of: date of a fact.
        harm_above: of a metric that says what a route harms: more than this is harm, as the condition means it. A
            metric without it describes.
    """

    label: Text
    metric: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")] | None = None
    attribute: Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")] | None = None
    fact: Text | None = None
    unmeasurable: Text | None = None
    source_id: Identifier | None = None
    as_of: Date = ""
    harm_above: Annotated[float, Field(allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Indicator:
        kinds = [kind for kind in ("metric", "attribute", "fact", "unmeasurable") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("give exactly one of metric, attribute, fact, unmeasurable")
        if (self.fact is not None) != (self.source_id is not None):
            raise ValueError("source_id belongs to a fact, and every fact has one")
        if self.harm_above is not None and self.metric is None:
            raise ValueError("harm_above belongs to a metric")
        if self.attribute is not None and self.attribute not in (*ATTRIBUTES, "text_status"):
            raise ValueError(f"attribute '{self.attribute}' is none of {', '.join((*ATTRIBUTES, 'text_status'))}")
        return self


class Condition(_Strict):
    """A condition that somebody named, and what can be shown for it: a table ``[[conditions]]``."""

    condition: Text
    source_id: Identifier
    indicators: Annotated[Listed[Indicator], Field(min_length=1)]
