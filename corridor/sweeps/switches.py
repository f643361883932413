"""Factors that are one of a list: regimes, baselines, what is open, draws of heights, design standards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from corridor.alignment.standards import load_standards
from corridor.io.read.inputs import HeightDraw
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import impacts, inputs
from corridor.schema.fields import Identifier
from corridor.schema.study import ExistingCandidates
from corridor.schema.vocabulary import CrossingStatus, SectionStatus
from corridor.sweeps.factor import BaseFactor, ListedFactor, Value

Settable = Literal[CrossingStatus.OPEN, CrossingStatus.CLOSED, CrossingStatus.PLANNED]


class Regimes(ListedFactor):
    """Under which regime candidates are judged; without this factor, each task covers all of them."""

    replaces: ClassVar = ("regimes",)
    kind: Literal["regime"]

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("regime",) if set(self.values) <= set(run[impacts.regimes]) else ()

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"regimes": {str(value): run[impacts.regimes][str(value)]}}


class Baselines(ListedFactor):
    """The dated state of the network."""

    replaces: ClassVar = ("as_of",)
    kind: Literal["baseline"]

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("baseline",) if set(self.values) <= {b.id for b in run["study"].baselines} else ()

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"as_of": run["study"].on_baseline(str(value)).chosen_baseline.as_of}


class CrossingsStatus(ListedFactor):
    """Whether border crossings are open; what is closed here isn't assumed open by any candidate."""

    replaces: ClassVar = ("crossings", "candidate_specs")
    kind: Literal["crossing-status"]
    crossings: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[Settable, ...], Field(min_length=1)] = (CrossingStatus.OPEN, CrossingStatus.CLOSED)

    def targets(self, run: Run) -> tuple[str, ...]:
        known = set(self.crossings) <= set(run[inputs.crossings])
        return tuple(f"status of {key}" for key in self.crossings) if known else ()

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        old = run[inputs.crossings]
        changed = {key: replace(old[key], status=CrossingStatus(str(value))) for key in self.crossings}
        found: dict[str, Any] = {"crossings": {**old, **changed}}
        return found if value == CrossingStatus.OPEN else found | _assuming_less(run, self.crossings)


class SectionsStatus(ListedFactor):
    """Whether sections of the catalogue are open, planned and so on; as for crossings."""

    replaces: ClassVar = ("sections", "candidate_specs")
    kind: Literal["section-status"]
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[SectionStatus, ...], Field(min_length=1)]

    def targets(self, run: Run) -> tuple[str, ...]:
        known = set(self.sections) <= set(run[inputs.sections])
        return tuple(f"status of {key}" for key in self.sections) if known else ()

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        old = run[inputs.sections]
        fixed = {"status": SectionStatus(str(value)), "opened": "", "closed": ""}  # a date would decide otherwise
        changed = {key: replace(old[key], **fixed) for key in self.sections}  # type: ignore[arg-type]
        found: dict[str, Any] = {"sections": {**old, **changed}}
        return found if value == SectionStatus.OPEN else found | _assuming_less(run, self.sections)


class DemError(BaseFactor):
    """Draws of the elevation model's error, numbered from 1; all candidates of a task share the draw."""

    replaces: ClassVar = ("height_draw",)
    kind: Literal["dem-error"]
    draws: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 0

    def choices(self) -> tuple[Value, ...] | None:
        return tuple(range(1, self.draws + 1))

    def targets(self, run: Run) -> tuple[str, ...]:
        return ("heights",)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        return {"height_draw": HeightDraw(int(np.random.SeedSequence([self.seed, int(value)]).generate_state(1)[0]))}


class DesignStandards(ListedFactor):
    """By which standard new lines are designed, all or those of the candidates named."""

    replaces: ClassVar = ("candidate_specs",)
    kind: Literal["design-standard"]
    candidates: tuple[Identifier, ...] = ()

    def _chosen(self, run: Run) -> dict[str, str]:
        designed = {key: spec.standard for key, spec in run[inputs.new_build_specs].items()}
        return {key: own for key, own in designed.items() if not self.candidates or key in self.candidates}

    def targets(self, run: Run) -> tuple[str, ...]:
        chosen, standards = self._chosen(run), load_standards()
        if set(self.candidates) - set(chosen) or set(self.values) - set(standards):
            return ()
        modes = {standards[name].mode for name in (*self.values, *chosen.values()) if name in standards}
        if len(modes) > 1:
            return ()
        return tuple(f"standard of {key}" for key in chosen)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        chosen = self._chosen(run)
        candidates = tuple(
            spec.model_copy(update={"standard": value}) if spec.id in chosen else spec
            for spec in run[inputs.candidate_specs]
        )
        return {"candidate_specs": candidates}


def _assuming_less(run: Run, keys: Iterable[str]) -> dict[str, Any]:
    """The candidates with nothing of ``keys`` assumed open."""
    gone = set(keys)
    candidates = tuple(
        spec.model_copy(update={"assume_open": tuple(key for key in spec.assume_open if key not in gone)})
        if isinstance(spec, ExistingCandidates)
        else spec
        for spec in run[inputs.candidate_specs]
    )
    return {"candidate_specs": candidates}
