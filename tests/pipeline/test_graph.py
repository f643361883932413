"""Steps and what is stale: held against computing everything anew, and against who hangs on whom."""

from __future__ import annotations

import pickle
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.pipeline.digests import MAX_ARRAY_BYTES
from corridor.pipeline.graph import Cache, Graph, Run, Step, _declared, each, step
from tests.shared_runs import downstream


@step(says="adding up")
def total(prices: dict[str, float], rebate: float) -> float:
    return sum(prices.values()) * (1 - rebate)


@step(by_value=True)
def dear(prices: dict[str, float]) -> tuple[str, ...]:
    return tuple(name for name, price in prices.items() if price > 10)


@step()
def warning(dear: tuple[str, ...]) -> str:
    return f"{len(dear)} are dear"


@each(gives="shares")
def share(price: float, total: float) -> float:
    return price / total


@each(gives="sayings")
def saying(language: str, share: float) -> str:
    return f"{language}: {share:.2f}"


@each(gives="costs")
def cost(price: float, language: str) -> float:
    return price + len(language)


@step()
def table(sayings: dict[tuple[str, str], str], wanted: tuple[str, ...]) -> list[str]:
    return [sayings[name, "en"] for name in wanted]


SHOP = Graph([table, total, dear, warning, share, saying, cost], {"price": "prices", "language": "languages"})
GIVEN = {"prices": {"a": 1.0, "b": 3.0}, "rebate": 0.0, "languages": {"en": "en", "hy": "hy"}, "wanted": ("b",)}


def shop(**more):
    return Run(SHOP, GIVEN | more)


def test_values_follow_from_their_inputs_and_are_computed_once():
    run = shop()
    assert (run[total], run["total"], run[warning]) == (4.0, 4.0, "0 are dear")
    assert run[table] == ["en: 0.75"]
    assert dict(run[share]) == {"a": 0.25, "b": 0.75}
    assert list(run[saying]) == [("a", "en"), ("a", "hy"), ("b", "en"), ("b", "hy")]
    assert run.cache.made["total"] == 1
    assert run.cache.made["sayings"] == 1, "only what the table wants"
    assert total(GIVEN["prices"], 0.5) == 2.0, "a step stays a function"
    assert SHOP.inputs == {"prices", "rebate", "languages", "wanted"}


def made_by(run, *wanted):
    before = Counter(run.cache.made)
    for name in wanted:
        found = run[name]
        if isinstance(found, dict) or hasattr(found, "items"):
            dict(found)
    return dict(run.cache.made - before)


def test_an_item_is_stale_by_itself():
    run = shop()
    assert made_by(run, "costs") == {"costs": 4}
    assert made_by(run.replace(prices={"a": 1.0, "b": 4.0}), "costs") == {"costs": 2}
    # prices as before, in another object, under other names: known by their content
    assert made_by(run.replace(prices={"x": 3.0, "y": 1.0}), "costs") == {}
    assert made_by(run.replace(languages={"en": "english"}), "costs") == {"costs": 2}


def test_what_goes_by_value_stops_what_comes_out_the_same():
    run = shop()
    assert made_by(run, "warning") == {"dear": 1, "warning": 1}
    assert made_by(run.replace(prices={"a": 9.0, "b": 3.0}), "warning") == {"dear": 1}
    assert made_by(run.replace(prices={"a": 90.0, "b": 3.0}), "warning") == {"dear": 1, "warning": 1}
    assert run.replace(prices={"a": 90.0})[warning] == "1 are dear"


def test_a_step_can_be_given_instead_and_is_not_run():
    run = shop().replace(total=8.0)
    assert dict(run["shares"]) == {"a": 0.125, "b": 0.375}
    assert run.given("total")
    assert run.cache.made["total"] == 0
    assert dict(shop(shares={"a": 0.5, "b": 0.5})["sayings"])["b", "hy"] == "hy: 0.50"


def test_large_values_go_by_identity_also_when_their_place_is_taken_by_others():
    @step()
    def mean(heights: np.ndarray) -> float:
        return float(heights.mean())

    graph, size = Graph([mean]), MAX_ARRAY_BYTES // 8 + 1
    heights = np.ones(size)
    run = Run(graph, {"heights": heights})
    assert [run[mean], run.replace(heights=heights)[mean]] == [1.0, 1.0]
    assert run.cache.made["mean"] == 1
    for value in range(20):  # freed one after another, so that identities come again
        assert run.replace(heights=np.full(size, float(value)))[mean] == value


def test_what_is_said_is_said_once_and_progress_is_no_input():
    @step(says="counting")
    def count(upto: int, progress) -> int:
        progress("half way")
        return upto

    said = []
    run = Run(Graph([count]), {"upto": 3}, progress=said.append)
    assert (run[count], run[count]) == (3, 3)
    assert said == ["counting", "half way"]


