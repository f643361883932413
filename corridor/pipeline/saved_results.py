"""Results opened again from their folder: their tables, lines and map, and other rankings of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from folium.raster_layers import ImageOverlay
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from corridor.errors import OutputError, ScoringError, SourceError
from corridor.files import read_json, require_commas, require_file
from corridor.geo.geodesy import WGS84, vertex_chainage_m
from corridor.io.read.own_routes import read_lines
from corridor.mcda.matrix import DecisionMatrix, build_matrix
from corridor.mcda.methods import DEFAULT_METHOD
from corridor.mcda.perspectives import choose_weights
from corridor.mcda.rank import rank_alternatives, under_regime
from corridor.mcda.review import Review, review_matrix
from corridor.pipeline.comparing import comparison_graph
from corridor.pipeline.graph import Run
from corridor.pipeline.steps import ranking
from corridor.report.i18n import clean_line
from corridor.report.plots import label_map, label_profiles, legend_label, new_axes
from corridor.report.tables import unquote_formula
from corridor.schema.column import Criterion
from corridor.schema.faults import fault_words
from corridor.schema.vocabulary import Family, StructureKind
from corridor.svg_repr import table_html
from corridor.theme import colour
from corridor.webmap import add_lines, blank_map, fit

if TYPE_CHECKING:
    import folium
    from matplotlib.axes import Axes


# --- Lines, events and words that a run left in a folder, read as what somebody else may have changed ---

MAX_BYTES = 500_000_000
_MAX_TEXT = 20_000
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_DEGREES = r"(-?\d{1,3}(?:\.\d{1,9})?)"
_RELIEF = re.compile(
    r'L\.imageOverlay\(\s*"(data:image/webp;base64,[A-Za-z0-9+/]+={0,2})",\s*'
    rf"\[\[{_DEGREES}, {_DEGREES}\], \[{_DEGREES}, {_DEGREES}\]\]"
)
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Cell = Annotated[str, Field(max_length=_MAX_TEXT)] | bool | int | _Number | None
_Point = Annotated[list[_Number], Field(min_length=2, max_length=3)]


_Points = Annotated[list[_Point], Field(min_length=2, max_length=2_000_000)]


class _Line(BaseModel):
    type: Literal["LineString"]
    coordinates: _Points


class _Lines(BaseModel):
    type: Literal["MultiLineString"]
    coordinates: Annotated[list[_Points], Field(min_length=1, max_length=10_000)]


class _Feature(BaseModel):
    type: Literal["Feature"]
    properties: dict[Annotated[str, Field(max_length=200)], _Cell]
    geometry: Annotated[_Line | _Lines, Field(discriminator="type")]

    @property
    def shape(self) -> shapely.Geometry:
        """The line, or the lines of a package."""
        if isinstance(self.geometry, _Line):
            return shapely.LineString([point[:2] for point in self.geometry.coordinates])
        return shapely.MultiLineString([[point[:2] for point in line] for line in self.geometry.coordinates])


class _Features(BaseModel):
    features: Annotated[list[_Feature], Field(max_length=10_000)]


class _Finding(BaseModel):
    candidate_id: Annotated[str, Field(max_length=200)]
    regime_id: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=_MAX_TEXT)]
    evidence: Annotated[list[Annotated[str, Field(max_length=_MAX_TEXT)]], Field(max_length=10_000)] = []


class _Findings(BaseModel):
    rows: Annotated[list[_Finding], Field(max_length=100_000)]


def read_candidates(folder: Path) -> gpd.GeoDataFrame:
    """Routes of a results folder: a row per candidate with id, name, family, mode, letter, colour, line (EPSG:4326).

    Args:
        folder: with ``candidates.geojson`` or ``candidates.parquet``.

    Raises:
        SourceError: it has neither, or the file isn't what a run writes.
    """
    path = folder / "candidates.geojson"
    if path.exists():
        # GeoJSON first: it is text of a known shape, which can be checked field by field before anything is made of it.
        content = read_json(path, "file of candidates", MAX_BYTES)
        found = _validated(_Features, content, path)
        rows = [feature.properties for feature in found.features]
        frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry=[f.shape for f in found.features], crs=WGS84)
    elif (folder / "candidates.parquet").exists():
        path = folder / "candidates.parquet"
        frame = read_layer(path)
    else:
        raise SourceError(
            f"{folder}: has neither candidates.geojson nor candidates.parquet; run it again with --formats"
        )
    for column in ("candidate_id", "name"):
        if column not in frame or not frame[column].map(lambda cell: isinstance(cell, str)).all():
            raise SourceError(f"{path}: has no texts in a column {column}; run it again")
    # The file may have been edited since: what isn't a line on Earth would fail later and far from its cause.
    if not frame.geom_type.isin(["LineString", "MultiLineString"]).all() or not np.isfinite(frame.total_bounds).all():
        raise SourceError(f"{path}: holds what isn't a line; run it again")
    west, south, east, north = frame.total_bounds
    if west < -180 or south < -90 or east > 180 or north > 90:
        raise SourceError(f"{path}: has lines that don't lie on Earth; run it again")
    return _plain(frame)


def read_layer(path: Path) -> gpd.GeoDataFrame:
    """A GeoParquet layer of a results folder, EPSG:4326.

    Args:
        path: of the file.

    Raises:
        SourceError: it isn't what a run writes.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    require_file(path, "layer of `corridor run`", MAX_BYTES)
    try:
        # Columns and geometry are read as they stand: metadata of the file, which may name other files, isn't followed.
        table = pq.ParquetFile(path).read()
        frame = table.drop_columns(["geometry"]).to_pandas()
        shapes = shapely.from_wkb(np.array(table["geometry"].to_pylist(), dtype=object))
    except (pa.ArrowException, shapely.errors.ShapelyError, KeyError, ValueError, TypeError, OSError) as fault:
        raise SourceError(f"{path}: isn't a layer of `corridor run`; run it again") from fault
    return _plain(gpd.GeoDataFrame(frame, geometry=shapes, crs=WGS84))


