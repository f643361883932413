"""Steps that declare what they need: each value is computed once, and again only where what it hangs on has changed.

A step is a plain function. Its name is the value that it gives, its parameters name the values that it is computed
from, and it sees nothing else; so what is stale after a change follows from the steps themselves and can't be
forgotten. A value is kept under a key made from the keys of what it was computed from ("deep constructive traces" of
build systems; Mokhov, Mitchell and Peyton Jones 2018, doi:10.1145/3236774). ::

    @step(says="adding up")
    def total(prices: tuple[float, ...], rebate: float) -> float:
        return sum(prices) * (1 - rebate)

    run = Run(Graph([total]), {"prices": (1.0, 2.0), "rebate": 0.5})
    run[total]                      # 1.5
    run.replace(rebate=0.0)[total]  # 3.0; whatever doesn't hang on the rebate is taken from before
"""

from __future__ import annotations

import itertools
import weakref
from collections import Counter, OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from graphlib import CycleError, TopologicalSorter
from inspect import signature
from typing import Any, Generic, ParamSpec, TypeVar, overload

from corridor.memory import give_memory_back
from corridor.pipeline.digests import combine, fingerprint
from corridor.processes import Fork

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
Progress = Callable[[str], None]

PROGRESS = "progress"
"""A parameter of this name takes words about what is being done; nothing is computed from it."""
KEEP_ITEMS = 256


class FractionalProgress:
    """A taker of steps' names that hears with each what fraction of all steps is done, 0 to 1."""

    def __init__(self, show: Callable[[str, float | None], None]) -> None:
        self._show = show
        self._fraction: float | None = None

    def __call__(self, step: str) -> None:
        """Take a step's name."""
        self._show(step, self._fraction)

    def reach(self, fraction: float) -> None:
        """Take the fraction of steps that are done."""
        self._fraction = fraction


def _same(value: T) -> T:
    return value


def silent(_: str) -> None:
    """Take a step's name and say nothing."""


@dataclass(frozen=True)
class Declared:
    """What a graph knows of a step.

    ``name`` is the value that it gives and ``inputs`` what that is computed from; ``says`` is said when it begins;
    ``keep`` is how many values of it are kept at a time. ``by_value`` says that what hangs on it is stale only if the
    value itself comes out another, for cheap steps that take a part out of a greater whole. ``at_once``
    computes several of its items, from what each is computed from, where they share work.
    """

    name: str
    inputs: tuple[str, ...]
    says: str
    keep: int
    by_value: bool
    takes_progress: bool
    at_once: Callable[..., Sequence[Any]] | None = None


class Step(Generic[P, T_co]):
    """A function whose value a graph keeps; it can be called as the plain function that it is."""

    def __init__(self, function: Callable[P, T_co], declared: Declared) -> None:
        self.function, self.declared = function, declared
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """What the function gives."""
        return self.function(*args, **kwargs)


class Each(Generic[P, T_co]):
    """A function that is computed item by item: for each candidate, or for each candidate and regime.

    Others take all its values, as a mapping that computes them when they are asked for, under ``declared.name``; other
    functions of this kind take the value of their own item under ``element``, the function's name.
    """

    def __init__(self, function: Callable[P, T_co], declared: Declared, element: str) -> None:
        self.function, self.declared, self.element = function, declared, element
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T_co:
        """What the function gives for one item."""
        return self.function(*args, **kwargs)


AnyStep = Step[Any, Any] | Each[Any, Any]


def step(*, says: str = "", keep: int = 1, by_value: bool = False) -> Callable[[Callable[P, T]], Step[P, T]]:
    """Make a function a step.

    Args:
        says: what to tell people when it begins.
        keep: how many of its values are kept, the last ones used.
        by_value: whether what hangs on it is stale only if its value comes out another.
    """

    def declare(function: Callable[P, T]) -> Step[P, T]:
        return Step(function, _declared(function, _name_of(function), says, keep, by_value))

    return declare


