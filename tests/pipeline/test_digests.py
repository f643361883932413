"""Digests of values by their content."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from hypothesis import given
from hypothesis import strategies as st

from corridor.pipeline.digests import MAX_ARRAY_BYTES, fingerprint


@dataclass(frozen=True)
class Pair:
    left: object
    right: object


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4)
VALUES = st.recursive(
    PLAIN | st.binary(max_size=4),
    lambda inner: st.tuples(inner, inner) | st.lists(inner, max_size=3) | st.builds(Pair, inner, inner)
    | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=6,
)  # fmt: skip


def told(value):
    """A text that is the same for values that a fingerprint may not tell apart, and for no others."""
    if isinstance(value, dict):
        return f"dict{[(told(k), told(v)) for k, v in value.items()]}"
    if isinstance(value, (tuple, list)):
        return f"{type(value).__name__}{[told(v) for v in value]}"
    if isinstance(value, Pair):
        return f"Pair{[told(value.left), told(value.right)]}"
    return f"{type(value).__name__}:{value!r}"


@given(VALUES, VALUES)
def test_a_fingerprint_tells_values_apart_and_knows_them_again(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (told(one) == told(other))
    assert fingerprint(one) == fingerprint(pickle.loads(pickle.dumps(one)))


def test_fingerprints_of_geometry_arrays_and_sets():
    line = shapely.LineString([(0, 0), (1, 1)])
    assert fingerprint(line) == fingerprint(shapely.from_wkb(line.wkb)) != fingerprint(line.reverse())
    assert fingerprint(np.arange(3)) != fingerprint(np.arange(3.0)) != fingerprint(np.arange(3.0)[::-1])
    assert fingerprint(np.zeros((2, 3))) != fingerprint(np.zeros((3, 2)))
    assert fingerprint(frozenset({"a", "b"})) == fingerprint(frozenset({"b", "a"})) != fingerprint(frozenset({"a"}))
    assert fingerprint(pd.DataFrame()) is None
    assert fingerprint((1, Pair(np.zeros(MAX_ARRAY_BYTES), 2))) is None
