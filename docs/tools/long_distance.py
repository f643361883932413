"""Tables of the page on long-distance flows, computed from the tables that ship with the toolkit.

python -m docs.tools.long_distance
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import corridor
from corridor.flows.changes import NETWORK_ALONE
from corridor.flows.indicators import DocumentedCheck, check_documented
from corridor.flows.model import BranchResult, FlowModel, PairResult
from corridor.flows.sensitivity import BEST_ROAD, measure_sensitivity
from corridor.flows.tables import find_tables, load_tables
from corridor.schema.catalogue import Estimate
from corridor.schema.study import Study

SNIPPETS = Path(__file__).resolve().parents[1] / "snippets"
DOCUMENTED, PAIRS, HOLDS = "long_distance_documented.md", "long_distance_pairs.md", "long_distance_holds.md"
_UNITS = {
    "km": "km",
    "drive_h": "h of driving",
    "trip_days": "days",
    "trip_speed_kmh": "km/h",
    "speed_without_rest_kmh": "km/h",
    "usd_per_500km": "USD a 500 km",
}


def bundled_model() -> FlowModel:
    """The bundled network under its first scenario."""
    return FlowModel(load_tables(find_tables(Study.bundled("syunik"))))


def render_documented(model: FlowModel) -> str:
    """Documented figures beside computed ones."""
    head = ["| what | unit | documented | computed (low to high) | verdict | source |", "|---|---|---|---|---|---|"]
    return "\n".join([*head, *(_documented(check, model) for check in check_documented(model)), ""])


def _documented(check: DocumentedCheck, model: FlowModel) -> str:
    row = check.documented
    computed = "no way" if check.computed is None else f"{_number(check.computed.mid)} ({_range(check.computed)})"
    publishers = "; ".join(model.tables.sources[source].publisher for source in row.origin.source_ids)
    return f"| {row.name} | {_UNITS[row.measure]} | {_range(row.value)} | {computed} | {check.verdict} | {publishers} |"


def render_pairs(model: FlowModel) -> str:
    """Best branch by road and of all modes today, for each pair."""
    head = [
        "| from, to | best by road | USD a load (low to high) | days | best of all modes | USD a load | days |",
        "|---|---|---|---|---|---|---|",
    ]
    state = model.state(model.today)
    return "\n".join([*head, *(_pair(model.pair(pair, state), model) for pair in model.tables.pairs), ""])


def _pair(result: PairResult, model: FlowModel) -> str:
    name = " to ".join(model.tables.name(node) for node in result.pair.key)
    # a way of trucks may go to sea before or after, as from Mumbai
    roads = [b for b in result.branches if b.mid and "road" in b.branch.modes and "rail" not in b.branch.modes]
    return f"| {name} | {_branch(min(roads, key=lambda b: b.cost_usd, default=None))} | {_branch(result.best)} |"


def _branch(found: BranchResult | None) -> str:
    if found is None or found.mid is None or found.low is None or found.high is None:
        return "no way | | "
    cost = Estimate(found.low.cost_usd, found.mid.cost_usd, found.high.cost_usd)
    days = Estimate(*(way.trip_h / 24 for way in (found.low, found.mid, found.high)))
    return f"{found.branch.name} | {_number(cost.mid)} ({_range(cost)}) | {_number(days.mid)} ({_range(days)})"


def render_holds(model: FlowModel) -> str:
    """Whether each pair's best branch is the same at both ends of every declared range."""
    table = measure_sensitivity(model, [NETWORK_ALONE], model.today)
    names = {(b.origin, b.destination, b.branch_id): b.name for b in model.tables.branches}
    lines = ["| from, to | of | best branch | at both ends of each range | else |", "|---|---|---|---|---|"]
    for row in table.itertuples():
        pair = f"{model.tables.name(row.origin)} to {model.tables.name(row.destination)}"
        best = names.get((row.origin, row.destination, row.value), row.value)
        of = "roads" if row.result == BEST_ROAD else "all modes"
        lines.append(f"| {pair} | {of} | {best} | {'the same' if row.holds else 'another'} | {row.hangs_on} |")
    return "\n".join([*lines, ""])


def _number(value: float) -> str:
    """Three significant digits, since inputs are of low confidence."""
    return f"{float(f'{value:.3g}'):,g}"


def _range(value: Estimate) -> str:
    low, high = _number(value.low), _number(value.high)
    return low if low == high else f"{low} to {high}"


def main() -> None:
    """Compute the tables and write them."""
    model = bundled_model()
    day = datetime.now(UTC).date().isoformat()
    for name, render in ((DOCUMENTED, render_documented), (PAIRS, render_pairs), (HOLDS, render_holds)):
        foot = f"\nComputed {day} by corridor {corridor.__version__} on tables as of {model.tables.as_of}.\n"
        (SNIPPETS / name).write_text(render(model) + foot, encoding="utf-8")
        print(SNIPPETS / name)


if __name__ == "__main__":
    main()
