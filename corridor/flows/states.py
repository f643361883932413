"""States of a long-distance network, and answers that are found in one and hold in others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from corridor.flows.cost import End
from corridor.schema.catalogue import ZERO, Estimate

Ints = NDArray[np.int64]
Words = NDArray[np.uint64]
T = TypeVar("T")
_WORD = 64


@dataclass(frozen=True)
class NetworkState:
    """Which links are in use, with which added hours, and which factors stand at another end than the others.

    Hours are a range: a way is looked for at one of its ends, as prices are.
    """

    links: frozenset[str]
    extra_h: tuple[tuple[str, Estimate], ...] = ()
    overrides: tuple[tuple[str, End], ...] = ()


class Found(NamedTuple, Generic[T]):
    """An answer with the ids of the links that it uses; answers with the same key are one and the same."""

    answer: T
    used: Iterable[str]
    key: Hashable


class Answers(Generic[T]):
    """Answers about best ways, each computed once for all states of a network in which it must come out the same.

    A best way stays the best if links that it doesn't use are shut or slowed; so what was found in a state holds in
    every state with fewer links and more delay, as long as the links that it uses are there and no slower, and loads
    can change vehicles at the same places. Sets of links are rows of bits, so that a state is held against all that is
    known at once.

    Args:
        link_ids: ids of all links.
        find: computes the answers to some questions, by their numbers, in a state.
        changes: what of some links lets loads change vehicles, alike only where they can do so at the same places.
        optional: links that states differ by. What isn't known is first looked for with all of them there: an answer
            that uses none of those that a state lacks holds in that state and in many others.
    """

    def __init__(
        self,
        link_ids: Sequence[str],
        find: Callable[[NetworkState, Ints], Iterable[Found[T]]],
        changes: Callable[[frozenset[str]], Hashable],
        optional: frozenset[str] = frozenset(),
    ) -> None:
        self.values: list[T] = []
        """All answers that differ; elsewhere they go by their numbers here."""
        self._find, self._changes, self._optional = find, changes, optional
        self._places = {link_id: place for place, link_id in enumerate(link_ids)}
        self._bits = max(1, -(-len(link_ids) // _WORD)) * _WORD
        self._numbers: dict[Hashable, int] = {}
        self._at_state: dict[NetworkState, Ints] = {}
        # What is known, a row each: question and answer, the links of the state, those used, the delays there, and
        # where loads can change vehicles.
        self._count = 0
        self._asked, self._answer, self._delay, self._place = np.empty((4, 256), dtype=np.int64)
        self._links, self._used = np.empty((2, 256, self._bits // _WORD), dtype=np.uint64)
        self._delays: dict[tuple[tuple[str, Estimate], ...], int] = {}
        self._numbers_of_changes: dict[Hashable, int] = {}

    def at(self, state: NetworkState, questions: Ints) -> Ints:
        """Numbers of the answers to some questions in a state, shape ``(questions,)``.

        Args:
            state: the network's state.
            questions: their numbers.
        """
        known = self._room(state, int(questions.max(initial=-1)) + 1)
        lacking = questions[known[questions] < 0]
        if len(lacking):
            # what holds of other states answers more than is asked: it is kept as well
            self._take_over(state, known)
            lacking = np.unique(lacking[known[lacking] < 0])
        more = state.links | self._optional
        if len(lacking) and more != state.links and self._changes(more) == self._changes(state.links):
            self.at(replace(state, links=more), lacking)
            self._take_over(state, known)
            lacking = lacking[known[lacking] < 0]
        if len(lacking):
            links, delay = self._row(state.links), self._delays.setdefault(state.extra_h, len(self._delays))
            at = delay, self._number_of_changes(state)
            for question, found in zip(lacking, self._find(state, lacking), strict=True):
                known[question] = self._add(int(question), found, links, at)
        return known[questions]

    def _room(self, state: NetworkState, count: int) -> Ints:
        """Answers that are known in a state, -1 for none, with room for at least some questions."""
        known = self._at_state.get(state)
        if known is None or len(known) < count:
            wider = np.full(max(count, 64 if known is None else 2 * len(known)), -1)
            wider[: 0 if known is None else len(known)] = [] if known is None else known
            self._at_state[state] = known = wider
        return known

    def _take_over(self, state: NetworkState, known: Ints) -> None:
        """Answers of other states that hold in a state."""
        n = self._count
        links = self._row(state.links)
        # With links only taken away, and none that the best way uses, that way is still the best.
        holds = ~((links & ~self._links[:n]) | (self._used[:n] & ~links)).any(axis=1)
        # A transfer needs links that a way needn't use: with the last of them gone there is none.
        at = np.flatnonzero(holds & (self._place[:n] == self._number_of_changes(state)))
        at = at[self._asked[at] < len(known)]
        at = at[known[self._asked[at]] < 0]
        delays, place = np.unique(self._delay[at], return_inverse=True)
        quicker, differs = self._beside(state, delays)
        at = at[~quicker[place] & ~(self._used[at] & differs[place]).any(axis=1)]
        # of several that hold the first one counts
        at = at[::-1]
        known[self._asked[at]] = self._answer[at]

    def _beside(self, state: NetworkState, numbers: Ints) -> tuple[NDArray[np.bool_], Words]:
        """How a state stands beside delays, by their numbers: whether a link is quicker in it, and which differ."""
        mine, each = dict(state.extra_h), list(self._delays)
        quicker = np.zeros(len(numbers), dtype=bool)
        differs = np.zeros((len(numbers), self._links.shape[1]), dtype=np.uint64)
        for place, theirs in enumerate(dict(each[number]) for number in numbers):
            own = {link_id: mine.get(link_id, ZERO) for link_id in {*mine, *theirs}}
            # Delays elsewhere may only have grown: a link that became faster could draw the way to itself.
            quicker[place] = any(_less(own[i], hours) for i, hours in theirs.items() if i in state.links)
            if not quicker[place] and theirs != mine:
                differs[place] = self._row(i for i, hours in own.items() if hours != theirs.get(i, ZERO))
        return quicker, differs

    def _number_of_changes(self, state: NetworkState) -> int:
        return self._numbers_of_changes.setdefault(self._changes(state.links), len(self._numbers_of_changes))

    def _add(self, question: int, found: Found[T], links: Words, at: tuple[int, int]) -> int:
        """Keep an answer; gives its number."""
        number = self._numbers.setdefault((question, found.key), len(self.values))
        if number == len(self.values):
            self.values.append(found.answer)
        n = self._count
        if n == len(self._asked):
            self._asked, self._answer, self._delay, self._place = (np.resize(a, 2 * n) for a in self._columns())
            self._links, self._used = (np.resize(a, (2 * n, a.shape[1])) for a in (self._links, self._used))
        self._asked[n], self._answer[n], (self._delay[n], self._place[n]) = question, number, at
        self._links[n], self._used[n] = links, self._row(found.used)
        self._count += 1
        return number

    def _columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        return self._asked, self._answer, self._delay, self._place

    def _row(self, links: Iterable[str]) -> Words:
        """A set of links as a row of bits."""
        flags = np.zeros(self._bits, dtype=bool)
        flags[[self._places[link_id] for link_id in links]] = True
        return np.packbits(flags).view(np.uint64)


def _less(delay: Estimate, other: Estimate) -> bool:
    """Whether a delay is less than another at any end: questions are asked at each of them."""
    return delay.low < other.low or delay.mid < other.mid or delay.high < other.high
