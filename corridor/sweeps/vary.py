"""A sweep's file: which factors vary and how points are chosen. TOML in, validated types out."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from corridor.alignment.standards import load_standards
from corridor.errors import SweepError
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import impacts, inputs
from corridor.schema.fields import Identifier
from corridor.schema.study import read_toml, say_fault
from corridor.sweeps.factors import Factor

Design = Literal["product", "sobol", "latin-hypercube"]
MAX_TASKS = 1_000_000
_KINDS = tuple(get_args(member.model_fields["kind"].annotation)[0] for member in get_args(get_args(Factor)[0]))


class Vary(BaseModel):
    """What varies.

    ``product`` takes every combination of the factors' values; ``sobol`` and ``latin-hypercube`` take ``n`` points
    spread evenly over all factors at once. ``metrics`` are columns to keep beside those that are scored.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    design: Design
    n: Annotated[int, Field(ge=1, le=MAX_TASKS)] | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    metrics: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")], ...] = ("length_km", "cost_musd")
    factors: Annotated[dict[Identifier, Factor], Field(min_length=1)]

    @model_validator(mode="after")
    def _whole(self) -> Vary:
        if self.design == "product" and self.n is not None:
            raise ValueError("n: a product takes every combination; take n out, or give another design")
        if self.design != "product" and self.n is None:
            raise ValueError(f"n: is missing; say how many points a {self.design} design has, for instance 64")
        if self.design == "sobol" and self.n is not None and self.n & (self.n - 1):
            above = 1 << self.n.bit_length()
            raise ValueError(f"n: {self.n} is no power of two, which sobol needs; use {above // 2} or {above}")
        return self


def load_vary(path: Path) -> Vary:
    """Read and check a sweep's file.

    Raises:
        StudyError: the file can't be read as TOML.
        SweepError: it has faults: all are named at once, each with its field.
    """
    return build_vary(read_toml(path, "a sweep's TOML file, with design and factors"), str(path))


def build_vary(content: dict[str, Any], name: str) -> Vary:
    """A sweep from parsed TOML; faults are reported for ``name``.

    Raises:
        SweepError: as :func:`load_vary`.
    """
    try:
        return Vary.model_validate(content)
    except ValidationError as faults:
        raise SweepError(f"{name}: " + "; ".join(_say(fault) for fault in faults.errors())) from faults


def _say(fault: Any) -> str:
    field = ".".join(str(part) for part in fault["loc"])
    if fault["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{field}.kind: must be one of {', '.join(_KINDS)}"
    named = {**fault, "loc": tuple(part for part in fault["loc"] if part not in _KINDS)}
    return say_fault(named).replace("see the README for the keys", "see docs/scale.md for the keys")


def check_vary(vary: Vary, run: Run, name: str) -> None:
    """Hold the factors against the study: each must change something, and nothing may be changed twice.

    Raises:
        SweepError: names the file, the factor, and what it could have named.
    """
    faults: list[str] = []
    owners: dict[str, str] = {}
    for key, factor in vary.factors.items():
        targets = factor.targets(run)
        if not targets:
            faults.append(f"factors.{key}: {_why_nothing(factor, run)}")
        for target in targets:
            if target in owners:
                faults.append(f"factors.{key}: {target} is varied by '{owners[target]}' already; take one out")
                break
            owners[target] = key
    if faults:
        raise SweepError(f"{name}: " + "; ".join(faults))


def _why_nothing(factor: Any, run: Run) -> str:
    """Why a factor fits nothing, with the names that it could have used."""
    lists: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
        "regime": ("values", factor_values(factor), tuple(run[impacts.regimes])),
        "check-times": ("regimes", getattr(factor, "regimes", ()), tuple(run[impacts.regimes])),
        "baseline": ("values", factor_values(factor), tuple(b.id for b in run["study"].baselines)),
        "crossing-status": ("crossings", getattr(factor, "crossings", ()), tuple(run[inputs.crossings])),
        "crossing-delays": ("crossings", getattr(factor, "crossings", ()), tuple(run[inputs.crossings])),
        "section-status": ("sections", getattr(factor, "sections", ()), tuple(run[inputs.sections])),
        "design-standard": ("values", factor_values(factor), tuple(load_standards())),
        "long-distance": ("which", (), ()),
    }
    if factor.kind not in lists:
        return "fits no row of the catalogue; take mode or work out, or correct them"
    field, asked, known = lists[factor.kind]
    unknown = [key for key in asked if key not in known]
    if not unknown:
        return f"changes nothing: {_LACKS.get(factor.kind, 'the rows named have no such figure')}; take it out"
    near = difflib.get_close_matches(unknown[0], known, n=1)
    hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known[:12]) or 'none'}"
    return f"{field}: '{unknown[0]}' isn't known; {hint}"


_LACKS = {
    "check-times": "the study has no impact table, so no regimes",
    "long-distance": "the study names no long-distance tables",
    "design-standard": "no candidate of the family new-build has that name and mode",
}


def factor_values(factor: Any) -> tuple[str, ...]:
    """The names that a factor lists, if it lists names."""
    values = getattr(factor, "values", None) or ()
    return tuple(str(value) for value in values)
