"""What page, map and files show of one comparison, worked out once: marks, names, columns, rows, ranks, words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import pandas as pd

from corridor.files import TOOL
from corridor.report.i18n import Messages, Words, page_messages, regime_message, render
from corridor.report.map.ground import draw_ground
from corridor.report.tables import (
    Mark,
    MetricCells,
    PageColumn,
    Row,
    assign_marks,
    metric_cells,
    metric_columns,
    metric_rows,
    plain_table,
    ranking_cells,
    ranking_rows,
    regime_ids,
    unmeasured,
)
from corridor.schema.candidate import Candidate, route_message
from corridor.schema.column import Criterion
from corridor.schema.message import Message, Value
from corridor.schema.regime import OUTSIDE, Regime
from corridor.schema.results import MapGround, Results
from corridor.schema.vocabulary import CrossingStatus, PanelKind, SectionStatus

# --- What a run was made from, as plain facts for the page and for the manifest ---


def describe_run(results: Results) -> dict[str, Any]:
    """Version, study, baseline and inputs with date, licence, SHA-256 and what was fetched when; no other times.

    ``map_remarks`` counts what of the OpenStreetMap file wasn't understood or couldn't be used; ``status_remarks`` how
    many statuses are over a year older than the study's date; ``notes`` are all others, see :func:`describe_notes`.
    """
    notes = describe_notes(results)
    return {
        "tool": TOOL,
        "version": results.version,
        "study": results.study_id,
        "title": results.title,
        "as_of": results.as_of,
        "baseline": results.baseline,
        "area": list(results.area),
        "inputs": [
            {
                "id": source.source_id,
                "title": source.title,
                "publisher": source.publisher,
                "file": source.file,
                "date": source.date,
                "licence": source.licence,
                "sha256": source.sha256,
                **({"fetched": [asdict(part) for part in source.fetched]} if source.fetched else {}),
            }
            for source in results.sources
        ],
        "documents": [
            {name: getattr(source, name) for name in ("source_id", "title", "publisher", "date", "licence", "url")}
            for source in results.documents
        ],
        "rules": results.rules,
        **{
            name: remarks
            for name, subject in (("map_remarks", "map data"), ("status_remarks", "statuses"))
            if (remarks := notes.pop(subject, None))
        },
        "notes": notes,
        "dem": describe_dem(results),
        "candidates": [candidate.candidate_id for candidate in results.candidates],
        "criteria": [asdict(criterion) for criterion in results.criteria],
        "perspectives": {view.perspective_id: view.weights for view in results.perspectives},
        "default_perspective": results.default_perspective,
        "as_if_opened": results.as_if_opened,
        "panels": [asdict(panel) for panel in results.panels],
        **({"first_places": asdict(results.first_places)} if results.first_places else {}),
    }


def describe_notes(results: Results) -> dict[str, list[str]]:
    """Sentences that a reader needs to judge the figures, by subject; what a candidate assumes under its own id.

    Args:
        results: of a comparison.

    Returns:
        Sentences in English; no subject without any.
    """
    assumed = {f"assumptions: {each.candidate_id}": each.assumptions for each in results.candidates}
    said = {subject: notes for subject, notes in results.notes.items() if subject != "assumptions"}
    return {subject: [render(note) for note in notes] for subject, notes in (said | assumed).items() if notes}


def describe_dem(results: Results) -> dict[str, Any]:
    """Name, pixel size in metres and standard error in metres of the elevation model, as the metric table has them."""
    named = {"dem": "title", "dem_resolution_m": "resolution_m", "dem_vertical_error_m": "vertical_error_m"}
    table = results.metrics
    return {word: table[column].iloc[0].item() if hasattr(table[column].iloc[0], "item") else table[column].iloc[0]
            for column, word in named.items() if column in table.columns and len(table)}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ReportView:
    """One comparison as its readers meet it.

    Everything here follows from ``results`` and is worked out when it is first asked for, so that whoever draws or
    writes takes the view and derives nothing again.
    """

    results: Results

    @cached_property
    def ground(self) -> MapGround:
        """What the map draws under the routes."""
        return self.results.ground or draw_ground(self.results.layers)

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """Letter and colour of each candidate, by id."""
        return assign_marks(self.results.candidates)

    @cached_property
    def candidates(self) -> dict[str, Candidate]:
        """Candidates by id, in the study's order."""
        return {candidate.candidate_id: candidate for candidate in self.results.candidates}

    @cached_property
    def through(self) -> tuple[str, ...]:
        """Ids of the candidates that aren't there only to compare with."""
        return tuple(key for key, candidate in self.candidates.items() if not candidate.comparator)

    @cached_property
    def usable(self) -> frozenset[str]:
        """Ids of candidates all of whose parts are open and all of whose borders may be crossed, as documented."""
        return frozenset(
            key
            for key, candidate in self.candidates.items()
            if all(part.status == SectionStatus.OPEN for part in candidate.parts)
            and all(passage.status == CrossingStatus.OPEN for passage in candidate.passages)
        )

    @cached_property
    def messages(self) -> Messages:
        """Messages of every language that this page needs."""
        return page_messages(self.results)

    @cached_property
    def english(self) -> Words:
        """The page's words in English, in which it is first written."""
        return Words("en", self.messages["en"], self.messages["en"], on_page=True)

    @cached_property
    def columns(self) -> tuple[PageColumn, ...]:
        """Columns of the metric table that are shown."""
        return metric_columns(self.results)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Rows of the metric table, a cell for each of :attr:`columns`."""
        return metric_rows(self.results, self.columns, self.marks, self.plain.reset_index(drop=True))

    @cached_property
    def unmeasured(self) -> tuple[Criterion, ...]:
        """Criteria of the study for which the data give no value to anybody."""
        return unmeasured(self.results)

    @cached_property
    def regime_ids(self) -> tuple[str, ...]:
        """Regimes in order, what nobody proposes last; one empty name where the study has none."""
        last = [regime.regime_id for regime in self.results.regimes if regime.counterfactual]
        found = [key for key in regime_ids(self.results) if key != OUTSIDE] or [OUTSIDE]
        return tuple(sorted(found, key=lambda key: key in last))

    @cached_property
    def regimes(self) -> dict[str, Regime]:
        """The sets of rules by id, in the study's order."""
        return {regime.regime_id: regime for regime in self.results.regimes}

    @cached_property
    def ordered_regimes(self) -> tuple[Regime, ...]:
        """The sets of rules, what nobody proposes last."""
        return tuple(sorted(self.results.regimes, key=lambda regime: regime.counterfactual))

    @cached_property
    def opening(self) -> str:
        """The rules that the page opens under: the study's choice, else the first under which anything is ranked."""
        wanted = self.results.report.opening_regime
        ranked = (key for key, rows in self.leading(self.results.default_perspective).items() if rows)
        return wanted if wanted in self.regime_ids else next(ranked, self.regime_ids[0])

    @cached_property
    def if_opened(self) -> ReportView | None:
        """The same under rules that allow no transit, ranked as if they did; None where there are no such rankings."""
        found = self.results.if_opened
        if found is None:
            return None
        view = ReportView(replace(self.results, ranking=found.ranking, panels=found.panels, if_opened=None))
        # Figures and words are the same: only who is ranked differs.
        view.__dict__.update(plain=self.plain, messages=self.messages)
        return view

    def metric(self, name: str) -> MetricCells | None:
        """The cells of one metric, whether or not the page's table shows it; None where the results lack it."""
        if name not in self._metrics:
            self._metrics[name] = metric_cells(self.results, name, self.plain)
        return self._metrics[name]

    @cached_property
    def _metrics(self) -> dict[str, MetricCells | None]:
        return {}

    @cached_property
    def plain(self) -> pd.DataFrame:
        """The metric table with plain values, as files have it."""
        return plain_table(self.results.metrics)

    @cached_property
    def rank_cells(self) -> MetricCells:
        """Places in the ranking under the default perspective, as cells."""
        return ranking_cells(self.results)

    @cached_property
    def rankings(self) -> dict[str, list[dict[str, Any]]]:
        """Plain rows of the ranking under each perspective; see :func:`corridor.report.tables.ranking_rows`."""
        keys = [self.results.default_perspective, *(p.perspective_id for p in self.results.perspectives)]
        return {key: ranking_rows(self.results, key) for key in dict.fromkeys(keys)}

    def leading(self, perspective_id: str) -> dict[str, list[dict[str, Any]]]:
        """The through routes that are ranked under a perspective, best first, by regime."""
        if perspective_id not in self._leading:
            self._leading[perspective_id] = self._leaders(perspective_id)
        return self._leading[perspective_id]

    @cached_property
    def _leading(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        return {}

    def _leaders(self, perspective_id: str) -> dict[str, list[dict[str, Any]]]:
        ranked = [row for row in self.rankings[perspective_id] if row["rank"] is not None]
        rows = [row for row in ranked if row["panel"] == PanelKind.THROUGH]
        return {regime: [row for row in rows if row["regime_id"] == regime] for regime in self.regime_ids}

    @cached_property
    def chosen(self) -> str:
        """The candidate that is shown first: the best of the default perspective, else the first."""
        rows = self.leading(self.results.default_perspective)[self.opening]
        return str(rows[0]["candidate_id"]) if rows else next(iter(self.candidates), "")

    @cached_property
    def crossing_names(self) -> dict[str, str]:
        """Names of the listed border crossings, by id."""
        frame = self.results.layers.crossings
        return dict(zip(frame["crossing_id"].astype(str), frame["name"].astype(str), strict=True)) if len(frame) else {}

    def name(self, candidate_id: str) -> Value:
        """A candidate's name as a message; the id itself where there is no such candidate."""
        candidate = self.candidates.get(candidate_id)
        return route_message(candidate) if candidate else candidate_id

    def letter(self, candidate_id: str) -> Message:
        """A candidate that has been named before, by its letter alone."""
        return Message("answer.letter", {"letter": self.marks[candidate_id].letter})

    def lettered(self, candidate_id: str) -> Message:
        """A candidate by its letter, which finds it on the map and in tables, and by its name."""
        return Message("answer.route", {"letter": self.marks[candidate_id].letter, "name": self.name(candidate_id)})

    def perspective_name(self, perspective_id: str) -> Message:
        """The name of a point of view as a message."""
        labels = {view.perspective_id: view.label for view in self.results.perspectives}
        return Message(f"perspective.{perspective_id}", fallback=labels.get(perspective_id, perspective_id))

    def regime_name(self, regime_id: str) -> Message:
        """The name of a set of rules as a message."""
        return regime_message(self.results, regime_id)