def test_a_cache_does_not_travel():
    cache = Cache()
    Run(SHOP, GIVEN, cache=cache)[total]
    assert pickle.loads(pickle.dumps(cache)).made == {}


def test_no_more_is_kept_than_was_asked():
    run = shop()
    for rebate in (0.1, 0.2, 0.1):
        run.replace(rebate=rebate)[total]
    assert run.cache.made["total"] == 3


def test_a_run_that_ends_lets_go_what_nothing_to_come_is_computed_from():
    run = shop()
    wanted = ["total", "warning", "table"]
    assert list(run.in_turn(wanted)) == [(name, shop()[name]) for name in wanted]
    assert not run.cache.names
    # and on the way nothing that was still to be used
    assert run.cache.made == Counter(total=1, dear=1, warning=1, shares=1, sayings=1, table=1)


def test_graphs_that_make_no_sense_are_refused():
    @step()
    def egg(hen: int) -> int:
        return hen

    @step()
    def hen(egg: int) -> int:
        return egg

    with pytest.raises(ValueError, match=r"hang on each other: (egg <- hen <- egg|hen <- egg <- hen)"):
        Graph([egg, hen])
    with pytest.raises(ValueError, match="two steps give 'total'"):
        Graph([total, total])
    with pytest.raises(ValueError, match="takes no item; declare it with step"):
        Graph([each(gives="many")(lambda rebate: rebate)])

    @step()
    def wrong(price: float) -> float:
        return price

    with pytest.raises(ValueError, match="takes the single item 'price'; declare it with each"):
        Graph([wrong], {"price": "prices"})
    with pytest.raises(ValueError, match="no step has to do with 'colour'"):
        shop(colour="red")
    with pytest.raises(ValueError, match="'rebate' is neither given nor made by a step"):
        Run(SHOP, {"prices": {}})[total]


def arithmetic(name, needs):
    """A step that gives another number for every change of what it needs."""

    def function(**values):
        return hash((name, *values.values()))

    declared = _declared(function, name, "", 1, False)
    return Step(function, type(declared)(name, tuple(needs), "", 1, False, False))


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    names = [f"v{i}" for i in range(count)]
    inputs = [f"i{i}" for i in range(draw(st.integers(1, 4)))]
    steps = [
        arithmetic(name, draw(st.lists(st.sampled_from([*inputs, *names[:at]]), min_size=1, max_size=3, unique=True)))
        for at, name in enumerate(names)
    ]
    return Graph(steps), inputs, names


@given(graphs(), st.data())
def test_stale_is_what_hangs_on_the_change_and_nothing_else(made, data):
    graph, inputs, names = made
    known = [name for name in inputs if name in graph.order]
    run = Run(graph, dict.fromkeys(known, 0))
    for name in names:
        run[name]
    changed = data.draw(st.lists(st.sampled_from([*known, *names]), unique=True, max_size=3))
    other = run.replace(**dict.fromkeys(changed, 17))
    before = Counter(run.cache.made)
    fresh = Run(graph, dict.fromkeys(known, 0) | dict.fromkeys(changed, 17))
    assert [other[name] for name in names] == [fresh[name] for name in names]
    # a given value cuts off what lies above it, so a step is stale if a changed value reaches it
    stale, cut = set(changed), set(changed)
    for name in graph.order:
        if name in graph.steps and set(graph.steps[name].declared.inputs) & stale:
            stale.add(name)
    assert set(run.cache.made - before) == (stale - cut)
    assert stale == downstream(graph, changed)


def test_items_that_are_computed_at_once_come_out_as_one_by_one():
    made: list[str] = []

    def all_squares(asked, progress):
        return [square(**one, progress=progress) for one in asked]

    @each(gives="squares", says="squaring", at_once=all_squares)
    def square(price: float, rebate: float, progress) -> float:
        made.append(progress.__name__)
        if price < 0:
            raise ValueError(f"no root of {price}")
        return price**2 - rebate

    said: list[str] = []
    cache, graph = Cache(), Graph([square], {"price": "prices"})
    given = {"prices": {"a": 1.0, "b": 3.0, "c": 5.0}, "rebate": 0.5}
    run = Run(graph, given, progress=said.append, cache=cache)
    assert run[square]["b"] == 8.5
    assert (len(made), said) == (3, ["squaring"])
    assert dict(run[square]) == {"a": 0.5, "b": 8.5, "c": 24.5}
    assert len(made) == 3
    more = run.replace(prices={"a": 1.0, "b": 3.0, "c": 5.0, "d": 2.0})
    assert more[square]["d"] == 3.5
    assert len(made) == 4
    with pytest.raises(ValueError, match=r"no root of -2"):
        run.replace(prices={"a": 7.0, "b": -2.0, "c": -3.0})[square]["a"]
