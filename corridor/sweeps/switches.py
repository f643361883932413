"""Factors that are one of a list: regimes, baselines, what is open, draws of heights, design standards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from corridor.alignment.standards import load_standards
from corridor.schema.study import ExistingCandidates, Identifier
from corridor.schema.vocabulary import CrossingStatus, SectionStatus
from corridor.sweeps.case import Case, Stage, Value
from corridor.sweeps.factor import BaseFactor, ListedFactor, designed_lines
from corridor.terrain.uncertainty import draw_errors

Settable = Literal[CrossingStatus.OPEN, CrossingStatus.CLOSED, CrossingStatus.PLANNED]


class Regimes(ListedFactor):
    """Under which regime candidates are judged; without this factor, each task covers all of them."""

    kind: Literal["regime"]

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("regime",) if set(self.values) <= set(case.regimes) else ()

    def apply(self, case: Case, value: Value) -> Case:
        return replace(case, regimes={str(value): case.regimes[str(value)]})

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.REGIMES,))


class Baselines(ListedFactor):
    """The dated state of the network."""

    kind: Literal["baseline"]

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("baseline",) if set(self.values) <= {b.id for b in case.study.baselines} else ()

    def apply(self, case: Case, value: Value) -> Case:
        return replace(case, study=case.study.on_baseline(str(value)))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.LAYOUT,))


class CrossingsStatus(ListedFactor):
    """Whether border crossings are open; what is closed here isn't assumed open by any candidate."""

    kind: Literal["crossing-status"]
    crossings: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[Settable, ...], Field(min_length=1)] = (CrossingStatus.OPEN, CrossingStatus.CLOSED)

    def targets(self, case: Case) -> tuple[str, ...]:
        known = set(self.crossings) <= set(case.inputs.catalogue.crossings)
        return tuple(f"status of {key}" for key in self.crossings) if known else ()

    def apply(self, case: Case, value: Value) -> Case:
        old = case.inputs.catalogue.crossings
        crossings = old | {key: replace(old[key], status=CrossingStatus(str(value))) for key in self.crossings}
        changed = case.with_catalogue(lambda catalogue: replace(catalogue, crossings=crossings))
        return changed if value == SectionStatus.OPEN else _assuming_less(changed, self.crossings)

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.NETWORK,))


class SectionsStatus(ListedFactor):
    """Whether sections of the catalogue are open, planned and so on; as for crossings."""

    kind: Literal["section-status"]
    sections: Annotated[tuple[Identifier, ...], Field(min_length=1)]
    values: Annotated[tuple[SectionStatus, ...], Field(min_length=1)]

    def targets(self, case: Case) -> tuple[str, ...]:
        known = set(self.sections) <= set(case.inputs.catalogue.sections)
        return tuple(f"status of {key}" for key in self.sections) if known else ()

    def apply(self, case: Case, value: Value) -> Case:
        old = case.inputs.catalogue.sections
        fixed = {"status": SectionStatus(str(value)), "opened": "", "closed": ""}  # a date would decide otherwise
        sections = old | {key: replace(old[key], **fixed) for key in self.sections}  # type: ignore[arg-type]
        changed = case.with_catalogue(lambda catalogue: replace(catalogue, sections=sections))
        return changed if value == SectionStatus.OPEN else _assuming_less(changed, self.sections)

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.LAYOUT,))


class DemError(BaseFactor):
    """Draws of the elevation model's error, numbered from 1; all candidates of a task share the draw."""

    kind: Literal["dem-error"]
    draws: Annotated[int, Field(ge=1, le=100_000)]
    seed: Annotated[int, Field(ge=0)] = 0

    def choices(self) -> tuple[Value, ...] | None:
        return tuple(range(1, self.draws + 1))

    def targets(self, case: Case) -> tuple[str, ...]:
        return ("heights",)

    def apply(self, case: Case, value: Value) -> Case:
        dem = case.inputs.dem
        seed = int(np.random.SeedSequence([self.seed, int(value)]).generate_state(1)[0])
        field = next(iter(draw_errors(dem, 1, seed)))
        rows, cols = dem.grid.shape
        lon, lat = dem.grid.centres(*np.meshgrid(np.arange(float(rows)), np.arange(float(cols)), indexing="ij"))
        heights = (dem.heights_m + field.sample(lon, lat)).astype(np.float32)
        return replace(case, inputs=replace(case.inputs, dem=dem.with_heights(heights)))

    def touches(self, case: Case) -> frozenset[Stage]:
        touched = {Stage.TERRAIN}
        if case.study.grade_effect and case.inputs.dem.carries_grades:
            touched.add(Stage.NETWORK)
        if designed_lines(case):
            touched.add(Stage.LINES)
        return frozenset(touched)


class DesignStandards(ListedFactor):
    """By which standard new lines are designed, all or those of the candidates named."""

    kind: Literal["design-standard"]
    candidates: tuple[Identifier, ...] = ()

    def _chosen(self, case: Case) -> dict[str, str]:
        designed = designed_lines(case)
        return {key: own for key, own in designed.items() if not self.candidates or key in self.candidates}

    def targets(self, case: Case) -> tuple[str, ...]:
        chosen, standards = self._chosen(case), load_standards()
        if set(self.candidates) - set(chosen) or set(self.values) - set(standards):
            return ()
        modes = {standards[name].mode for name in (*self.values, *chosen.values()) if name in standards}
        if len(modes) > 1:
            return ()
        return tuple(f"standard of {key}" for key in chosen)

    def apply(self, case: Case, value: Value) -> Case:
        chosen = self._chosen(case)
        candidates = tuple(
            spec.model_copy(update={"standard": value}) if spec.id in chosen else spec for spec in case.study.candidates
        )
        return replace(case, study=case.study.model_copy(update={"candidates": candidates}))

    def touches(self, case: Case) -> frozenset[Stage]:
        return frozenset((Stage.LINES,))


def _assuming_less(case: Case, keys: Iterable[str]) -> Case:
    """The case with nothing of ``keys`` assumed open."""
    gone = set(keys)
    candidates = tuple(
        spec.model_copy(update={"assume_open": tuple(key for key in spec.assume_open if key not in gone)})
        if isinstance(spec, ExistingCandidates)
        else spec
        for spec in case.study.candidates
    )
    return replace(case, study=case.study.model_copy(update={"candidates": candidates}))
