"""What a study can add: regimes of its own, and documented times that truck times are fitted to."""

from __future__ import annotations

import copy
import tomllib

import pytest

import corridor
from corridor.errors import CorridorError
from corridor.files import data_root
from corridor.pipeline.comparing import open_run
from corridor.pipeline.steps import impacts

STUDY = data_root() / "studies" / "syunik.toml"


def compare(change):
    content = tomllib.loads(STUDY.read_text(encoding="utf-8"))
    content["elevation"]["draws"] = 0
    content["candidates"] = content["candidates"][:1]
    content["impact"]["strip_draws"] = 0
    regimes = tomllib.loads((data_root() / "reference" / "regimes.toml").read_text(encoding="utf-8"))["regimes"]
    change(content, copy.deepcopy(regimes))
    return corridor.compare(corridor.Study.build(content, STUDY.parent, "mine"))


def only_for_the_railway(content, regimes):
    """The catalogue's own file has regimes for other routes too: keep those that fit the one candidate."""
    known = tomllib.loads(STUDY.read_text(encoding="utf-8"))["candidates"]
    content["candidates"] += [*known[4:8], *(row for row in known if row.get("id") == "agstafa-yeraskh-rail")]
    content["impact"]["own_regimes"] = {"mine": regimes["sealed"] | {"label": "Mine"}}


@pytest.fixture(scope="module")
def compared():
    """With a regime of its own, and with a documented time."""

    def documented(content, regimes):
        only_for_the_railway(content, regimes)
        content["times"] = [
            {"name": "Yerevan-Goris", "from_node": "yerevan", "to_node": "goris", "low_min": 400, "high_min": 400,
             "vehicle": "truck", "source": "general-knowledge"},
        ]  # fmt: skip

    return compare(documented)


def test_a_study_s_own_regime_is_measured_like_the_others(compared):
    table = compared.metrics.set_index(["candidate_id", "regime_id"])
    own, listed = table.loc[("aras-rail", "mine")], table.loc[("aras-rail", "sealed")]
    assert own["access_delay_min"] == listed["access_delay_min"]
    assert own["clarity_of_6"] == 0


def test_a_study_that_names_no_file_of_regimes_has_its_own_alone():
    """Its catalogue is the toolkit's, whose rules would fit it; but they are of one region."""

    def regimes_of(own):
        content = tomllib.loads(STUDY.read_text(encoding="utf-8"))
        del content["impact"]["regimes"]
        content["impact"]["own_regimes"] = own
        return open_run(corridor.Study.build(content, STUDY.parent, "mine"))[impacts.regimes]

    listed = tomllib.loads((data_root() / "reference" / "regimes.toml").read_text(encoding="utf-8"))["regimes"]
    assert list(regimes_of({"mine": listed["sealed"] | {"label": "Mine"}})) == ["mine"]
    with pytest.raises(CorridorError, match=r"impact\.regimes: none are named; name a file of regimes, or write own_"):
        regimes_of({})


def test_a_wrong_regime_is_named():
    def wrong(content, regimes):
        only_for_the_railway(content, regimes)
        content["impact"]["own_regimes"]["mine"]["crossing"] = {"kind": "open-ish"}

    with pytest.raises(CorridorError, match="regime 'mine'"):
        compare(wrong)


def test_times_are_fitted_to_documented_ones(compared):
    said = compared.notes["impacts"][-1]
    assert said.startswith("Driving times are the computed ones times ")
    factor = float(said.split()[7].rstrip(","))
    assert factor > 1.3
