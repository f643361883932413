"""Every registered method keeps the same laws, states the same facts, and nothing half-added can score."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from corridor.errors import ScoringError
from corridor.mcda import methods
from corridor.mcda.agreement import minimax_regret, panel_ranks, rank_reversals
from corridor.mcda.flips import smallest_flips
from corridor.mcda.matrix import build_matrix
from corridor.mcda.method import LinearMethod, Method, register
from corridor.mcda.methods import REGISTRY, all_methods, get_method, method_ids
from corridor.mcda.rank import cross_score, rank_alternatives, score

from ..tables import ROUTE_CRITERIA, make_panel, route_table

TOLERANCES = np.full(3, 0.01)
EVEN = {"distance": 0.25, "terrain": 0.25, "border_access": 0.25, "north_south": 0.25}
every_method = pytest.mark.parametrize("method", all_methods(), ids=method_ids())
values_of = arrays(np.float64, (5, 3), elements=st.floats(0, 1).map(lambda x: round(x, 3)))
weights_of = arrays(np.float64, 3, elements=st.floats(0.01, 1)).map(lambda w: w / w.sum())


def test_the_methods_are_the_files_of_their_folder():
    files = {path.stem.replace("_", "-") for path in Path(methods.__file__).parent.glob("[!_]*.py")}
    assert set(method_ids()) == files >= {"weighted-sum", "promethee-ii", "topsis", "vikor"}
    assert method_ids()[0] == "weighted-sum"
    assert list(method_ids()[1:]) == sorted(method_ids()[1:])


def test_ids_are_known_before_anything_is_imported():
    said = subprocess.run(
        [sys.executable, "-c", "import json, sys; from corridor.mcda.methods import method_ids\n"
         "print(json.dumps([method_ids(), 'numpy' in sys.modules]))"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert json.loads(said) == [list(method_ids()), False]


@every_method
def test_many_weights_at_once_equal_one_after_the_other(method):
    rng = np.random.default_rng(3)
    values, weights = rng.random((6, 3)), rng.dirichlet(np.ones(3), 20)
    many = method.score(values, weights, TOLERANCES)
    np.testing.assert_allclose(many, [method.score(values, row, TOLERANCES) for row in weights], atol=1e-14)


@every_method
def test_many_tables_at_once_equal_one_after_the_other(method):
    rng = np.random.default_rng(4)
    values, weights = rng.random((20, 6, 3)), rng.dirichlet(np.ones(3), 20)
    pairs = [method.score(v, w, TOLERANCES) for v, w in zip(values, weights, strict=True)]
    np.testing.assert_allclose(method.score(values, weights, TOLERANCES), pairs, atol=1e-14)
    alone = [method.score(v, weights[0], TOLERANCES) for v in values]
    np.testing.assert_allclose(method.score(values, weights[0], TOLERANCES), alone, atol=1e-14)


@every_method
def test_every_table_under_every_weight_equals_one_after_the_other(method):
    rng = np.random.default_rng(5)
    panel, metrics, weights = make_panel(rng.random((6, 3))), rng.random((4, 6, 3)), rng.dirichlet(np.ones(3), 7)
    crossed = cross_score(panel, weights, method.id, metrics)
    assert crossed.shape == (7, 4, 6)
    np.testing.assert_allclose(crossed, [[score(panel, w, method.id, m) for m in metrics] for w in weights], atol=1e-12)


@every_method
@given(values=values_of, weights=weights_of, order=st.permutations(range(5)))
@settings(max_examples=60, deadline=None)
def test_permuting_alternatives_permutes_scores(method, values, weights, order):
    permuted = method.score(values[list(order)], weights, TOLERANCES)
    np.testing.assert_allclose(permuted, method.score(values, weights, TOLERANCES)[list(order)], atol=1e-12)


@every_method
@given(values=values_of, weights=weights_of, losses=arrays(np.float64, 3, elements=st.floats(0, 0.5)))
@settings(max_examples=60, deadline=None)
def test_the_dominated_never_beats_its_dominator(method, values, weights, losses):
    values = values.copy()
    values[1] = np.maximum(values[0] - losses, 0.0)
    scores = method.score(values, weights, TOLERANCES)
    assert scores[1] <= scores[0] + 1e-12


@every_method
@given(values=values_of, weights=weights_of)
@settings(max_examples=60, deadline=None)
def test_scores_stay_in_the_stated_range_and_reach_for_its_ends(method, values, weights):
    low, high = method.score_range
    scores = method.score(values, weights, TOLERANCES)
    assert scores.min() >= low - 1e-12
    assert scores.max() <= high + 1e-12
    best_and_worst = method.score(np.array([[1.0] * 3, [0.0] * 3]), weights, TOLERANCES)
    np.testing.assert_allclose(best_and_worst, [high, low], atol=1e-12)


@every_method
@given(values=values_of, weights=weights_of)
@settings(max_examples=30, deadline=None)
def test_contributions_sum_to_the_score_of_a_linear_method(method, values, weights):
    added = method.contributions(values, weights, TOLERANCES)
    assert added.shape == values.shape
    if method.linear_in_weights:
        np.testing.assert_allclose(added.sum(axis=1), method.score(values, weights, TOLERANCES), atol=1e-12)


@every_method
def test_only_a_method_that_compares_alternatives_can_reverse_a_rank_on_anchors(method):
    rng = np.random.default_rng(11)
    found = sum(
        len(rank_reversals(make_panel(rng.random((6, 4))), rng.dirichlet(np.ones(4)), method.id)) for _ in range(40)
    )
    assert (found > 0) == method.compares_alternatives


@every_method
def test_notes_reach_the_reader_of_a_ranking(method):
    table = rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN, method.id)
    assert set(method.notes) <= set(table.attrs["notes"])


@every_method
def test_linear_or_not_decides_who_may_be_asked_for_the_smallest_change(method):
    panel = make_panel([[0.9, 0.1], [0.2, 0.8]])
    if method.linear_in_weights:
        assert smallest_flips(panel, [0.5, 0.5], method=method.id)
    else:
        with pytest.raises(ScoringError, match=f"{method.label} is not linear .*: use weighted-sum or promethee-ii"):
            smallest_flips(panel, [0.5, 0.5], method=method.id)


@every_method
def test_regret_is_refused_where_scores_hang_on_the_others(method):
    matrix = build_matrix(route_table(regime_id="open"), ROUTE_CRITERIA)
    if method.compares_alternatives:
        with pytest.raises(ScoringError, match="use anchors and weighted-sum or topsis or vikor"):
            minimax_regret(matrix, EVEN, ["open"], method=method.id)
    else:
        assert minimax_regret(matrix, EVEN, ["open"], method=method.id)["max_regret"].min() == 0


class Full(Method):
    """The worst value, whatever the weights."""

    id = "maximin"
    label = "Maximin"
    reference = "Wald 1945, doi:10.2307/1969022"
    score_range = (0.0, 1.0)
    higher_is_better = True
    compares_alternatives = False
    notes = ("maximin looks at the worst value alone",)

    def index(self, values, weights, tolerances):
        return np.broadcast_to(values.min(axis=-1), (*weights.shape[:-1], values.shape[-2]))

    def contributions(self, values, weights, tolerances):
        return values * weights


@pytest.fixture
def emptied():
    """The registry as it was, after a test that adds to it."""
    before = dict(REGISTRY._known)
    yield
    REGISTRY._known.clear()
    REGISTRY._known.update(before)


@pytest.mark.usefixtures("emptied")
def test_a_method_from_elsewhere_is_scored_once_it_is_registered():
    before = method_ids()
    with pytest.raises(ScoringError, match=f"method 'maximin' is unknown: use {', '.join(before)}"):
        get_method("maximin")
    register(Full)
    assert method_ids() == ("weighted-sum", *sorted([*before[1:], "maximin"]))
    assert panel_ranks(make_panel([[0.9, 0.1], [0.5, 0.4]]), [0.9, 0.1], "maximin").tolist() == [2, 1]
    register(Full)  # again, as a notebook's cell does
    other = type("Other", (Full,), {})
    with pytest.raises(ScoringError, match=r"Other: the id 'maximin' is that of .*\.Full"):
        register(other)


@pytest.mark.parametrize("fact", ["id", "label", "reference", "score_range", "higher_is_better", "notes"])
@pytest.mark.usefixtures("emptied")
def test_a_method_that_doesn_t_state_a_fact_is_refused(fact):
    half = type("Half", (Full,), {fact: None})
    with pytest.raises(ScoringError, match=rf"Half: doesn't state {fact} \("):
        register(half)
    assert "maximin" not in method_ids()


@pytest.mark.usefixtures("emptied")
def test_a_method_without_its_formula_is_refused():
    facts = {name: getattr(Full, name) for name in ("id", "label", "reference", "score_range", "notes")}
    facts |= {"higher_is_better": True, "compares_alternatives": False}
    with pytest.raises(ScoringError, match="doesn't define parts"):
        register(type("Half", (LinearMethod,), facts))
    with pytest.raises(ScoringError, match="doesn't define index"):
        register(type("Half", (Method,), facts))


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "registers no method with this id"),
        ("from corridor.mcda.method import LinearMethod as Of, register\n@register\nclass Half(Of): id = 'half-way'\n",
         r"half_way.Half: doesn't state label \(str\), reference \(str\), score_range \(tuple\)"),
    ],
)  # fmt: skip
def test_a_half_written_file_is_offered_and_refused(text, says, tmp_path, monkeypatch):
    (tmp_path / "half_way.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "corridor.mcda.methods.half_way", raising=False)
    assert "half-way" in method_ids()
    with pytest.raises(ScoringError, match=says):
        rank_alternatives(build_matrix(route_table(), ROUTE_CRITERIA), EVEN, "half-way")