def each(
    gives: str,
    *,
    says: str = "",
    keep: int = KEEP_ITEMS,
    by_value: bool = False,
    at_once: Callable[..., Sequence[Any]] | None = None,
) -> Callable[[Callable[P, T]], Each[P, T]]:
    """Make a function a step that is computed item by item.

    Args:
        gives: the name of the mapping of all its values.
        says: what to tell people when the first item begins.
        keep: how many items are kept, the last ones used.
        by_value: as in :func:`step`.
        at_once: computes all items that aren't kept when one of them is asked for, for steps whose items share work or
            keep all cores busy. It takes a list of what items are computed from, by name, and gives their values.
    """

    def declare(function: Callable[P, T]) -> Each[P, T]:
        declared = replace(_declared(function, gives, says, keep, by_value), at_once=at_once)
        return Each(function, declared, _name_of(function))

    return declare


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", ""))


def _declared(function: Callable[..., Any], name: str, says: str, keep: int, by_value: bool) -> Declared:
    names = parameters(function)
    inputs = tuple(n for n in names if n != PROGRESS)
    return Declared(name, inputs, says, keep, by_value, takes_progress=PROGRESS in names)


def parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of a function's parameters.

    Args:
        function: any.
    """
    return tuple(signature(function).parameters)


class Graph:
    """Steps, and what hangs on what.

    Args:
        steps: the steps, in any order.
        items: for each kind of item that functions are computed for, the mapping whose values they are:
            ``{"candidate": "candidates"}``. Keys of values of several kinds are tuples in the order given here.
        narrower: kinds whose items are items of another kind too: ``{"route": "candidate"}``. What takes items of both
            is computed for those of the narrower one alone.

    Raises:
        ValueError: two steps give one value, steps hang on each other in a circle, or a function is to be
            computed item by item and takes no item.
    """

    def __init__(
        self,
        steps: Iterable[AnyStep],
        items: Mapping[str, str] | None = None,
        narrower: Mapping[str, str] | None = None,
    ) -> None:
        self.steps: dict[str, AnyStep] = {}
        self.roots = dict(items or {})
        self.narrower = dict(narrower or {})
        # names of single items, with the mapping that each is from
        self.mapping_of = dict(self.roots)
        for found in steps:
            taken = [found.declared.name, *([found.element] if isinstance(found, Each) else [])]
            if twice := [name for name in taken if name in self.steps or name in self.mapping_of]:
                raise ValueError(f"two steps give '{twice[0]}'")
            self.steps[found.declared.name] = found
            if isinstance(found, Each):
                self.mapping_of[found.element] = found.declared.name
        self.order = self._sorted()
        self.kinds = self._kinds()

    def _needs(self, name: str) -> tuple[str, ...]:
        """Names of whole values that a step is computed from."""
        return tuple(self.mapping_of.get(needed, needed) for needed in self.steps[name].declared.inputs)

    def _sorted(self) -> tuple[str, ...]:
        try:
            return tuple(TopologicalSorter({name: self._needs(name) for name in self.steps}).static_order())
        except CycleError as fault:
            raise ValueError(f"steps hang on each other: {' <- '.join(fault.args[1])}") from fault

    def _kinds(self) -> dict[str, tuple[str, ...]]:
        """For each mapping, the kinds of item that it has an entry for, in the order of the graph's kinds."""
        kinds: dict[str, tuple[str, ...]] = {mapping: (kind,) for kind, mapping in self.roots.items()}
        for name in self.order:
            found = self.steps.get(name)
            taken = [n for n in found.declared.inputs if n in self.mapping_of] if found else []
            if isinstance(found, Each):
                # A step has an entry for every combination of the kinds that it takes; of a narrower and a wider kind,
                # the narrower one.
                met = {kind for n in taken for kind in kinds[self.mapping_of[n]]}
                met -= {wide for narrow, wide in self.narrower.items() if narrow in met}
                kinds[name] = tuple(kind for kind in self.roots if kind in met)
            if bool(taken) != isinstance(found, Each):
                what = "takes no item" if isinstance(found, Each) else f"takes the single item '{taken[0]}'"
                raise ValueError(f"step '{name}': {what}; declare it with {'step' if not taken else 'each'}")
        return kinds

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names that no step gives."""
        return frozenset(self.order) - set(self.steps)

    def upstream(self, name: str, known: Iterable[str] = ()) -> frozenset[str]:
        """A value and all that it hangs on.

        Args:
            name: of a value.
            known: names of values that are settled, so that what they hang on doesn't count.
        """
        # What is settled counts itself, but nothing is followed through it.
        settled, found, waiting = set(known), set(), [name]
        while waiting:
            at = waiting.pop()
            if at not in found:
                found.add(at)
                waiting += [] if at in settled or at not in self.steps else self._needs(at)
        return frozenset(found)


class Held:
    """A value that is kept, with the digests of its content that were asked for."""

    __slots__ = ("_digests", "value")

    def __init__(self, value: Any) -> None:
        self.value = value
        self._digests: dict[Any, bytes | None] = {}

    def digest(self, item: Any = None) -> bytes | None:
        """The digest of the value, or of one item of it."""
        if item not in self._digests:
            self._digests[item] = fingerprint(self.value if item is None else self.value[item])
        return self._digests[item]


class Cache:
    """Values by step and key, the last ones used; ``made`` counts how often each step was computed.

    It stays in its process: copied or sent, it arrives empty.
    """

    def __init__(self) -> None:
        self.made: Counter[str] = Counter()
        self._shelves: dict[str, OrderedDict[bytes, Held]] = {}
        self._marks: dict[int, tuple[Any, bytes]] = {}
        self._numbers = itertools.count()

    def __reduce__(self) -> tuple[Any, ...]:
        return Cache, ()

    def get(self, declared: Declared, key: bytes, make: Callable[[], Any]) -> Held:
        """What a step gave under a key, or what ``make`` gives now.

        Args:
            declared: the step.
            key: of what its inputs are.
            make: computes the value.
        """
        shelf = self._shelves.setdefault(declared.name, OrderedDict())
        if key not in shelf:
            value = make()
            self.made[declared.name] += 1
            shelf[key] = Held(value)
            # The oldest goes first: a value that is used is moved to the end below.
            while len(shelf) > declared.keep:
                shelf.popitem(last=False)
        shelf.move_to_end(key)
        return shelf[key]

    def has(self, declared: Declared, key: bytes) -> bool:
        """Whether a step's value is kept under a key."""
        return key in self._shelves.get(declared.name, ())

    @property
    def names(self) -> frozenset[str]:
        """Names of the steps of which values are kept."""
        return frozenset(self._shelves)

    def keep_only(self, names: Collection[str]) -> None:
        """Let go the values of all other steps."""
        for name in self._shelves.keys() - names:
            del self._shelves[name]

    def mark(self, value: Any) -> bytes:
        """A key for a value that goes by its identity: the same for the same object, and never again for another."""
        at = id(value)
        if at not in self._marks:
            try:
                # A weak reference, so that a mark keeps no large value alive; the mark goes with its value, as another
                # object may get the same identity.
                kept: Any = weakref.ref(value, lambda _: self._marks.pop(at, None))
            except TypeError:
                kept = value  # held, so that nothing else gets its identity
            self._marks[at] = kept, combine("mark", str(next(self._numbers)))
        return self._marks[at][1]


