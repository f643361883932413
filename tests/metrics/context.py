"""Metrics of made-up inputs, measured without a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from corridor.metrics.registry import all_metrics, derived_functions
from corridor.pipeline.graph import parameters


class Context:
    """Inputs by name, those that follow from them, and the metrics that they serve."""

    def __init__(self, base: Context | None = None, /, **given: Any) -> None:
        self._base = base
        self._given: Mapping[str, Any] = given
        self._known = dict(given)

    def extend(self, **given: Any) -> Context:
        """The same with more inputs, none of them another; what follows without those is computed once for all."""
        return Context(self, **self._given, **given)

    def serves(self, needs: Iterable[str]) -> bool:
        """Whether all of these inputs are given or can be computed."""
        derived = derived_functions()
        return all(
            name in self._given or (name in derived and self.serves(parameters(derived[name]))) for name in needs
        )

    def __getitem__(self, name: str) -> Any:
        if name not in self._known and self._base is not None and self._base.serves((name,)):
            self._known[name] = self._base[name]
        if name not in self._known:
            function = derived_functions()[name]
            self._known[name] = function(**{need: self[need] for need in parameters(function)})
        return self._known[name]

    @property
    def row(self) -> dict[str, Any]:
        """Cells of all metrics that can be measured here."""
        served = (each for each in all_metrics() if self.serves(each.needs))
        return {name: value for each in served for name, value in each.row(self).items()}
