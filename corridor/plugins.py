"""Plug-in registries: one package per kind, one module and one class per plug-in, found by its file name.

The id of a plug-in is its module's name with hyphens (``promethee_ii.py`` is ``promethee-ii``). So the command line
knows every choice from a folder listing alone, and a plug-in is imported only when it is used.
"""

from __future__ import annotations

import difflib
import pkgutil
from collections.abc import Iterable
from importlib import import_module
from typing import Generic, TypeVar

from corridor.errors import CorridorError

Plugin = TypeVar("Plugin")
Kind = TypeVar("Kind", bound=type)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the known name that looks most like ``name``, or nothing."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.5)
    return f" (did you mean '{close[0]}'?)" if close else ""


class Registry(Generic[Plugin]):
    """The plug-ins of one kind, by id.

    Args:
        package: Full name of the package whose modules hold one plug-in each; those that begin with an underscore
            are no plug-ins.
        what: What a plug-in is called in messages.
        facts: Names of the attributes that every plug-in must state, with the type of each.
        error: What is raised for an id or a plug-in that can't be used.
        first: Id that comes first wherever plug-ins are listed; the others follow by alphabet.
    """

    def __init__(
        self, package: str, what: str, facts: dict[str, type], error: type[CorridorError], first: str = ""
    ) -> None:
        self._package, self._what, self._facts, self._error, self._first = package, what, facts, error, first
        self._known: dict[str, Plugin] = {}

    def ids(self) -> tuple[str, ...]:
        """Every id: of the package's modules, imported or not, and of what was registered from elsewhere."""
        folder = import_module(self._package).__path__
        found = {module.name.replace("_", "-") for module in pkgutil.iter_modules(folder) if module.name[0] != "_"}
        return tuple(sorted(found | set(self._known), key=lambda plugin_id: (plugin_id != self._first, plugin_id)))

    def get(self, plugin_id: str) -> Plugin:
        """The plug-in with an id.

        Raises:
            CorridorError: (the registry's kind of it) nobody has that id; or its module registers nothing by it.
        """
        if plugin_id not in self._known:
            ids = self.ids()
            if plugin_id not in ids:
                near = nearest_name(plugin_id, ids)
                raise self._error(f"{self._what} '{plugin_id}' is unknown{near}: use {', '.join(ids)}")
            module = f"{self._package}.{plugin_id.replace('-', '_')}"
            import_module(module)
            if plugin_id not in self._known:
                raise self._error(f"{self._what} '{plugin_id}': {module} registers no {self._what} with this id")
        return self._known[plugin_id]

    def all(self) -> tuple[Plugin, ...]:
        """Every plug-in, in the order of :meth:`ids`."""
        return tuple(self.get(plugin_id) for plugin_id in self.ids())

    def register(self, kind: Kind) -> Kind:
        """Make an instance of a plug-in's class and keep it under its id; for use as a decorator.

        Raises:
            CorridorError: (the registry's kind of it) a fact isn't stated or an abstract method isn't written, so
                that what is half-added can't be used; or another class has the id.
        """
        name = f"{self._what} {kind.__module__}.{kind.__qualname__}"
        lacking = [fact for fact, of in self._facts.items() if not isinstance(getattr(kind, fact, None), of)]
        if lacking:
            wanted = ", ".join(f"{fact} ({self._facts[fact].__name__})" for fact in lacking)
            raise self._error(f"{name}: doesn't state {wanted}")
        unwritten = sorted(getattr(kind, "__abstractmethods__", ()))
        if unwritten:
            raise self._error(f"{name}: doesn't define {', '.join(unwritten)}")
        plugin: Plugin = kind()
        plugin_id: str = plugin.id  # type: ignore[attr-defined]  # one of the facts
        # A module that is imported again (reload, a notebook's cell) replaces itself; anybody else is refused.
        held = type(self._known.get(plugin_id, plugin))
        if (held.__module__, held.__qualname__) != (kind.__module__, kind.__qualname__):
            raise self._error(f"{name}: the id '{plugin_id}' is that of {held.__module__}.{held.__qualname__}")
        self._known[plugin_id] = plugin
        return kind
