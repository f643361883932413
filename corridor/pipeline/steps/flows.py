"""The long-distance network: what each candidate under each regime does to its flows.

A study without long-distance tables has a model of None, and ``flow_rows`` are given as None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from corridor.flows.changes import Case, Measures, build_case, build_cases, without_undetermined
from corridor.flows.model import FlowModel
from corridor.flows.results import RESULT_TABLES, STATE_TABLES, FlowResults, measure_flows
from corridor.flows.tables import find_tables, load_tables
from corridor.io.read.inputs import latest_day
from corridor.pipeline.graph import Progress, each, step
from corridor.pipeline.steps.lines import Row
from corridor.schema.candidate import Candidate
from corridor.schema.regime import Regime
from corridor.schema.study import Study


@step(says="reading long-distance tables")
def flow_model(study: Study, today: str) -> FlowModel | None:
    """The long-distance network; None where the study names no tables.

    Raises:
        CatalogueError: the tables have faults.
    """
    if study.sources.long_distance is None:
        return None
    return FlowModel(load_tables(find_tables(study), latest_day(study, today)))


@each(gives="flow_cases", says="measuring long-distance flows")
def flow_case(candidate: Candidate, regime: Regime | None, pair_row: Row, flow_model: FlowModel) -> Case:
    """What a candidate under a regime does to the links, from what was measured of it."""
    regime_id = regime.regime_id if regime else ""
    members = [member.candidate_id for member in candidate.members]
    return build_case(flow_model.tables, candidate.candidate_id, regime_id, _measures(pair_row), members)


@step()
def shown_cases(flow_model: FlowModel | None, candidates: Mapping[str, Candidate], metrics: pd.DataFrame) -> list[Case]:
    """What each candidate under each regime does to the links, with the network alone, as reports show them."""
    if flow_model is None:
        return []
    measured = None
    if "regime_id" in metrics:
        rows = metrics.to_dict("records")
        measured = {(str(row["candidate_id"]), str(row["regime_id"])): _measures(row) for row in rows}
        measured = without_undetermined(flow_model.tables, measured)
    packages = {key: [m.candidate_id for m in found.members] for key, found in candidates.items() if found.members}
    return build_cases(flow_model.tables, measured, packages)


@step()
def flows_of_pairs(flow_model: FlowModel | None, shown_cases: Sequence[Case], progress: Progress) -> FlowResults | None:
    """Of what reports show, what is measured pair by pair."""
    wanted = set(RESULT_TABLES) - STATE_TABLES
    return None if flow_model is None else measure_flows(flow_model, shown_cases, progress=progress, tables=wanted)


@step()
def flows_of_network(flow_model: FlowModel | None, shown_cases: Sequence[Case]) -> FlowResults | None:
    """Of what reports show, what hangs on the open links alone: about half of the work."""
    wanted = set(RESULT_TABLES) & STATE_TABLES
    return None if flow_model is None else measure_flows(flow_model, shown_cases, tables=wanted)


@step()
def flows(flows_of_pairs: FlowResults | None, flows_of_network: FlowResults | None) -> FlowResults | None:
    """What reports show of the long-distance network, for each candidate under each regime."""
    if flows_of_pairs is None or flows_of_network is None:
        return None
    return replace(flows_of_pairs, **{name: getattr(flows_of_network, name) for name in STATE_TABLES})


def _measures(row: Mapping[str, object]) -> Measures:
    """Cells that are numbers or words; what is neither was not measured."""
    return {
        name: value if isinstance(value, str) else float(value)
        for name, value in row.items()
        if isinstance(value, (str, int, float)) and value == value  # noqa: PLR0124
    }