def read_profiles(folder: Path, candidates: gpd.GeoDataFrame) -> dict[str, pd.DataFrame]:
    """Heights along each route, as its track has them: chainage_km, lon, lat, height_m, in_tunnel.

    Packages have none but those of their routes.

    Args:
        folder: with ``candidates.gpx``; tunnels are known where ``structures.parquet`` is there too.
        candidates: of the folder, in the same order.

    Raises:
        SourceError: there is no such file, or it isn't what a run writes with these candidates.
    """
    path = folder / "candidates.gpx"
    if not path.exists():
        raise SourceError(f"{folder}: has no profiles, which stand in candidates.gpx; run it again with --formats gpx")
    tracks = read_lines(path)
    routes = candidates[candidates["family"] != Family.PACKAGE]
    # Tracks carry no ids: only the same names in the same order tell that they are those of the candidates.
    if [track.name for track in tracks] != [clean_line(name).strip() for name in routes["name"]]:
        raise SourceError(f"{path}: has other routes than the candidates beside it; run it again")
    structures = folder / "structures.parquet"
    spans = read_layer(structures) if structures.exists() else pd.DataFrame(columns=["candidate_id", "kind"])
    found = {}
    for key, track in zip(routes["candidate_id"], tracks, strict=True):
        # A track without heights still has its places: its heights are unknown, not 0.
        xyz = track.xyz if track.xyz.shape[1] == 3 else np.column_stack([track.xyz, np.full(len(track.xyz), np.nan)])
        km = vertex_chainage_m(shapely.LineString(xyz[:, :2])) / 1000
        inside = np.zeros(len(km), dtype=bool)
        for span in spans[(spans["candidate_id"] == key) & (spans["kind"] == StructureKind.TUNNEL)].itertuples():
            # The millimetre keeps a portal inside its tunnel where the files have rounded chainages.
            inside |= (km >= float(span.from_km) - 1e-6) & (km <= float(span.to_km) + 1e-6)
        columns = {"chainage_km": km, "lon": xyz[:, 0], "lat": xyz[:, 1], "height_m": xyz[:, 2], "in_tunnel": inside}
        found[str(key)] = pd.DataFrame(columns)
    return found


