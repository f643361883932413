"""A study in, a comparison out: what people hold in their hands of a run of the steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import geopandas as gpd
import pandas as pd
import shapely

from corridor.errors import OutputError
from corridor.geo.geodesy import WGS84
from corridor.io.read.data_files import PinnedInputs, read_pinned_inputs
from corridor.mcda.matrix import DecisionMatrix, End, build_matrix
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.perspectives import Perspective, WeightsLike, choose_weights
from corridor.mcda.rank import rank_alternatives, under_regime
from corridor.network.graph import Network
from corridor.pipeline.ahead import lean_texts
from corridor.pipeline.comparing import (
    FROM_FILES,
    measured_tables,
    open_run,
    shown_progress,
    with_more_candidates,
)
from corridor.pipeline.graph import Progress, Run
from corridor.pipeline.schedule import compute_in_turn
from corridor.pipeline.steps import inputs, lines, ranking
from corridor.pipeline.steps import results as steps_of_results
from corridor.processes import Fork
from corridor.report.i18n import render, render_table
from corridor.schema.candidate import Candidate
from corridor.schema.results import Results
from corridor.schema.study import CandidateSpec, Study
from corridor.schema.vocabulary import Mode, PanelKind

if TYPE_CHECKING:
    import folium
    from matplotlib.axes import Axes

    from corridor.mcda.review import Review
    from corridor.mcda.sensitivity import Screening


class Comparison:
    """Candidates, their metrics and ranks, and the files and maps made of them."""

    def __init__(
        self,
        study: Study,
        results: Results,
        matrix: DecisionMatrix,
        perspectives: dict[str, Perspective],
        run: Run | None = None,
        measured: Mapping[str, Any] | None = None,
    ) -> None:
        self._run = run
        # what was measured of each candidate is held, so that more candidates needn't have it measured again
        self._measured = dict(measured or {})
        self.study = study
        self.results = results
        self._matrix = matrix
        self._perspectives = perspectives

    def __repr__(self) -> str:
        from corridor.report.plots import describe

        return describe(self.results)

    def _repr_html_(self) -> str:
        from corridor.report.plots import comparison_html

        return comparison_html(self.results)

    def candidate(self, candidate_id: str) -> Candidate:
        """One candidate with its parts, structures and sources.

        Args:
            candidate_id: as in :attr:`candidates`.

        Returns:
            The candidate.

        Raises:
            OutputError: there is none of that id; lists those that there are.
        """
        from corridor.report.plots import choose_candidates

        return choose_candidates(self.results, [candidate_id])[0]

    @cached_property
    def candidates(self) -> gpd.GeoDataFrame:
        """One row per candidate: id, name, family, mode, aliases, assumptions, remarks, sources, line (EPSG:4326)."""
        rows = [
            {
                "candidate_id": c.candidate_id,
                "name": c.name,
                "family": c.family,
                "mode": c.modes,
                "comparator": c.comparator,
                "aliases": "; ".join(str(alias) for alias in c.aliases),
                "assumptions": "; ".join(render(said) for said in c.assumptions),
                "remarks": "; ".join(render(said) for said in c.remarks),
                "note": c.note,
                "sources": "; ".join(c.source_ids),
            }
            for c in self.results.candidates
        ]
        return gpd.GeoDataFrame(rows, geometry=[c.geometry for c in self.results.candidates], crs=WGS84)

    @property
    def metrics(self) -> pd.DataFrame:
        """One row per candidate; a column per metric, unit in its name, ``_low``/``_high`` where it is a range."""
        return self.results.metrics

    @property
    def crossings(self) -> gpd.GeoDataFrame:
        """What the routes meet: one row per event and regime (EPSG:4326); empty where the study measures no impacts."""
        empty = gpd.GeoDataFrame({"candidate_id": [], "regime_id": []}, geometry=[], crs=WGS84)
        return empty if self.results.events is None else render_table(self.results.events)

    @property
    def findings(self) -> pd.DataFrame:
        """What decides each candidate under each regime: candidate_id, regime_id, text, evidence (ids)."""
        rows = [(f.candidate_id, f.regime_id, render(f.message), "; ".join(f.evidence)) for f in self.results.findings]
        return pd.DataFrame(rows, columns=["candidate_id", "regime_id", "text", "evidence"])

    @property
    def places(self) -> pd.DataFrame:
        """What each route does to each place: rows of ``places.csv``; empty where the study measures no impacts."""
        found = self.results.place_effects
        return pd.DataFrame() if found is None else found

    @property
    def notes(self) -> dict[str, tuple[str, ...]]:
        """What a reader needs to judge the figures, in sentences by subject."""
        return {subject: tuple(render(note) for note in said) for subject, said in self.results.notes.items()}

    @property
    def flows(self) -> pd.DataFrame:
        """What loads pay between distant places by each branch, before and with each candidate: rows of ``flows.csv``.

        Empty where the study names no long-distance tables. The other tables are in ``results.flows``.
        """
        return self.results.flows.get("flows", pd.DataFrame())

    @property
    def perspectives(self) -> tuple[str, ...]:
        """Names that :meth:`rank` takes."""
        return tuple(self._perspectives)

    def rank(
        self,
        perspective: str | None = None,
        *,
        regime: str | None = None,
        weights: WeightsLike | None = None,
        method: str = DEFAULT_METHOD,
        as_if_opened: bool = False,
    ) -> pd.DataFrame:
        """Candidates from best to worst under a perspective (the study's own by default) or under given weights.

        Comparators are ranked among themselves. The columns say each criterion's contribution and the reason. Where
        metrics are undetermined a rank is an interval: ``rank_best``, ``rank_worst`` and ``first`` say what they leave
        open. Under rules that allow no transit nobody is ranked.

        Args:
            perspective: whose interest: one of :attr:`perspectives`.
            regime: only the rows under this set of rules.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined: an id of :func:`corridor.mcda.methods.method_ids`.
            as_if_opened: rank under rules that allow no transit as if they did.

        Returns:
            A row per alternative: rank, score, contributions, and the reason where it isn't ranked.

        Raises:
            ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        """
        chosen = self._weights(perspective, weights)
        return under_regime(render_table(rank_alternatives(self._ranked(as_if_opened), chosen, method)), regime)

    def _ranked(self, as_if_opened: bool) -> DecisionMatrix:
        """The decision matrix, with rules that allow no transit ranked or not."""
        if not as_if_opened:
            return self._matrix
        return build_matrix(self.results.metrics, self._matrix.criteria, as_if_opened=True)

    def robustness(
        self,
        perspective: str | None = None,
        *,
        weights: WeightsLike | None = None,
        method: str = DEFAULT_METHOD,
        order: Sequence[str] = (),
        draws: int = 10_000,
        seed: int = 0,
        as_if_opened: bool = False,
    ) -> tuple[Review, ...]:
        """How firm a ranking is: rank acceptability, Pareto front, smallest flips, agreement of the methods.

        Args:
            perspective: whose ranking is put to the test; the study's own by default.
            weights: weights instead of a perspective.
            method: ``weighted-sum``, ``topsis``, ``promethee-ii``, ``vikor`` or another that was added.
            order: what is known of importance, for instance ``"border_access >= distance"`` (groups of criteria).
            draws: how many weights and metrics are drawn.
            seed: of the draws; the same seed gives the same answer.
            as_if_opened: as in :meth:`rank`.

        Returns:
            One review per panel (regime, and through routes or comparators); two where metrics are undetermined, one at
            each end.
        """
        from corridor.mcda.review import review_matrix
        from corridor.mcda.robustness import WeightSpace, parse_order

        chosen = self._weights(perspective, weights)
        # People weigh groups of criteria, so that is what is drawn; shares within a group stay the study's.
        space = WeightSpace(over="groups", order=tuple(pair for text in order for pair in parse_order(text)))
        matrix = self._ranked(as_if_opened)
        return review_matrix(matrix, chosen, method=method, space=space, draws=draws, seed=seed)

    def regret(
        self,
        regimes: Sequence[str],
        perspective: str | None = None,
        *,
        weights: WeightsLike | None = None,
        end: Literal["best", "worst"] = "worst",
    ) -> pd.DataFrame:
        """Through routes by the most that choosing one could be regretted, whichever of some regimes comes about.

        Args:
            regimes: those that are held plausible; nothing is averaged over them and none is given a probability.
            perspective: whose ranking; the study's own by default.
            weights: weights instead of a perspective.
            end: where undetermined metrics are taken: what is best or what is worst for each route.

        Returns:
            Rank, largest regret (in scores, 0 to 1) and under which regime, and the regret under each; with the least
            and the greatest that undetermined metrics leave possible (``max_regret_low``, ``max_regret_high``), and the
            ranks between (``rank_best``, ``rank_worst``).

        Raises:
            ScoringError: an unknown regime, or regimes whose scores don't compare.
        """
        from corridor.mcda.agreement import minimax_regret

        chosen = self._weights(perspective, weights)
        return render_table(minimax_regret(self._matrix, chosen, regimes, end=End(end)))

    def sensitivity(
        self,
        regime: str,
        perspective: str | None = None,
        *,
        screening: Screening = "sobol",
        samples: int = 256,
        seed: int = 0,
        end: Literal["best", "worst", "both"] = "both",
    ) -> pd.DataFrame:
        """Which inputs (unit costs, speeds, heights ...) the lead of a regime's best through route hangs on.

        Needs SALib (``pip install corridor[sensitivity]``).

        Args:
            regime: whose best through route is looked at.
            perspective: whose ranking; the study's own by default.
            screening: ``sobol`` (shares of variance) or ``morris`` (elementary effects).
            samples: how many points the design has, a power of two for ``sobol``.
            seed: of the samples.
            end: where undetermined metrics are taken: what is ``best`` or ``worst`` for each route, or ``both``.

        Returns:
            A row per input with its indices. Of both ends, those at the worst, with ``<index>_low`` and
            ``<index>_high`` of the first index over the two ends.
        """
        from corridor.mcda.sensitivity import join_ends_of, measure_interval_sensitivity

        panel, chosen = self._matrix.panel(regime, PanelKind.THROUGH), self._weights(perspective)
        ends = [End.WORST, End.BEST] if end == "both" else [End(end)]
        return join_ends_of(
            [
                measure_interval_sensitivity(panel.pinned(one), chosen, screening=screening, samples=samples, seed=seed)
                for one in ends
            ]
        )

    def _weights(self, perspective: str | None, weights: WeightsLike | None = None) -> WeightsLike:
        return choose_weights(self._perspectives, perspective or self.study.default_perspective, weights)

    def with_route(
        self,
        line: shapely.LineString | gpd.GeoDataFrame | gpd.GeoSeries | str | Path,
        name: str | None = None,
        *,
        mode: str = Mode.ROAD,
        follow_m: float | None = None,
        comparator: bool = False,
    ) -> Comparison:
        """The same comparison with a route of one's own, or several; only these are computed.

        The line is matched to the network where it follows it, cut at borders, and joined to the study's ends if it
        begins and ends within 5 km of them. What lies off the network counts as new.

        Args:
            line: in degrees (lon, lat), with heights or without; a table of lines in any reference system, whose column
                ``name`` names them; the path of a file of lines; or places in a row (``"Goris; 39.5,46.0"``), by
                which the quickest way is taken.
            name: of the route, or of the first of several.
            mode: ``road`` or ``rail``.
            follow_m: how far off a way the line may lie that follows it, in metres; 100 if left out.
            comparator: rank it with the routes that are there to compare with.

        Returns:
            A new comparison; this one stays as it is.

        Raises:
            StudyError: a line doesn't lead from end to end, places aren't known, or a word isn't what it may be.
            SourceError: a file or table has no line, or one that can't be a route.
            OutputError: this comparison wasn't made by :func:`corridor.compare`.
        """
        from corridor.io.read.own_routes import own_candidates

        taken = [candidate.candidate_id for candidate in self.results.candidates]
        specs = own_candidates(line, name, mode, taken=taken, follow_m=follow_m)
        return self.with_candidates(*(spec.model_copy(update={"comparator": comparator}) for spec in specs))

    def with_candidates(self, *candidates: CandidateSpec | Mapping[str, Any]) -> Comparison:
        """The same comparison with more candidates, of which only these are computed.

        Args:
            *candidates: as :meth:`corridor.Study.with_candidates` takes them.

        Returns:
            A new comparison; this one stays as it is.

        Raises:
            StudyError: a candidate has faults, or its id is taken.
            OutputError: this comparison wasn't made by :func:`corridor.compare`.
        """
        if self._run is None:
            raise OutputError("with_candidates: this comparison holds no run; make it with corridor.compare")
        study = self.study.with_candidates(*candidates)
        with shown_progress(None) as say:
            return _compared(with_more_candidates(self._run, self._measured, study, say), study)

    def map(self, *, online_tiles: bool = False) -> folium.Map:
        """A Folium map of the candidates over the relief; it loads nothing unless ``online_tiles`` are asked for.

        Args:
            online_tiles: also offer backgrounds that are loaded from the network.

        Returns:
            The map.
        """
        from corridor.report.map.build import build_map
        from corridor.report.view import ReportView

        return build_map(ReportView(self.results), online_tiles=online_tiles)

    def explore(
        self,
        *,
        candidates: Sequence[str] | None = None,
        regime: str | None = None,
        m: folium.Map | None = None,
        tiles: str | None = None,
        tooltip: bool = True,
        popup: bool = False,
        style_kwds: Mapping[str, object] | None = None,
        width: str | int = "100%",
        height: str | int = "100%",
    ) -> folium.Map:
        """The candidates as lines to point at, in the manner of ``GeoDataFrame.explore``.

        Args:
            candidates: ids of those to draw; all by default.
            regime: also draw what they meet under this regime; red where it decides what can be reached.
            m: a map to draw on; a new one over the relief if left out.
            tiles: a background that Folium knows instead of the relief, for instance ``OpenStreetMap``; it needs a
                network.
            tooltip: show a route's figures when it is pointed at.
            popup: show them when it is clicked.
            style_kwds: Leaflet's path options, for instance ``{"weight": 5, "opacity": 0.5}``.
            width: of a new map.
            height: of a new map.

        Returns:
            The map.

        Raises:
            OutputError: there is no candidate or regime of an id.
        """
        from corridor.report.plots import explore

        return explore(
            self.results, candidates=candidates, regime=regime, m=m, tiles=tiles, tooltip=tooltip, popup=popup,
            style_kwds=style_kwds, width=width, height=height,
        )  # fmt: skip

    def plot(self, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
        """Draw the routes over the borders with matplotlib, on ``ax`` or on a new figure; gives the axes.

        Args:
            ax: where to draw; a new figure if left out.
            candidates: ids of those to draw; all by default.

        Returns:
            The axes.

        Raises:
            ExtraError: matplotlib isn't installed (``pip install corridor[charts]``).
            OutputError: there is no candidate of an id.
        """
        from corridor.report.plots import plot_routes

        return plot_routes(self.results, ax, candidates=candidates)

    def plot_profiles(self, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
        """Draw the routes' heights along the way, on ``ax`` or on a new figure; gives the axes.

        Args:
            ax: where to draw; a new figure if left out.
            candidates: ids of those to draw; all by default.

        Returns:
            The axes.

        Raises:
            ExtraError: matplotlib isn't installed (``pip install corridor[charts]``).
            OutputError: there is no candidate of an id.
        """
        from corridor.report.plots import plot_profiles

        return plot_profiles(self.results, ax, candidates=candidates)

    def write(self, folder: str | Path, *, formats: str | Iterable[str] | None = None) -> Path:
        """Write page, tables and GIS files into ``folder``: all of them, or none. Gives the page's path.

        Args:
            folder: where to; results of an earlier run there are replaced.
            formats: some of ``geojson``, ``gpkg``, ``parquet``, ``kml`` and ``gpx``; all of them by default.

        Returns:
            The page's path.

        Raises:
            OutputError: a format is unknown, or the folder can't be written.
        """
        from corridor.export.results import write_results

        return write_results(self.results, Path(folder), formats=formats)


def build_network(
    study: Study | str | Path,
    *,
    osm: str | Path | None = None,
    dem: str | Path | Sequence[str | Path] = (),
    progress: Progress | None = None,
) -> Network:
    """The network that a comparison of the study runs on: roads and railways of its baseline with borders and minutes.

    Args:
        study: what is asked: a study, the path of its file, or the name of a bundled one.
        osm: an OpenStreetMap file (PBF or XML) instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        progress: called with a few words at the start of each step; in a notebook they are shown if left out.

    Returns:
        Roads and railways as one graph, with the tables of its edges and nodes.

    Raises:
        CorridorError: study or data can't be used; the message says what to mend.
    """
    with shown_progress(progress) as say:
        return _open(Study.find(study), osm, dem, say)[lines.conflation].network


def compare(
    study: Study | str | Path,
    *,
    osm: str | Path | None = None,
    dem: str | Path | Sequence[str | Path] = (),
    locked: PinnedInputs | str | Path | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Build, measure and rank the candidates of a study.

    Args:
        study: what is asked: a study, the path of its file, or the name of a bundled one.
        osm: an OpenStreetMap file (PBF or XML) instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        locked: an earlier run's manifest, or its path; data that differs from it is refused.
        progress: called with a few words at the start of each step; in a notebook they are shown if left out.

    Returns:
        Candidates, metrics and ranks, with what writes and draws them.

    Raises:
        CorridorError: study or data can't be used; the message says what to mend.

    Example:
        >>> comparison = corridor.compare("syunik")  # doctest: +SKIP
    """
    asked = Study.find(study)
    with shown_progress(progress) as say:
        run = _open_pinned(asked, osm, dem, locked, say)
        # what is read from files is held fast, so that more candidates find all of it computed
        return _compared(run.holding((*FROM_FILES, "flow_model")), asked)


def compute_results(
    study: Study | str | Path,
    *,
    osm: str | Path | None = None,
    dem: str | Path | Sequence[str | Path] = (),
    locked: PinnedInputs | str | Path | None = None,
    progress: Progress | None = None,
    may_fork: bool = False,
    ahead: Fork | None = None,
) -> Results:
    """The results of a comparison, for who only writes them: what they are computed from is let go on the way.

    Takes and raises what :func:`compare` does; on a country's roads it needs much less memory.

    Args:
        study: what is asked: a study, the path of its file, or the name of a bundled one.
        osm: an OpenStreetMap file (PBF or XML) instead of what the study names.
        dem: elevation rasters instead of those that the study names.
        locked: an earlier run's manifest, or its path; data that differs from it is refused.
        progress: called with a few words at the start of each step; in a notebook they are shown if left out.
        may_fork: compute a part in forked copies of this process, as :mod:`corridor.pipeline.schedule` says; for
            programs of which no other thread is at work.
        ahead: what a copy of this process has begun to read, as :func:`corridor.pipeline.ahead.read_ahead` gives it.

    Returns:
        What page, tables and GIS files are made of.
    """
    with shown_progress(progress) as say, lean_texts():
        return compute_in_turn(_open_pinned(Study.find(study), osm, dem, locked, say, ahead), may_fork=may_fork)


def _open_pinned(
    study: Study,
    osm: str | Path | None,
    dem: str | Path | Sequence[str | Path],
    locked: PinnedInputs | str | Path | None,
    progress: Progress,
    ahead: Fork | None = None,
) -> Run:
    """A run of which the inputs are those of an earlier one, if that is asked for."""
    pinned = read_pinned_inputs(Path(locked)) if isinstance(locked, str | Path) else locked
    run = _open(study, osm, dem, progress, ahead)
    if pinned is not None:
        pinned.require(study.id, run[inputs.data_sources], run[inputs.rules])
    return run


def _compared(run: Run, study: Study) -> Comparison:
    results = run[steps_of_results.results]
    return Comparison(study, results, run[ranking.matrix], run[ranking.perspectives], run, measured_tables(run))


def _open(
    study: Study,
    osm: str | Path | None,
    dem: str | Path | Sequence[str | Path],
    progress: Progress,
    ahead: Fork | None = None,
) -> Run:
    # A single path is a sequence of letters to Python: it is one raster here.
    rasters = [Path(path) for path in ([dem] if isinstance(dem, str | Path) else dem)]
    run = open_run(study, osm=Path(osm) if osm else None, dem=rasters, progress=progress, ahead=ahead)
    run[inputs.known_names]  # wrong names and weights are told before anything long is read
    run[ranking.perspectives]
    return run
