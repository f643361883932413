"""Documented journeys and heights that can't be: one clear line each."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from affine import Affine

from corridor.errors import CatalogueError, NetworkError, StudyError
from corridor.io.read.elevation import remark_on_heights, require_heights_near
from corridor.io.read.inputs import Gazetteer, require_known
from corridor.network.driving_times import time_journeys
from corridor.network.graph import Network, edge_frame
from corridor.schema.catalogue import Node
from corridor.schema.fields import Grid, Source
from corridor.schema.parameters import DocumentedHeight
from corridor.schema.study import Study, TimeSpec
from corridor.schema.vocabulary import Confidence
from corridor.terrain.surface import Dem

LON = [10.0, 10.1, 10.2, 10.4, 10.5]


def node(key: str, lon: float) -> Node:
    return Node(
        node_id=key, name=key, kind="place", lon=lon, lat=0.0, country="AA", elevation_m=None, aliases=(),
        source_ids=("x",), place="",
    )  # fmt: skip


NODES = {key: node(key, lon) for key, lon in zip("abcde", LON, strict=True)}


def network(**columns) -> Network:
    """Two roads that nothing joins: a-b-c and d-e."""
    u, v = [0, 1, 3], [1, 2, 4]
    lines = [shapely.LineString([(LON[i], 0.0), (LON[j], 0.0)]) for i, j in zip(u, v, strict=True)]
    frame = edge_frame({"u": np.array(u), "v": np.array(v), "geometry": lines, **columns})
    return Network(frame, np.array(LON), np.zeros(5))


def journey(start: str, end: str, **options) -> TimeSpec:
    fields = {"vehicle": "bus", "low_min": 30.0, "high_min": 30.0, "source": "x"} | options
    return TimeSpec(name=f"{start}-{end}", from_node=start, to_node=end, **fields)


MINUTES = {"bus": (np.array([10.0, 12.0, 9.0]), np.array([11.0, 13.0, 9.0]))}


def test_a_journey_adds_its_minutes_up_and_takes_its_breaks_off():
    (found,) = time_journeys([journey("a", "c", breaks_min=5.0)], network(), NODES, MINUTES, on_map=False)
    assert found.computed_min == pytest.approx(22.0)
    assert found.length_km == pytest.approx(22.26, abs=0.01)
    assert (found.low_min, found.high_min) == (25.0, 25.0)
    (back,) = time_journeys([journey("c", "a", via=("b",))], network(), NODES, MINUTES, on_map=False)
    assert back.computed_min == pytest.approx(24.0)


def test_a_journey_runs_over_roads_that_are_closed_today():
    shut = network(status=["closed", "unknown", "open"])
    (found,) = time_journeys([journey("a", "c")], shut, NODES, MINUTES, on_map=False)
    assert found.computed_min == pytest.approx(22.0)


@pytest.mark.parametrize("access", ["no", "local"])
def test_a_bus_drives_where_lorries_may_not(access):
    minutes = MINUTES | {"truck": MINUTES["bus"]}
    roads = network(truck_access=["yes", access, "yes"])
    (found,) = time_journeys([journey("a", "c")], roads, NODES, minutes, on_map=False)
    assert found.computed_min == pytest.approx(22.0)
    barred = network(truck_access=["yes", "no", "yes"], car_access=["yes", "no", "yes"])
    for spec, net in ((journey("a", "c", vehicle="truck"), network(truck_access=["yes", "no", "yes"])),
                      (journey("a", "c"), barred)):  # fmt: skip
        with pytest.raises(NetworkError, match=r"nearest usable way is 11\.1 km off"):
            time_journeys([spec], net, NODES, minutes, on_map=False)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (journey("a", "e"), "times: 'a-e': 'a' and 'e' aren't joined by open roads of this network; correct the nodes"),
        (journey("a", "z"), "times: 'a-z': 'z' is no node of the catalogue; correct it"),
        (journey("a", "c", vehicle="cart"), "vehicle 'cart' is not in vehicles.csv; use bus"),
    ],
)
def test_a_journey_that_cant_be_made_is_one_line(spec, said):
    with pytest.raises(NetworkError) as caught:
        time_journeys([spec], network(), NODES, MINUTES, on_map=False)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_study_says_at_once_what_of_its_journeys_nobody_knows():
    study = Study.bundled("syunik")
    wrong = study.times[0].model_copy(update={"vehicle": "cart", "source": "hearsay", "via": ("nowhere",)})
    study = study.model_copy(update={"times": (wrong,)})
    places = Gazetteer(study.id, study.area, {}, None)
    with pytest.raises(StudyError) as caught:
        require_known(study, places, {}, {}, ["bus", "truck"], ["x"])
    for said in ("'nowhere' is no node", "vehicle 'cart' is not in vehicles.csv; use bus, truck", "source 'hearsay'"):
        assert f"times '{wrong.name}': {said}" in str(caught.value)


@pytest.mark.parametrize("fields", [{"low_min": 40.0}, {"breaks_min": 30.0}, {"low_min": 0.0}])
def test_times_out_of_order_are_refused(fields):
    with pytest.raises(ValueError, match=r"low_min|greater than 0"):
        journey("a", "b", **fields)


def plain(height_m: float) -> Dem:
    """Level ground with an error of 10 m."""
    source = Source("d", "", "", "", "")
    return Dem(
        np.full((20, 20), height_m, np.float32),
        Grid("EPSG:4326", Affine(0.1, 0, 9, 0, -0.1, 1), (20, 20)),
        source,
        10,
        1000,
    )


def height(elevation_m: float, lon: float = 10.0) -> DocumentedHeight:
    return DocumentedHeight("top", "Top", "a", "", lon, 0.0, elevation_m, Confidence("H"), ("x",))


def test_a_pin_a_thousand_metres_off_the_model_is_refused_and_over_three_errors_remarked_on():
    require_heights_near(plain(800.0), [height(1799.0), height(9000.0, lon=50.0)], 1000.0)
    with pytest.raises(
        CatalogueError, match=r"heights\.csv: 'top' is documented with 1,801 m, .* 800 m there; correct"
    ):
        require_heights_near(plain(800.0), [height(1801.0)], 1000.0)
    assert remark_on_heights(plain(800.0), [height(825.0)], 3.0) == []
    (said,) = remark_on_heights(plain(800.0), [height(835.0)], 3.0)
    assert said.key == "remark.height_off"
    assert (said.values["off_m"], said.values["error_m"]) == ("+35", "10")