def read_relief(folder: Path) -> tuple[str, list[list[float]]] | None:
    """The relief of the page's map: a picture as a data URI and its corners; None where the page has none.

    Args:
        folder: with ``comparison.html``.
    """
    path = folder / "comparison.html"
    if not path.is_file() or path.stat().st_size > MAX_BYTES:
        return None
    # nothing else of the page is taken, and of this nothing but letters of base64 and numbers
    found = _RELIEF.search(path.read_text(encoding="utf-8", errors="replace"))
    if found is None:
        return None
    south, west, north, east = (float(number) for number in found.groups()[1:])
    return found[1], [[south, west], [north, east]]


def read_findings(folder: Path) -> pd.DataFrame:
    """What decides each candidate: candidate_id, regime_id, text, evidence; empty where there is no such file.

    Args:
        folder: of results.

    Raises:
        SourceError: ``findings.json`` isn't what a run writes.
    """
    path = folder / "findings.json"
    rows: list[_Finding] = []
    if path.exists():
        rows = _validated(_Findings, {"rows": read_json(path, "file of findings", MAX_BYTES)}, path).rows
    cells = [
        [clean_line(f.candidate_id), clean_line(f.regime_id), clean_line(f.text), "; ".join(f.evidence)] for f in rows
    ]
    return pd.DataFrame(cells, columns=["candidate_id", "regime_id", "text", "evidence"])


def line_colours(candidates: gpd.GeoDataFrame, default: str) -> list[str]:
    """Colours of routes as their file has them, where they are colours.

    Args:
        candidates: with a column ``colour``, or without.
        default: for the others.
    """
    given = candidates["colour"] if "colour" in candidates else [""] * len(candidates)
    return [cell if isinstance(cell, str) and _COLOUR.fullmatch(cell) else default for cell in given]


