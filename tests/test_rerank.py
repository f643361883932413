"""Ranking results again from their folder gives what the comparison gives."""

from __future__ import annotations

import json

import numpy as np
import pytest

from corridor.errors import ScoringError, SourceError
from corridor.mcda.methods import method_ids
from corridor.mcda.perspectives import parse_weights
from corridor.pipeline.saved_results import load_results


@pytest.fixture(scope="module")
def written(bundled, bundled_folder):
    return bundled, bundled_folder


@pytest.mark.parametrize("method", method_ids())
@pytest.mark.parametrize("perspective", ["equal", "border-access", "terrain-and-cost"])
def test_ranks_are_the_comparison_s(written, perspective, method):
    comparison, folder = written
    own = comparison.rank(perspective, method=method)
    again = load_results(folder).rank(perspective, method=method)
    assert again["candidate_id"].tolist() == own["candidate_id"].tolist()
    np.testing.assert_allclose(again["score"], own["score"], atol=1e-9)
    assert again["rank"].equals(own["rank"])


def test_weights_by_group_and_by_criterion(written):
    found = load_results(written[1])
    table = found.rank(weights=parse_weights("distance=0.3,terrain=0.7"))
    assert table["contribution:access_delay"].fillna(0).abs().max() == 0
    with pytest.raises(ScoringError, match="did you mean 'terrain'"):
        found.rank(weights={"terain": 1.0})
    with pytest.raises(ScoringError, match="did you mean 'equal'"):
        found.rank("eqal")


def test_a_folder_is_reviewed_panel_by_panel(written):
    first, *_ = load_results(written[1]).robustness(draws=200)
    assert (first.panel.regime_id, first.panel.kind) == ("article-9", "through")
    assert first.messages()


def test_folders_without_results_are_refused(written, tmp_path):
    with pytest.raises(SourceError, match=r"has no manifest\.json"):
        load_results(tmp_path)
    (tmp_path / "manifest.json").write_text(json.dumps({"criteria": [{"unit": 3}]}))
    (tmp_path / "metrics.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SourceError, match="run it again"):
        load_results(tmp_path)
