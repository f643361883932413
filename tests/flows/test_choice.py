"""Shares, path sizes and logsums against closed forms and the laws that they obey."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.flows.cost import fit_theta, logit_shares, logsum_usd, path_sizes
from corridor.report.i18n import render

COSTS = st.lists(st.floats(10, 10_000), min_size=1, max_size=6)
THETA = st.floats(1e-4, 0.05)


def test_two_parallel_ways_share_as_the_logit_says():
    shares = logit_shares(np.array([100.0, 300.0]), np.ones(2), 0.01)
    assert shares[0] == pytest.approx(1 / (1 + math.exp(-2.0)), rel=1e-14)
    assert shares.sum() == pytest.approx(1.0, abs=1e-15)


def test_overlapping_ways_count_for_what_is_their_own():
    # Ben-Akiva and Bierlaire's case: two ways share all but a last piece, a third shares nothing; all cost the same
    length, piece = 10.0, 1.0
    ways = [{"common": length - piece, "a": piece}, {"common": length - piece, "b": piece}, {"c": length}]
    sizes = path_sizes(ways)
    own = (length - piece) / length / 2 + piece / length
    assert sizes == pytest.approx([own, own, 1.0])
    shares = logit_shares(np.full(3, 500.0), sizes, 0.01)
    assert shares == pytest.approx([own / (1 + 2 * own), own / (1 + 2 * own), 1 / (1 + 2 * own)])


def test_ways_that_are_one_share_as_one():
    sizes = path_sizes([{"a": 3.0}, {"a": 3.0}, {"b": 3.0}])
    assert logit_shares(np.full(3, 200.0), sizes, 0.02) == pytest.approx([0.25, 0.25, 0.5])


def test_logsum_of_one_way_is_its_cost_and_of_two_alike_less_by_ln_2():
    assert logsum_usd(np.array([700.0]), np.ones(1), 0.01) == pytest.approx(700.0)
    assert logsum_usd(np.array([700.0, 700.0]), np.ones(2), 0.01) == pytest.approx(700.0 - math.log(2) / 0.01)


def test_no_way_at_all_has_no_share_and_an_endless_logsum():
    nothing = np.full(2, np.inf)
    assert logit_shares(nothing, np.ones(2), 0.01).tolist() == [0.0, 0.0]
    assert logsum_usd(nothing, np.ones(2), 0.01) == math.inf


@given(COSTS, THETA, st.data())
def test_laws_of_the_logsum(costs, theta, data):
    costs = np.array(costs)
    sizes = np.array(data.draw(st.lists(st.floats(0.05, 1), min_size=len(costs), max_size=len(costs))))
    logsum = logsum_usd(costs, sizes, theta)
    assert (logsum <= costs - np.log(sizes) / theta + 1e-6).all()
    assert logit_shares(costs, sizes, theta).sum() == pytest.approx(1.0)
    # a way that costs more, or is lost, never lowers it
    at = data.draw(st.integers(0, len(costs) - 1))
    for worse in (costs[at] + 50, np.inf):
        dearer = costs.copy()
        dearer[at] = worse
        assert logsum_usd(dearer, sizes, theta) >= logsum - 1e-6


@given(COSTS, THETA)
def test_shares_depend_on_differences_of_cost_alone(costs, theta):
    costs, sizes = np.array(costs), np.ones(len(costs))
    assert logit_shares(costs + 1234.5, sizes, theta) == pytest.approx(logit_shares(costs, sizes, theta), abs=1e-9)


def _assign(theta):
    # two pairs of 1,000 loads, each with a way by the counted link and one beside it
    flows = [1000 / (1 + math.exp(theta * gap)) for gap in (150.0, -260.0)]
    return np.array(flows)


def test_theta_is_found_again_from_counts_that_it_made():
    fit = fit_theta(_assign(0.006), _assign, (0.001, 0.003, 0.02))
    assert fit.identified
    assert fit.theta == pytest.approx(0.006, rel=1e-4)
    assert fit.residual == pytest.approx(np.zeros(2), abs=0.1)


@pytest.mark.parametrize(
    ("observed", "assign", "reason"),
    [
        (np.array([500.0]), lambda _: np.array([500.0]), "two are needed"),
        (np.array([500.0, 400.0]), lambda _: np.array([500.0, 400.0]), "whole declared range"),
        (np.array([9000.0, 9000.0]), _assign, "outside the range|too little|whole declared"),
    ],
)
def test_counts_that_dont_tell_theta_leave_it_declared(observed, assign, reason):
    fit = fit_theta(observed, assign, (0.001, 0.003, 0.02))
    assert not fit.identified
    assert fit.theta is None
    assert re.search(reason, render(fit.reason))
    assert fit.residual == pytest.approx(observed - fit.fitted)
