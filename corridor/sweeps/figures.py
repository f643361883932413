"""Factors that are figures with a documented range: prices, speeds, minutes of checks and delays."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar, Literal

from corridor.pipeline.graph import Run
from corridor.pipeline.steps import impacts, inputs
from corridor.schema.fields import Identifier
from corridor.schema.regime import CheckTime, Regime
from corridor.schema.vocabulary import Mode, WorkKind
from corridor.sweeps.factor import NumericFactor, Value


class UnitCosts(NumericFactor):
    """Prices of construction, all together or those of one mode or kind of work."""

    replaces: ClassVar = ("unit_costs",)
    kind: Literal["unit-costs"]
    mode: Mode | None = None
    work: WorkKind | None = None

    def _fits(self, mode: str, work: str) -> bool:
        return self.mode in (None, mode) and self.work in (None, work)

    def targets(self, run: Run) -> tuple[str, ...]:
        rows = run[inputs.unit_costs]
        return tuple(f"price of {c.mode} {c.kind}" for c in rows if self._fits(c.mode, c.kind))

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        costs = tuple(
            replace(c, cost_musd_per_km=self.at(c.cost_musd_per_km, value)) if self._fits(c.mode, c.kind) else c
            for c in run[inputs.unit_costs]
        )
        return {"unit_costs": costs}


class Speeds(NumericFactor):
    """Speeds of trucks or trains by class; a multiple also moves documented design speeds."""

    replaces: ClassVar = ("speeds", "sections")
    kind: Literal["speeds"]
    mode: Mode | None = None

    def targets(self, run: Run) -> tuple[str, ...]:
        return tuple(f"speed of {s.mode} {s.road_class}" for s in run[inputs.speeds] if self.mode in (None, s.mode))

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        speeds = tuple(
            replace(s, speed_kmh=self.at(s.speed_kmh, value)) if self.mode in (None, s.mode) else s
            for s in run[inputs.speeds]
        )
        if self.measure != "multiple":
            return {"speeds": speeds}
        sections = {
            key: replace(s, design_speed_kmh=s.design_speed_kmh * float(value))
            if s.design_speed_kmh and self.mode in (None, s.mode)
            else s
            for key, s in run[inputs.sections].items()
        }
        return {"speeds": speeds, "sections": sections}


class CheckTimes(NumericFactor):
    """Minutes of checks that regimes state: in transit, at the border, or where roads meet the route (``gates``)."""

    replaces: ClassVar = ("regimes",)
    kind: Literal["check-times"]
    which: Literal["all", "transit", "border", "gates"] = "all"
    regimes: tuple[Identifier, ...] = ()

    def _chosen(self, run: Run) -> list[str]:
        return [key for key in run[impacts.regimes] if not self.regimes or key in self.regimes]

    def targets(self, run: Run) -> tuple[str, ...]:
        if set(self.regimes) - set(run[impacts.regimes]):
            return ()
        checks = ("transit", "border", "gates") if self.which == "all" else (self.which,)
        return tuple(f"{check} checks under {key}" for key in self._chosen(run) for check in checks)

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        chosen, listed = self._chosen(run), run[impacts.regimes]
        return {"regimes": {key: self._timed(r, value) if key in chosen else r for key, r in listed.items()}}

    def _timed(self, regime: Regime, value: Value) -> Regime:
        def moved(check: CheckTime, name: str) -> CheckTime:
            return check.taking(self.at(check.minutes, value)) if self.which in ("all", name) else check

        changed: dict[str, Any] = {
            "transit_check_min": moved(regime.transit_check_min, "transit"),
            "border_check_min": moved(regime.border_check_min, "border"),
        }
        for name, rule in (("crossing", regime.crossing), ("same_line", regime.same_line)):
            if self.which in ("all", "gates") and rule.minutes is not None:
                changed[name] = rule.model_copy(update={"minutes": self.at(rule.minutes, value)})
        return regime.model_copy(update=changed)


class CrossingDelays(NumericFactor):
    """Documented delays at border crossings, all or those named."""

    replaces: ClassVar = ("crossings",)
    kind: Literal["crossing-delays"]
    crossings: tuple[Identifier, ...] = ()

    def targets(self, run: Run) -> tuple[str, ...]:
        known = run[inputs.crossings]
        if set(self.crossings) - set(known):
            return ()
        return tuple(
            f"delay at {key}"
            for key, crossing in known.items()
            if crossing.delay_min and (not self.crossings or key in self.crossings)
        )

    def replaced(self, run: Run, value: Value) -> dict[str, Any]:
        crossings = {
            key: replace(c, delay_min=self.at(c.delay_min, value))
            if c.delay_min and (not self.crossings or key in self.crossings)
            else c
            for key, c in run[inputs.crossings].items()
        }
        return {"crossings": crossings}
