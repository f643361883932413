"""Networks that lack what the bundled one has (railways, cities, open ways, pairs) are measured, shown and written."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import corridor
from corridor.flows.changes import Case
from corridor.flows.indicators import network_efficiency
from corridor.flows.model import FlowModel
from corridor.flows.results import COLUMNS, TABLES, _Rows, measure_flows, write_flows
from corridor.flows.tables import load_tables
from tests.flows import toy
from tests.synthetic import build
from tests.synthetic.study import IMPACT

_CITIES = [toy.node("a", people_k=1), toy.node("b", people_k=2, lon=11)]
_ROAD = [toy.link("a", "b", 90)]
_BY_ROAD = [toy.branch("road", "a", "b")]
NETWORKS = {
    "roads alone": {"nodes": _CITIES, "links": _ROAD, "pairs": [("a", "b")], "branches": _BY_ROAD},
    "no city": {"nodes": [toy.node("a"), toy.node("b")], "links": _ROAD, "pairs": [("a", "b")]},
    "no way": {"nodes": [*_CITIES, toy.node("c")], "links": _ROAD, "pairs": [("a", "c")]},
    "no pair": {"nodes": _CITIES, "links": _ROAD},
}


@pytest.fixture(scope="module")
def midland(tmp_path_factory):
    return build(tmp_path_factory.mktemp("small") / "midland")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_lacks_something_is_measured_shown_and_written(midland, tmp_path, name):
    folder = toy.write(tmp_path / "loads", **NETWORKS[name])
    tables = load_tables(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = measure_flows(FlowModel(tables), [Case()], [2026])
    write_flows(tables, found, tmp_path / "flows")
    for table in TABLES:
        assert list(pd.read_csv(tmp_path / "flows" / f"{table}.csv").columns) == list(COLUMNS[table])
    text = midland.read_text(encoding="utf-8").replace("[sources]", f'[sources]\nlong_distance = "{folder}"') + IMPACT
    (midland.parent / "small.toml").write_text(text, encoding="utf-8")
    comparison = corridor.compare(midland.parent / "small.toml")
    page = comparison.write(tmp_path / "out", formats="geojson").read_text(encoding="utf-8")
    assert ('id="flows"' in page) == (name != "no pair")
    assert set(comparison.metrics["flow_cost_usd_status"]) == {"not_applicable" if name == "no pair" else "ok"}


def test_cities_at_one_spot_have_no_detour():
    costs, masses = np.array([[0.0, 9.0, 90.0], [9.0, 0.0, 80.0], [90.0, 80.0, 0.0]]), np.array([1.0, 7.0, 2.0])
    ideal = np.array([[0.0, 0.0, 45.0], [0.0, 0.0, 40.0], [45.0, 40.0, 0.0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert network_efficiency(costs, ideal, masses).tolist() == [2.0, 2.0, 2.0]
        assert np.isnan(network_efficiency(costs[:2, :2], ideal[:2, :2], masses[:2])).all()


def test_what_no_column_is_for_is_refused_and_not_dropped():
    rows = _Rows(["pair", "km", "year"])
    rows.use([rows.block("known", lambda: [{"pair": "a-b"}])], {"year": 2030})
    assert list(rows.table().columns) == ["pair", "km", "year"]
    rows.use([rows.block("new", lambda: [{"pair": "a-c", "miles": 3.0}])], {"year": 2030})
    with pytest.raises(KeyError, match="no column for miles"):
        rows.table()