def _plain(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table with its texts on one line each, without what could direct a terminal or a page."""
    for column in frame.columns:
        if column != "geometry" and frame[column].dtype == object:
            frame[column] = [clean_line(cell) if isinstance(cell, str) else cell for cell in frame[column]]
    return frame


def _validated(model: type[Any], content: object, path: Path) -> Any:
    try:
        return model.model_validate(content)
    except ValidationError as faults:
        first = faults.errors()[0]
        where = ".".join(str(part) for part in first["loc"])[:80]
        fault = f"{where}: {fault_words(first)}" if where else "no table by name"
        raise SourceError(f"{path}: isn't what `corridor run` writes ({fault}); run it again") from faults


def facts_of(row: Mapping[str, Any]) -> dict[str, str]:
    """What a map says of a route when it is pointed at: the texts and figures of its row.

    Args:
        row: of the candidates' table.
    """
    shown = ("letter", "name", "family", "mode", "length_km")
    return {key: json.dumps(row[key]) if isinstance(row[key], bool) else str(row[key]) for key in shown if key in row}


# --- Results opened again from their folder: their tables, lines and map, and other rankings of them ---

_MAX_MANIFEST_BYTES, _MAX_TABLE_BYTES = 20_000_000, 200_000_000
_Weight = Annotated[float, Field(ge=0, le=1e12, allow_inf_nan=False, strict=True)]
_Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(clean_line)]
_Words = Annotated[str, Field(max_length=20_000), AfterValidator(clean_line)]


def _with_alias(row: object) -> object:
    """A criterion of a manifest, whose ``criterion_id`` is ``id`` in a study."""
    if not isinstance(row, dict) or "criterion_id" not in row:
        return row
    return {"id" if key == "criterion_id" else key: value for key, value in row.items()}


class _Input(BaseModel):
    """A data file of a run."""

    id: _Words = ""
    title: _Words = ""
    file: _Words = ""
    date: _Words = ""
    sha256: _Words = ""


class _Saved(BaseModel):
    """What of a manifest a ranking hangs on; everything else in it is let be."""

    criteria: Annotated[tuple[Annotated[Criterion, BeforeValidator(_with_alias)], ...], Field(min_length=1)]
    perspectives: dict[_Name, dict[_Name, _Weight]]
    default_perspective: _Name
    as_if_opened: bool = False
    study: _Words = ""
    title: _Words = ""
    as_of: _Words = ""
    baseline: _Words = ""
    version: _Words = ""
    inputs: Annotated[tuple[_Input, ...], Field(max_length=1000)] = ()
    notes: dict[_Name, tuple[_Words, ...]] = {}
    map_remarks: tuple[_Words, ...] = ()
    status_remarks: tuple[_Words, ...] = ()


@dataclass(frozen=True)
class SavedResults:
    """Results in a folder, to look at, to rank again and to hold against others, as a comparison that was just made.

    ``metrics`` is the metric table; ``weights_of`` the weights by criterion of each perspective of the run, of which
    ``default_perspective`` is the study's own. ``facts`` are the study's id, title, date, baseline and the version that
    wrote it; ``inputs`` its data files: id, title, file, date, sha256. ``notes`` are sentences by subject that a reader
    needs to judge the figures, and what each candidate assumes; None where the run wrote none down.
    """

    folder: Path
    metrics: pd.DataFrame
    matrix: DecisionMatrix
    weights_of: Mapping[str, Mapping[str, float]]
    default_perspective: str
    criteria: tuple[Criterion, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    inputs: tuple[Mapping[str, str], ...] = ()
    notes: Mapping[str, tuple[str, ...]] | None = None

    def __repr__(self) -> str:
        candidates = self.metrics["candidate_id"].nunique() if "candidate_id" in self.metrics else 0
        return f"<SavedResults {self.folder}: {candidates} candidates, {len(self.weights_of)} perspectives>"

    def _repr_html_(self) -> str:
        columns = [c for c in ("name", "length_km", "travel_time_h", "ascent_m", "cost_musd") if c in self.metrics]
        rows = self.metrics.drop_duplicates("candidate_id") if "candidate_id" in self.metrics else self.metrics
        cells = [[f"{cell:,.4g}" if isinstance(cell, float) else str(cell) for cell in row]
                 for row in rows[columns].itertuples(index=False)]  # fmt: skip
        return table_html(f"{self.facts.get('title', '')} ({self.facts.get('as_of', '')})", columns, cells)

    @cached_property
    def candidates(self) -> gpd.GeoDataFrame:
        """One row per candidate, EPSG:4326: id, name, family, mode, letter, colour, line."""
        return read_candidates(self.folder)

    @cached_property
    def crossings(self) -> gpd.GeoDataFrame:
        """What the routes meet, by regime; empty where the run wrote no ``crossings.parquet``."""
        path = self.folder / "crossings.parquet"
        if path.exists():
            return read_layer(path)
        return gpd.GeoDataFrame({"candidate_id": [], "regime_id": []}, geometry=[], crs=WGS84)

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What decides each candidate under each regime: candidate_id, regime_id, text, evidence (ids)."""
        return read_findings(self.folder)

    @cached_property
    def ranking(self) -> pd.DataFrame:
        """The rankings of the run under each perspective, as they were written."""
        return _read_table(self.folder / "ranking.csv")

    @cached_property
    def places(self) -> pd.DataFrame:
        """What each route does to each place; empty where the run measured no impacts."""
        path = self.folder / "places.csv"
        return _read_table(path) if path.exists() else pd.DataFrame()

    @cached_property
    def profiles(self) -> dict[str, pd.DataFrame]:
        """Heights along each route by id, as ``candidates.gpx`` has them: chainage_km, lon, lat, height_m, in_tunnel.

        Raises:
            SourceError: the run wrote no ``candidates.gpx``.
        """
        return read_profiles(self.folder, self.candidates)

    def plot(self, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
        """Draw the routes with matplotlib, in degrees, true to scale at the middle.

        Args:
            ax: where to draw; a new figure if left out.
            candidates: ids of those to draw; all by default.

        Returns:
            The axes.

        Raises:
            ExtraError: matplotlib isn't installed (``pip install corridor[charts]``).
            OutputError: there is no candidate of an id.
        """
        chosen = self._chosen(candidates)
        axes = ax if ax is not None else new_axes((9, 5))
        for row, colour_ in zip(chosen.to_dict("records"), line_colours(chosen, colour("blue")), strict=True):
            for index, line in enumerate(shapely.get_parts(row["geometry"])):  # a package stands in the legend once
                xy = shapely.get_coordinates(line)
                axes.plot(xy[:, 0], xy[:, 1], color=colour_, linewidth=1.8, label=None if index else _label(row))
        _, south, _, north = chosen.total_bounds
        return label_map(axes, south, north)

    def plot_profiles(self, ax: Axes | None = None, *, candidates: Sequence[str] | None = None) -> Axes:
        """Draw the routes' heights along the way, tunnels thick, as :meth:`corridor.Comparison.plot_profiles` does.

        Args:
            ax: where to draw; a new figure if left out.
            candidates: ids of those to draw; all by default.

        Returns:
            The axes.

        Raises:
            ExtraError: matplotlib isn't installed (``pip install corridor[charts]``).
            OutputError: there is no candidate of an id.
            SourceError: the run wrote no ``candidates.gpx``.
        """
        chosen, profiles = self._chosen(candidates), self.profiles
        axes = ax if ax is not None else new_axes((9, 4))
        for row, colour_ in zip(chosen.to_dict("records"), line_colours(chosen, colour("blue")), strict=True):
            profile = profiles.get(row["candidate_id"])
            if profile is None:  # a package's heights are those of its routes
                continue
            axes.plot(profile["chainage_km"], profile["height_m"], color=colour_, linewidth=1.2, label=_label(row))
            bored = profile["height_m"].where(profile["in_tunnel"])
            axes.plot(profile["chainage_km"], bored, color=colour_, linewidth=4, solid_capstyle="butt")
        return label_profiles(axes)

    def explore(self, *, candidates: Sequence[str] | None = None, tiles: str | None = None) -> folium.Map:
        """The routes as lines to point at, over the relief of the page; loads nothing unless ``tiles`` are asked for.

        Args:
            candidates: ids of those to draw; all by default.
            tiles: a background that Folium knows instead of the relief, for instance ``OpenStreetMap``; it needs a
                network.

        Returns:
            The map.

        Raises:
            OutputError: there is no candidate of an id.
        """
        chosen = self._chosen(candidates)
        map_ = blank_map(tiles=tiles)
        relief = read_relief(self.folder) if tiles is None else None
        if relief is not None:
            ImageOverlay(*relief, name="relief", alt="").add_to(map_)
        for row, colour_ in zip(chosen.to_dict("records"), line_colours(chosen, colour("blue")), strict=True):
            name = f"{row.get('letter') or ''}  {row['name']}".strip()
            add_lines(map_, name, [(row["geometry"], colour_, facts_of(row))])
        fit(map_, list(chosen.geometry))
        return map_

    def map(self, *, online_tiles: bool = False) -> folium.Map:
        """The routes on a map, as :meth:`explore` draws them.

        Args:
            online_tiles: draw them over OpenStreetMap, loaded from the network.

        Returns:
            The map.
        """
        return self.explore(tiles="OpenStreetMap" if online_tiles else None)

    def _chosen(self, wanted: Sequence[str] | None) -> gpd.GeoDataFrame:
        ids = list(self.candidates["candidate_id"])
        unknown = [key for key in wanted or () if key not in ids]
        if unknown:
            raise OutputError(f"no candidate '{unknown[0]}'; there are: {', '.join(ids)}")
        return self.candidates if wanted is None else self.candidates[self.candidates["candidate_id"].isin(wanted)]

    @property
    def perspectives(self) -> tuple[str, ...]:
        """Names that :meth:`rank` takes."""
        return tuple(self.weights_of)

    def rank(
        self,
        perspective: str | None = None,
        *,
        regime: str | None = None,
        weights: Mapping[str, float] | None = None,
        method: str = DEFAULT_METHOD,
        as_if_opened: bool = False,
    ) -> pd.DataFrame:
        """Candidates from best to worst, as :meth:`corridor.Comparison.rank` gives them.

        Args:
            perspective: whose interest; the study's own by default.
            regime: only the rows under this set of rules.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined: an id of :func:`corridor.mcda.methods.method_ids`.
            as_if_opened: rank under rules that allow no transit as if they did.

        Returns:
            A row per alternative: rank, score, contributions, and the reason where it isn't ranked.

        Raises:
            ScoringError: unknown perspective, criterion or method, or weights that can't be used.
        """
        chosen = choose_weights(self.weights_of, perspective or self.default_perspective, weights)
        return under_regime(rank_alternatives(self._matrix(as_if_opened), chosen, method), regime)

    def robustness(
        self,
        perspective: str | None = None,
        *,
        weights: Mapping[str, float] | None = None,
        method: str = DEFAULT_METHOD,
        draws: int = 10_000,
        seed: int = 0,
        as_if_opened: bool = False,
    ) -> tuple[Review, ...]:
        """How firm a ranking is, as :meth:`corridor.Comparison.robustness` says it.

        Args:
            perspective: whose ranking is put to the test; the study's own by default.
            weights: weights of criteria or groups instead of a perspective.
            method: how values are combined.
            draws: how many weights and metrics are drawn.
            seed: of the draws; the same seed gives the same answer.
            as_if_opened: as in :meth:`rank`.

        Returns:
            One review per panel (regime, and through routes or comparators); two where metrics are undetermined, one at
            each end.

        Raises:
            ScoringError: as :meth:`rank`.
        """
        chosen = choose_weights(self.weights_of, perspective or self.default_perspective, weights)
        return review_matrix(self._matrix(as_if_opened), chosen, method=method, draws=draws, seed=seed)

    def _matrix(self, as_if_opened: bool) -> DecisionMatrix:
        return build_matrix(self.metrics, self.matrix.criteria, as_if_opened=True) if as_if_opened else self.matrix


def _label(row: Mapping[str, Any]) -> str:
    """What a legend calls a route of the table; its file may have no letters."""
    return legend_label(row.get("letter") or "", row["name"])


def load_results(folder: str | Path) -> SavedResults:
    """Open what a run left in a folder: its tables, routes and map, to look at and to rank again.

    Everything in the folder is taken for somebody else's: each field is checked before it is used.

    Args:
        folder: that ``corridor run`` or :meth:`corridor.Comparison.write` wrote.

    Returns:
        The results, like a comparison: ``metrics``, ``candidates``, ``crossings``, ``findings``, ``places``, ``rank``,
        ``robustness``, ``plot``, ``plot_profiles``, ``explore``, ``map``.

    Raises:
        SourceError: the folder holds no results of this tool, or they were changed into something unreadable.
    """
    folder = Path(folder)
    for name in ("manifest.json", "metrics.csv"):
        if not (folder / name).exists():
            raise SourceError(f"{folder}: has no {name}; give the folder that `corridor run` wrote")
    said = read_json(folder / "manifest.json", "manifest of `corridor run`", _MAX_MANIFEST_BYTES)
    saved = _validated(_Saved, said, folder / "manifest.json")
    metrics = _read_table(folder / "metrics.csv")
    # Ranks are made anew by the steps of a run, from the table as it was written: no second way to rank.
    given = {"metrics": metrics, "criteria": saved.criteria, "as_if_opened": saved.as_if_opened}
    try:
        matrix = Run(comparison_graph(), given)[ranking.matrix]
    except ScoringError as fault:
        said_of = str(fault).removeprefix("metric table: ")
        raise SourceError(f"{folder / 'metrics.csv'}: {said_of}; make the results again") from fault
    facts = {name: getattr(saved, name) for name in ("study", "title", "as_of", "baseline", "version")}
    return SavedResults(
        folder, metrics, matrix, saved.perspectives, saved.default_perspective, saved.criteria, facts,
        tuple(item.model_dump() for item in saved.inputs), _notes_of(saved),
    )  # fmt: skip


def _notes_of(saved: _Saved) -> dict[str, tuple[str, ...]] | None:
    """All notes of a manifest by subject; None of one that was written before notes stood in it."""
    if "notes" not in saved.model_fields_set:
        return None
    remarks = {"map data": saved.map_remarks, "statuses": saved.status_remarks}
    return saved.notes | {subject: said for subject, said in remarks.items() if said}


def _read_table(path: Path) -> pd.DataFrame:
    """A table of a results folder: texts as they were, also where they read ``nan``."""
    require_file(path, "table of `corridor run`", _MAX_TABLE_BYTES)
    require_commas(path)
    try:
        # Ids and names stay text, be they called 007 or nan.
        ids = {"candidate_id": str, "regime_id": str, "name": str, "candidate_name": str}
        table = pd.read_csv(path, dtype=ids, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
    except (ValueError, MemoryError) as fault:
        raise SourceError(f"{path.parent}: its {path.name} isn't what `corridor run` writes; run it again") from fault
    # Texts that a spreadsheet could take for formulas were quoted when written: here they are as they were.
    for column in table.select_dtypes(["object", "string"]):
        table[column] = [unquote_formula(value) if isinstance(value, str) else value for value in table[column]]
    return table
