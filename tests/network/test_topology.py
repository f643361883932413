"""Splitting and merging of ways: nothing is lost, junctions stay, oneways keep their direction."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from corridor.network.ways import build_chains

NONE = np.zeros(0, dtype=np.int64)


def chains(ways, attribute=None, oneway=None, forced=NONE):
    ids = np.array([node for way in ways for node in way], dtype=np.int64)
    offsets = np.concatenate([[0], np.cumsum([len(way) for way in ways])]).astype(np.int64)
    attribute = np.zeros(len(ways), np.int64) if attribute is None else np.array(attribute, dtype=np.int64)
    oneway = np.zeros(len(ways), np.int64) if oneway is None else np.array(oneway, dtype=np.int64)
    built = build_chains(ids, offsets, attribute, oneway, np.asarray(forced, dtype=np.int64))
    return [
        ids[built.positions[a:b]].tolist() for a, b in zip(built.offsets[:-1], built.offsets[1:], strict=True)
    ], built  # fmt: skip


def unordered(runs):
    return sorted(min(run, run[::-1]) for run in runs)


def test_ways_meeting_end_to_end_become_one_edge():
    assert unordered(chains([[1, 2, 3], [3, 4], [6, 5, 4]])[0]) == [[1, 2, 3, 4, 5, 6]]


def test_a_junction_splits_the_way_that_passes_it():
    assert unordered(chains([[1, 2, 3], [2, 9]])[0]) == [[1, 2], [2, 3], [2, 9]]


def test_other_attributes_stay_apart():
    assert unordered(chains([[1, 2], [2, 3]], attribute=[0, 1])[0]) == [[1, 2], [2, 3]]


def test_forced_vertices_stay_nodes():
    assert unordered(chains([[1, 2, 3]], forced=[2])[0]) == [[1, 2], [2, 3]]


def test_oneways_merge_only_head_to_tail_and_keep_their_direction():
    assert chains([[3, 4], [1, 2, 3]], oneway=[1, 1])[0] == [[1, 2, 3, 4]]
    assert unordered(chains([[1, 2], [3, 2]], oneway=[1, 1])[0]) == [[1, 2], [2, 3]]


def test_a_ring_without_junction_is_one_edge_from_a_vertex_to_itself():
    runs, built = chains([[1, 2, 3], [3, 4, 1]])
    assert len(runs) == 1
    assert built.u[0] == built.v[0]
    assert len(runs[0]) == 5


@given(
    st.lists(st.lists(st.integers(0, 14), min_size=2, max_size=6), min_size=1, max_size=14), st.integers(0, 2**32 - 1)
)
@settings(max_examples=200, deadline=None)
def test_every_segment_is_kept_once(ways, seed):
    ways = [[a for a, b in zip(way, [*way[1:], None], strict=True) if a != b] for way in ways]
    ways = [way for way in ways if len(way) > 1]
    if not ways:
        return
    oneway = np.random.default_rng(seed).integers(0, 2, len(ways))
    runs, built = chains(ways, oneway=oneway)
    segments = sorted(tuple(sorted(pair)) for way in ways for pair in itertools.pairwise(way))
    kept = sorted(tuple(sorted(pair)) for run in runs for pair in itertools.pairwise(run))
    assert kept == segments
    directed = {pair for way, one in zip(ways, oneway, strict=True) if one for pair in itertools.pairwise(way)}
    for run, way in zip(runs, built.way, strict=True):
        if oneway[way]:
            assert set(itertools.pairwise(run)) <= directed
