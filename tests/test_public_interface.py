"""The public interface as people of this ecosystem expect it: names, types, and options that are said by name."""

from __future__ import annotations

import inspect
import typing
from pathlib import Path

import geopandas as gpd
import pytest

import corridor
from corridor.schema.candidate import Candidate

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
