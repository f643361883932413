"""What a study asks of its page: opening rules, languages, who compiled it, and conditions that somebody named."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from corridor.schema.fields import Date, Identifier, Listed, Text
from corridor.schema.regime import ATTRIBUTES

Language = Literal["en", "ru", "hy", "az", "fa"]


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
    languages: Annotated[Listed[Language], Field(min_length=1)] = ("en", "ru", "hy", "az", "fa")
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
