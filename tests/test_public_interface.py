"""The public interface as people of this ecosystem expect it: names, types, and options that are said by name."""

from __future__ import annotations

import inspect
import re
import typing
from pathlib import Path

import geopandas as gpd
import pytest

import corridor
from corridor.pipeline.graph import FractionalProgress
from corridor.schema.candidate import Candidate
from tests.synthetic.study import build

CLASSES = (corridor.Study, corridor.Comparison, corridor.Network, Candidate)
FUNCTIONS = [getattr(corridor, name) for name in corridor.__all__ if inspect.isfunction(getattr(corridor, name))]
METHODS = [
    method
    for owner in CLASSES
    for name, method in vars(owner).items()
    if not name.startswith("_") and inspect.isfunction(method)
]
NAMED = [*FUNCTIONS, *METHODS]


def test_every_public_name_is_there_and_no_other():
    assert corridor.__all__ == sorted(corridor.__all__, key=lambda name: (not name[0].isupper(), name))
    assert set(corridor.__all__) <= set(dir(corridor))
    assert all(getattr(corridor, name) is not None for name in corridor.__all__)
    with pytest.raises(AttributeError, match="no attribute 'moon'"):
        corridor.moon  # noqa: B018


@pytest.mark.parametrize("call", NAMED, ids=lambda call: call.__qualname__)
def test_public_calls_have_types_and_a_docstring(call):
    assert inspect.getdoc(call)
    signature = inspect.signature(call)
    assert signature.return_annotation is not inspect.Signature.empty
    for parameter in signature.parameters.values():
        if parameter.name not in {"self", "cls"}:
            assert parameter.annotation is not inspect.Parameter.empty, parameter.name


def _is_of_comparison(method):
    return method.__qualname__.startswith("Comparison.")


@pytest.mark.parametrize("call", [*FUNCTIONS, *filter(_is_of_comparison, METHODS)], ids=lambda call: call.__qualname__)
def test_options_are_said_by_name(call):
    """What a call is about goes by place, with at most one of it left out; whatever tunes it is named."""
    optional = [
        parameter.name
        for parameter in inspect.signature(call).parameters.values()
        if parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        and parameter.default is not inspect.Parameter.empty
    ]
    assert len(optional) <= 1, f"{call.__name__}: {optional}"


def test_type_checkers_read_the_package():
    assert (Path(corridor.__file__).parent / "py.typed").is_file()
    assert typing.get_type_hints(corridor.Comparison.rank)["return"].__name__ == "DataFrame"


def test_tables_with_lines_say_in_which_system(bundled):
    for table in (bundled.candidates, bundled.crossings):
        assert isinstance(table, gpd.GeoDataFrame)
        assert table.crs.to_epsg() == 4326


def test_a_study_goes_by_its_name_its_path_or_itself(tmp_path):
    bundled = corridor.Study.find("syunik")
    assert corridor.Study.find(bundled) is bundled
    own = tmp_path / "mine.toml"
    own.write_text('extends = "syunik"\nid = "mine"\n')
    assert corridor.Study.find(own).id == corridor.Study.find(str(own)).id == "mine"
    with pytest.raises(corridor.CorridorError, match="no bundled study 'syunic'"):
        corridor.compare("syunic")
    for name in ("my.geojson", tmp_path / "track.GPX"):
        with pytest.raises(corridor.CorridorError, match="is a drawn line, not a study; compare it with: corridor run"):
            corridor.compare(name)


def test_a_network_says_its_counts_and_not_its_tables(bundled):
    network = corridor.build_network("syunik")
    assert re.fullmatch(r"<Network: [\d,]+ edges, [\d,]+ nodes, .*km of road, \d+ passages>", repr(network))
    assert len(repr(network)) < 120
    assert bundled.places["candidate_id"].isin(bundled.candidates["candidate_id"]).all()
    regime = bundled.results.regimes[0].regime_id
    assert set(bundled.rank(regime=regime)["regime_id"]) == {regime}


def test_progress_tells_what_share_of_the_steps_is_done(tmp_path):
    heard = []
    study = corridor.Study.load(build(tmp_path / "new"))
    corridor.compare(study, progress=FractionalProgress(lambda step, share: heard.append((step, share))))
    shares = [share for _, share in heard if share is not None]
    assert len(shares) > 5
    assert shares == sorted(shares)
    assert 0 <= shares[0] < 0.2
    assert 0.5 < shares[-1] <= 1
