"""All factors that a sweep's file can name."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from corridor.sweeps.figures import CheckTimes, CrossingDelays, Speeds, UnitCosts
from corridor.sweeps.switches import (
    Baselines,
    CrossingsStatus,
    DemError,
    DesignStandards,
    Regimes,
    SectionsStatus,
)

Factor = Annotated[
    UnitCosts
    | Speeds
    | CheckTimes
    | CrossingDelays
    | Regimes
    | Baselines
    | CrossingsStatus
    | SectionsStatus
    | DemError
    | DesignStandards,
    Field(discriminator="kind"),
]
