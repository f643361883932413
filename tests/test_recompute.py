"""Headline figures of written results, computed anew by code of its own (scripts/recompute.py): the bundled study."""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from dataclasses import replace

import pandas as pd
import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "scripts" / "recompute.py"
_spec = importlib.util.spec_from_file_location("recompute", SCRIPT)
recompute = importlib.util.module_from_spec(_spec)
sys.modules["recompute"] = recompute
_spec.loader.exec_module(recompute)

DATA, STUDY = ROOT / "data", ROOT / "data" / "studies" / "syunik.toml"
# Left to be spent by documented progress alone, million USD: what is unfinished, at the prices of unit_costs.csv.
BY_PROGRESS = {"aras-rail": 641.7, "aras-road": 38.9, "kapan-meghri": 17.9, "goris-yeraskh": 16.8}


@pytest.fixture(scope="module")
def written(bundled_folder):
    return recompute.read(bundled_folder, DATA, STUDY)


def test_the_script_imports_nothing_of_the_package():
    text = SCRIPT.read_text(encoding="utf-8")
    assert "import corridor" not in text
    assert "from corridor" not in text


def test_every_figure_computed_anew_is_the_written_one(written):
    found = recompute.recompute(written)
    assert [finding for finding in found if not finding.agrees] == []
    kinds = Counter(finding.what.rstrip("0123456789 ") for finding in found)
    assert len(kinds) >= 30
    assert {"cost_remaining_musd_low", "trip_time_h", "check_h_high", "rank_best", "rank_worst", "score"} <= set(kinds)


@pytest.mark.parametrize(
    ("column", "part"),
    [
        ("cost_remaining_musd_high", recompute.costs),
        ("trip_time_h", recompute.times),
        ("check_h_low", recompute.checks),
        ("drawn_km", recompute.lengths),
        ("length_km", recompute.lengths),
    ],
)
def test_a_figure_that_is_wrong_is_found(written, column, part):
    assert part in recompute.PARTS
    spoilt = written.metrics.assign(**{column: written.metrics[column] * 1.001 + 0.001})
    found = part(replace(written, metrics=spoilt))
    assert column in {finding.what for finding in found if not finding.agrees}


def test_a_rank_that_is_wrong_is_found(written):
    spoilt = written.ranking.assign(rank_worst=written.ranking["rank_worst"] + 1)
    wrong = {finding.what for finding in recompute.ranks(replace(written, ranking=spoilt)) if not finding.agrees}
    assert wrong == {"rank_worst"}


def test_what_is_left_by_progress_alone(bundled_folder):
    bill = pd.read_csv(bundled_folder / "cost_breakdown.csv")
    unfinished = bill[bill["works"] == "unfinished"].groupby("candidate_id")["cost_remaining_musd"].sum()
    for key, musd in BY_PROGRESS.items():
        assert unfinished[key] == pytest.approx(musd, abs=0.05)
    # the bed that is a road today is a line of its own
    whole = bill[bill["works"] != "replacement"].groupby("candidate_id")["cost_remaining_musd"].sum()
    assert whole["aras-rail"] == pytest.approx(934.5, abs=0.05)
    assert whole["aras-road"] == pytest.approx(300.3, abs=0.5)