class Items(Mapping[Any, T]):
    """What a step gives item by item: each is computed when it is asked for. Keys of several kinds are tuples."""

    def __init__(self, run: Run, found: Each[Any, T]) -> None:
        self._run, self._step = run, found

    def __getitem__(self, item: Any) -> T:
        value: T = self._run._item(self._step, item).value
        return value

    def __iter__(self) -> Iterator[Any]:
        graph = self._run.graph
        keys = [list(self._run[graph.roots[kind]]) for kind in graph.kinds[self._step.declared.name]]
        return iter(keys[0]) if len(keys) == 1 else itertools.product(*keys)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Run:
    """The values of a graph for given ones.

    Any value can be given, also one that a step would give: that step isn't run then. Values are never changed in
    place, only replaced.

    Args:
        graph: the steps.
        given: values by name.
        progress: called with what a step says when it begins.
        cache: what is known from other runs of the graph.
        ahead: values that a copy of this process is computing.

    Raises:
        ValueError: a name is unknown to the graph.
    """

    def __init__(
        self,
        graph: Graph,
        given: Mapping[str, Any],
        *,
        progress: Progress = silent,
        cache: Cache | None = None,
        ahead: Fork | None = None,
    ) -> None:
        if unknown := sorted(set(given) - set(graph.order)):
            raise ValueError(f"no step has to do with '{unknown[0]}'")
        self.graph, self.cache = graph, cache or Cache()
        self._given = {name: Held(value) for name, value in given.items()}
        self._progress = progress
        self._said: set[str] = set()
        self._keys: dict[str, bytes] = {}
        # a run's values are fixed, so what they are made from is, too
        self._made: dict[str | tuple[str, Any], bytes] = {}
        self._fork = Fork() if ahead is None else ahead
        self._their_items: dict[str, frozenset[Any]] = {}

    def replace(self, **values: Any) -> Run:
        """The same with other values given; what doesn't hang on them is shared.

        Args:
            values: by name.
        """
        # The cache is shared, so that whatever has the same key in both is computed once.
        other = Run(self.graph, values, progress=self._progress, cache=self.cache)
        other._given = self._given | other._given
        return other

    def holding(self, names: Iterable[str]) -> Run:
        """The same with values held fast as they come out, so that runs which replace others needn't make them again.

        Args:
            names: of values to hold.
        """
        other = self.replace(**{name: self[name] for name in names})
        # it is one run for who hears of its steps: what was said counts among all that there is to say
        other._said, other._sayings = self._said, self._sayings
        return other

    def freed(self, names: Iterable[str], progress: Progress = silent) -> Run:
        """The same with some values computed again instead of given.

        Args:
            names: of values; those that weren't given are as they were.
            progress: who hears of its steps.
        """
        other = Run(self.graph, {}, progress=progress, cache=self.cache)
        # values keep the digests that are known of them
        other._given = {name: held for name, held in self._given.items() if name not in set(names)}
        return other

    def pinned(self, names: Iterable[str]) -> dict[str, Any]:
        """What is given, and more values as they come out: given to another run, it needn't compute them.

        Args:
            names: of values to add.
        """
        return {name: held.value for name, held in self._given.items()} | {name: self[name] for name in names}

    def given(self, name: str) -> bool:
        """Whether a value was given rather than computed.

        Args:
            name: of the value.
        """
        return name in self._given

    def needed_for(self, *names: str) -> frozenset[str]:
        """Names of some values and of all that they hang on, as far as what is given.

        Args:
            names: of the values.
        """
        return frozenset().union(*(self.graph.upstream(name, known=self._given) for name in names))

    @cached_property
    def _sayings(self) -> frozenset[str]:
        """What the steps say that the last one, which takes in the others, hangs on."""
        needed = self.needed_for(self.graph.order[-1]) & set(self.graph.steps)
        steps = (self.graph.steps[name].declared for name in needed - set(self._given))
        return frozenset(declared.says for declared in steps if declared.says)

    @overload
    def __getitem__(self, wanted: str) -> Any: ...
    @overload
    def __getitem__(self, wanted: Step[..., T]) -> T: ...
    @overload
    def __getitem__(self, wanted: Each[..., T]) -> Mapping[Any, T]: ...
    def __getitem__(self, wanted: str | AnyStep) -> Any:
        """A value by its name or its step.

        Raises:
            ValueError: something that it hangs on is neither given nor made by a step.
        """
        name = wanted if isinstance(wanted, str) else wanted.declared.name
        found = self.graph.steps.get(name)
        if name not in self._given and isinstance(found, Each):
            return Items(self, found)
        return self._held(name).value

    def in_turn(self, wanted: Iterable[str]) -> Iterator[tuple[str, Any]]:
        """Several values one after another, after the last of which nothing more is asked of this run.

        After each of them all is let go that none of those to come is computed from, so that a run needs less memory.
        What is let go and asked for after all is computed again.

        Args:
            wanted: names of the values in the order in which they are computed.

        Yields:
            The name of each and its value.
        """
        left = list(wanted)
        while left:
            name = left.pop(0)
            value = self[name]
            # of a value that is computed item by item all is meant
            yield name, dict(value) if isinstance(value, Items) else value
            # A whole value is there and asks for nothing more; one that is computed item by item may have let go some.
            whole = {name for name in self.cache.names if isinstance(self.graph.steps[name], Step)}
            settled = self._given.keys() | whole | self._fork.names - self._their_items.keys()
            needed = (self.graph.upstream(name, known=settled) for name in left)
            self.cache.keep_only(frozenset().union(*needed))
            give_memory_back()

    @contextmanager
    def fork(self, names: Iterable[str], halves: Iterable[str] = ()) -> Iterator[None]:
        """Have some values computed by a copy of this process, where there is a core for it, while this one goes on.

        The copy knows what is computed by now, with what an earlier one was still to give; whoever asks for one of its
        values waits for it. For programs of which no other thread is at work.

        Args:
            names: of the values, in the order in which they will be asked for.
            halves: of values that are computed item by item: of these the copy takes over the later half, before all
                others.
        """
        for name in self._fork.names & self.graph.steps.keys():
            self._receive(self.graph.steps[name])
        # who computes them says nothing: steps are said when their values are taken
        silently, wanted = self.freed(()), list(names)
        # all that is given is the same: what values are known by needn't be found again
        silently._keys, silently._made = self._keys, self._made
        theirs = {name: items[(len(items) + 1) // 2 :] for name in halves for items in [list(self[name])]}

        def compute() -> Iterator[tuple[str, Any]]:
            for name, items in theirs.items():
                yield name, {item: silently[name][item] for item in items}
            yield from silently.in_turn(wanted)

        with Fork([*theirs, *wanted], compute, self._fork.meanwhile) as self._fork:
            self._their_items = {name: frozenset(items) for name, items in theirs.items()}
            yield

    def _receive(self, found: AnyStep) -> None:
        """Keep what the copy of this process computed of a step, if it did."""
        for value in self._fork.take(found.declared.name):
            self._say(found)
            if isinstance(found, Step):
                self.cache.get(found.declared, self._made_from(found), partial(_same, value))
            else:
                for item, one in value.items():
                    self.cache.get(found.declared, self._item_made_from(found, item), partial(_same, one))

    def key(self, name: str) -> bytes:
        """What a value is known by: runs with the same key have the same value.

        Args:
            name: of the value.
        """
        if name not in self._keys:
            self._keys[name] = self._key(name)
        return self._keys[name]

    def _key(self, name: str) -> bytes:
        if name in self._given:
            held = self._given[name]
            # What has a digest is known by its content, anything else by its identity.
            return held.digest() or self.cache.mark(held.value)
        found = self.graph.steps.get(name)
        if found is None:
            raise ValueError(f"'{name}' is neither given nor made by a step")
        made_from = self._made_from(found)
        # Known by its content, a value that comes out the same again leaves standing all that hangs on it.
        if isinstance(found, Step) and found.declared.by_value:
            return self._computed(found, made_from).digest() or made_from
        return made_from

    def _made_from(self, found: AnyStep) -> bytes:
        """The key of a step's whole value, by what it is computed from."""
        name = found.declared.name
        if name not in self._made:
            needed = (self.graph.mapping_of.get(name, name) for name in found.declared.inputs)
            self._made[name] = combine(name, *(self.key(name) for name in needed))
        return self._made[name]

    def _held(self, name: str) -> Held:
        if name in self._given:
            return self._given[name]
        found = self.graph.steps.get(name)
        if not isinstance(found, Step):
            raise ValueError(f"'{name}' is neither given nor made by a step")
        return self._computed(found, self._made_from(found))

    def _computed(self, found: Step[..., Any], key: bytes) -> Held:
        if not self.cache.has(found.declared, key):
            self._receive(found)
        return self.cache.get(
            found.declared, key, lambda: self._call(found, {name: self[name] for name in found.declared.inputs})
        )

    def _item(self, found: Each[..., Any], item: Any) -> Held:
        """One item of a step that is computed item by item."""
        key = self._item_made_from(found, item)
        theirs = self._their_items.get(found.declared.name)
        if not self.cache.has(found.declared, key) and (theirs is None or item in theirs):
            self._receive(found)
        if found.declared.at_once is not None and not self.cache.has(found.declared, key):
            self._make_at_once(found, found.declared.at_once)
        return self.cache.get(found.declared, key, lambda: self._call(found, self._arguments(found, item)))

    def _make_at_once(self, found: Each[..., Any], at_once: Callable[..., Sequence[Any]]) -> None:
        """Compute all items of a step that aren't kept."""
        keys = {self._item_made_from(found, item): item for item in Items(self, found)}
        missing = [key for key in keys if not self.cache.has(found.declared, key)][: found.declared.keep]
        arguments = [self._arguments(found, keys[key]) for key in missing]
        self._say(found)
        values = iter(at_once(arguments, **self._heard(found)))
        for key in missing:
            self.cache.get(found.declared, key, lambda: next(values))

    def _arguments(self, found: Each[..., Any], item: Any) -> dict[str, Any]:
        """What one item is computed from, by name."""
        return {name: self._argument(found, item, name) for name in found.declared.inputs}

    def _argument(self, found: Each[..., Any], item: Any, name: str) -> Any:
        mapping = self.graph.mapping_of.get(name)
        return self[name] if mapping is None else self[mapping][self._within(found, item, mapping)]

    def _item_made_from(self, found: Each[..., Any], item: Any) -> bytes:
        at = found.declared.name, item
        if at not in self._made:
            self._made[at] = self._combined(found, item)
        return self._made[at]

    def _combined(self, found: Each[..., Any], item: Any) -> bytes:
        keys = []
        for name in found.declared.inputs:
            mapping = self.graph.mapping_of.get(name)
            keys.append(
                self.key(name) if mapping is None else self._item_key(mapping, self._within(found, item, mapping))
            )
        return combine(found.declared.name, *keys)

    def _within(self, found: Each[..., Any], item: Any, mapping: str) -> Any:
        """The key of an item in a mapping of fewer kinds: of (candidate, regime) the candidate alone."""
        kinds, wanted = self.graph.kinds[found.declared.name], self.graph.kinds[mapping]
        if kinds == wanted:
            return item
        own = (item,) if len(kinds) == 1 else item
        at = dict(zip(kinds, own, strict=True))
        # an item of a narrower kind is found among those of the wider one
        at |= {wide: at[narrow] for narrow, wide in self.graph.narrower.items() if narrow in at}
        parts = tuple(at[kind] for kind in wanted)
        return parts[0] if len(parts) == 1 else parts

    def _item_key(self, mapping: str, item: Any) -> bytes:
        """What one item of a mapping is known by: what it is made from, or its content where that decides."""
        found = self.graph.steps.get(mapping)
        if mapping in self._given or not isinstance(found, Each):
            return self._held(mapping).digest(item) or combine(self.key(mapping), repr(item))
        if found.declared.by_value and (digest := self._item(found, item).digest()):
            return digest
        return self._item_made_from(found, item)

    def _call(self, found: AnyStep, arguments: dict[str, Any]) -> Any:
        self._say(found)
        return found.function(**arguments, **self._heard(found))

    def _heard(self, found: AnyStep) -> dict[str, Progress]:
        """Who hears of a step, for its parameter of that name."""
        return {PROGRESS: self._progress} if found.declared.takes_progress else {}

    def _say(self, found: AnyStep) -> None:
        """Say once what a step says."""
        says = found.declared.says
        if says and says not in self._said:
            if isinstance(self._progress, FractionalProgress):
                self._progress.reach(len(self._said) / max(len(self._sayings), 1))
            self._said.add(says)
            self._progress(says)
