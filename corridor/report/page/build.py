"""The page that a reader opens: one HTML file with everything in it and no way out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import import_module
from itertools import pairwise
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from corridor.errors import OutputError
from corridor.report.i18n import (
    Words,
    clean,
    clean_text,
    csp_hash,
    libraries,
    read_asset,
    read_messages,
    safe_url,
    script_json,
    uplot_css,
    uplot_js,
    words,
)
from corridor.report.map.layers import cut_off_totals, place_aliases, place_reach
from corridor.report.page.declared import build_conditions, build_rules
from corridor.report.page.flows import build_flow_data
from corridor.report.page.glance import WHO, build_glance, build_matrix
from corridor.report.page.summary import LEADING, summarise
from corridor.report.tables import cost_rows, criterion_name, format_number, price_years, texts
from corridor.report.view import ReportView, describe_run
from corridor.schema.candidate import BorderPassage, Candidate, Part, Profile, route_message
from corridor.schema.column import Criterion, ends_for_ranks
from corridor.schema.fields import Source
from corridor.schema.message import ListStyle, Message, Value, country_message, from_json, listing, message_values
from corridor.schema.regime import OUTSIDE, Regime
from corridor.schema.results import PerspectiveWords, Results
from corridor.schema.vocabulary import Mode, PanelKind, Works
from corridor.theme import css_theme, js_theme

# --- Elevation profiles thinned for the page ---

POINTS = 500
GRADE_METRIC = "grade_p95_pct"
"""There for a candidate only where the heights are fine enough for grades."""
GRADE_LIMITS_PCT = {Mode.ROAD: (3.0, 6.0, 8.0), Mode.RAIL: (1.0, 1.8, 2.5)}
"""Where one colour of the profile ends and the next begins, by mode."""


def build_profile_data(results: Results) -> dict[str, Any]:
    """Per candidate: chainage (km), heights and ground (m), positions, structures and stretches by country."""
    return {
        candidate.candidate_id: _profile(candidate, results.profiles[candidate.candidate_id])
        | (_grades(candidate, results.profiles[candidate.candidate_id]) if has_grades(results, candidate) else {})
        for candidate in results.candidates
        if candidate.candidate_id in results.profiles
    }


def thin(heights_m: NDArray[np.float64], count: int = POINTS) -> NDArray[np.int64]:
    """Indices of about ``count`` points that keep both ends and the highest and lowest point of every stretch."""
    total = len(heights_m)
    if total <= count:
        return np.arange(total)
    # Two points of each stretch, its lowest and its highest: plain thinning would cut off passes and tunnels' mouths.
    edges = np.linspace(0, total, count // 2 + 1).astype(int)
    kept = {0, total - 1}
    for start, end in pairwise(edges):
        if end > start:
            kept.add(int(start + np.argmin(heights_m[start:end])))
            kept.add(int(start + np.argmax(heights_m[start:end])))
    return np.array(sorted(kept), dtype=np.int64)


def has_grades(results: Results, candidate: Candidate) -> bool:
    """Whether the heights support grades of a candidate."""
    table = results.metrics
    if GRADE_METRIC not in table.columns:
        return False
    rows = table[table["candidate_id"].astype(str) == candidate.candidate_id]
    return bool(rows[GRADE_METRIC].notna().any())


def grade_classes(
    chainage_km: NDArray[np.float64],
    height_m: NDArray[np.float64],
    keep: NDArray[np.int64],
    limits_pct: Sequence[float],
) -> list[int]:
    """Class of the mean grade, up or down, between kept points: 0 under the first limit, 1 from it on, and so on.

    Args:
        chainage_km: shape (n,), rising.
        height_m: heights of the route, shape (n,).
        keep: indices of kept points, shape (m,).
        limits_pct: limits between classes, rising.

    Returns:
        m - 1 classes.
    """
    # Up and down both count. Between two kept points the mean grade is that of all heights between them, not of their
    # difference.
    climbed_m = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(height_m)))])
    run_m = np.maximum(np.diff(chainage_km[keep]) * 1000, 1e-6)
    grade_pct = 100 * np.diff(climbed_m[keep]) / run_m
    return np.digitize(np.round(grade_pct, 6), limits_pct).tolist()  # type: ignore[no-any-return]


def _grades(candidate: Candidate, profile: Profile) -> dict[str, Any]:
    limits = GRADE_LIMITS_PCT[candidate.mode]
    classes = grade_classes(profile.chainage_km, profile.height_m, thin(profile.height_m), limits)
    return {"grades": classes, "gradeLimits": list(limits)}


def _profile(candidate: Candidate, profile: Profile) -> dict[str, Any]:
    keep = thin(profile.height_m)
    return {
        "km": np.round(profile.chainage_km[keep], 2).tolist(),
        "height": np.round(profile.height_m[keep]).astype(int).tolist(),
        "ground": np.round(profile.ground_m[keep]).astype(int).tolist(),
        "lat": np.round(profile.lat[keep], 4).tolist(),
        "lon": np.round(profile.lon[keep], 4).tolist(),
        "spans": [[s.kind, round(s.from_km, 2), round(s.to_km, 2), s.name] for s in profile.spans],
        "countries": _stretches(candidate),
    }


def _stretches(candidate: Candidate) -> list[list[Any]]:
    """Runs of one country along the drawn line: country, from and to in km."""
    out: list[list[Any]] = []
    at = 0.0
    for part in candidate.parts:
        if out and out[-1][0] == part.country:
            out[-1][2] = round(at + part.drawn_km, 2)
        else:
            out.append([part.country, round(at, 2), round(at + part.drawn_km, 2)])
        at += part.drawn_km
    return out


# --- What the page needs to rank again by itself, exactly as the weighted sum did ---


def build_score_data(view: ReportView) -> dict[str, Any]:
    """Panels with their criteria and metrics, and each perspective as weights of groups and shares within them.

    Numbers keep their full precision. Who takes part in a panel, and by which criteria, is read off the ranking:
    a criterion that was dropped has no contribution there.
    """
    results = view.results
    groups = list(dict.fromkeys(criterion.group for criterion in results.criteria))
    figures = _figures(results)
    panels = _panels_to_rank(results, view.regime_ids, figures)
    if view.if_opened is not None:
        # as if opened, other routes are ranked by the same figures
        opened = _panels_to_rank(view.if_opened.results, view.if_opened.regime_ids, figures)
        panels += [panel | {"opened": True} for panel in opened]
    return {
        "groups": groups,
        "criteria": [
            {
                "id": c.criterion_id,
                "group": c.group,
                "best": c.best,
                "worst": c.worst,
                "shape": c.shape,
                "tolerance": c.tolerance,
                "direction": c.direction,
            }
            for c in results.criteria
        ],
        "panels": [panel for panel in panels if panel["ids"]],
        "perspectives": {p.perspective_id: _perspective(results, p, groups) for p in results.perspectives},
        "default": results.default_perspective,
    }


def _perspective(results: Results, view: PerspectiveWords, groups: Sequence[str]) -> dict[str, Any]:
    """Weights by group, and each criterion's share of its group (equal where the group has no weight)."""
    by_group = {g: [c.criterion_id for c in results.criteria if c.group == g] for g in groups}
    # Readers move weights of groups; shares within one stay as the study has them.
    totals = {g: sum(view.weights.get(key, 0.0) for key in ids) for g, ids in by_group.items()}
    within = {
        key: view.weights.get(key, 0.0) / totals[g] if totals[g] > 0 else 1.0 / len(ids)
        for g, ids in by_group.items()
        for key in ids
    }
    return {"groups": totals, "within": within}


@dataclass(frozen=True)
class _Figures:
    """What the criteria of all routes are, worked out once for all panels: None where there is no number.

    ``plain``, ``low`` and ``high`` are figures and their ends by row of the metric table and criterion; ``known`` tells
    where there is either a figure or a lower end.
    """

    ids: list[str]
    regimes: list[str]
    members: list[list[str]]
    known: NDArray[np.bool_]
    plain: list[list[float | None]]
    low: list[list[float | None]]
    high: list[list[float | None]]


def _figures(results: Results) -> _Figures:
    table, columns = results.metrics, [criterion.metric for criterion in results.criteria]
    ends = [ends_for_ranks(table, column) for column in columns]
    lower = [_numbers(table, f"{column}_low").notna() for column in columns]
    plain = [_numbers(table, column) for column in columns]
    return _Figures(
        ids=[str(key) for key in table["candidate_id"]],
        regimes=table["regime_id"].fillna("").astype(str).tolist() if "regime_id" in table.columns else [],
        members=[members.split("; ") for members in texts(table, "members")],
        known=_stacked([figures.notna() | low for figures, low in zip(plain, lower, strict=True)], len(table), bool),
        plain=_finite(_stacked(plain, len(table))),
        # Ends of what is undetermined: null in the metrics. An end that can't be reached is null here too.
        low=_finite(_stacked([low for low, _ in ends], len(table))),
        high=_finite(_stacked([high for _, high in ends], len(table))),
    )


def _numbers(table: pd.DataFrame, column: str) -> pd.Series:
    empty = pd.Series(float("nan"), index=table.index)
    return pd.to_numeric(table[column], errors="coerce") if column in table.columns else empty


def _stacked(columns: Sequence[pd.Series], count: int, kind: type = float) -> NDArray[Any]:
    arrays = [column.to_numpy(dtype=kind) for column in columns]
    return np.column_stack(arrays) if arrays else np.empty((count, 0), dtype=kind)


def _finite(numbers: NDArray[np.float64]) -> list[list[float | None]]:
    """Numbers by row and column, None where there is none or it is endless."""
    return np.where(np.isfinite(numbers), numbers, None).tolist()  # type: ignore[no-any-return, call-overload]


def _panels_to_rank(results: Results, regime_ids: Iterable[str], figures: _Figures) -> list[dict[str, Any]]:
    ranking = results.ranking
    # Who takes part is the same from every point of view: one of them is enough to read it off. Without a best rank
    # nobody is ranked.
    first = ranking[(ranking["perspective"] == results.default_perspective) & ranking["rank_best"].notna()]
    # No worst rank: at its worst end the route can't be travelled, so that it may fall out of the ranking.
    lost: dict[tuple[str, str], dict[str, bool]] = {}
    for regime, kind, candidate, gone in zip(
        first["regime_id"].fillna("").astype(str), first["panel"], first["candidate_id"], first["rank_worst"].isna(),
        strict=True,
    ):  # fmt: skip
        lost.setdefault((regime, kind), {})[candidate] = bool(gone)
    return [
        _panel(results, figures, (regime, kind), lost.get((regime, kind), {}))
        for regime in dict.fromkeys((*regime_ids, OUTSIDE))
        for kind in PanelKind
    ]


def _panel(results: Results, figures: _Figures, key: tuple[str, str], lost: Mapping[str, bool]) -> dict[str, Any]:
    regime_id, kind = key
    at = [
        row
        for row, candidate in enumerate(figures.ids)
        if candidate in lost and (not figures.regimes or not regime_id or figures.regimes[row] == regime_id)
    ]
    # A criterion that was dropped has neither a value nor ends for anybody.
    kept = np.flatnonzero(figures.known[at].any(axis=0)).tolist()
    ids = [figures.ids[row] for row in at]
    facts = [panel for panel in results.panels if (panel.regime_id, panel.panel) == key]
    silent = facts[0].silent if facts else ()
    return {
        "regime": regime_id,
        "kind": kind,
        "criteria": kept,
        "ids": ids,
        **{
            name: [[values[row][index] for index in kept] for row in at]
            for name, values in (("metrics", figures.plain), ("low", figures.low), ("high", figures.high))
        },
        "silent": [index for index in kept if results.criteria[index].criterion_id in silent],
        "lost": [lost[key] for key in ids],
        # Rows of routes that a package holds, by the package's row: between those tolerance ties nobody.
        "holds": [[ids.index(member) for member in figures.members[row] if member in ids] for row in at],
    }


PAGE_SCRIPTS = (
    "i18n.js", "rank.js", "ranking.js", "table.js", "profile.js", "flows.js", "glance.js", "reach.js", "takeaway.js",
    "state.js", "main.js",
)  # fmt: skip
PAGE_STYLES = ("page.css", "print.css")


def draw_map(view: ReportView) -> tuple[str, str]:
    """HTML and script of the page's map.

    Args:
        view: the comparison as it is shown.
    """
    # Folium takes a quarter of a second to load: only who makes a page waits for it.
    from corridor.report.map.build import build_map, map_pieces

    return map_pieces(build_map(view))


def build_page(
    view: ReportView,
    made_on: str | None = None,
    drawn_map: Callable[[ReportView], tuple[str, str]] = draw_map,
) -> str:
    """Build the whole page as HTML text; the same text for the same results on the same day.

    Args:
        view: the comparison as it is shown.
        made_on: day that is printed as that of making; today, or that of SOURCE_DATE_EPOCH, if left out.
        drawn_map: what :func:`draw_map` gives, asked for when all else is there.

    Raises:
        OutputError: a part of the package is missing.
    """
    from corridor.report.map.build import MAP_SCRIPTS, MAP_STYLES
    from corridor.webmap import icon_script, leaflet_css, leaflet_js

    scores, flows, glance = build_score_data(view), build_flow_data(view), build_glance(view)
    conditions = build_conditions(view)
    data = script_json(
        _page_data(view, scores)
        | {"flows": flows, "glance": glance, "conditions": conditions["values"] if conditions else None}
    )
    shown = {**_first_screen(view, glance), **_words(view, scores)}
    map_html, map_script = drawn_map(view)
    # The order matters: libraries, then what uses them, the map, and the script that starts the page at last.
    scripts = [
        leaflet_js(), icon_script(), uplot_js(), js_theme(),
        *(read_asset(name) for name in (*MAP_SCRIPTS, *PAGE_SCRIPTS[:-1])),
        map_script, read_asset(PAGE_SCRIPTS[-1]),
    ]  # fmt: skip
    styles = [leaflet_css(), uplot_css(), css_theme(), *(read_asset(name) for name in (*MAP_STYLES, *PAGE_STYLES))]
    # Scripts are allowed by the hash of their text, so that whatever else found its way into the page would not run.
    _check_inline(scripts, styles)
    return _template().render(
        policy=_policy(scripts),
        styles=[Markup(style) for style in styles],  # noqa: S704  (files of this package and its libraries)
        scripts=[Markup(script) for script in scripts],  # noqa: S704
        map_html=Markup(map_html),  # noqa: S704  (built by build_map; its data are escaped there)
        data=Markup(data),  # noqa: S704
        flows=flows,
        made_on=made_on or _today(),
        conditions=conditions,
        **shown,
    )


def _today() -> str:
    """The day, or the one that a reproducible build states."""
    stated = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(stated), UTC) if stated.isdigit() else datetime.now(UTC)
    return now.date().isoformat()


def _first_screen(view: ReportView, glance: dict[str, Any]) -> dict[str, Any]:
    """The answer and the tables of routes and rules."""
    case = glance["cases"][view.opening]
    neighbour = view.results.neighbour
    country: Value = country_message(neighbour) if neighbour else ""
    # One head for each column that these results can fill, the same in table and cards.
    heads = [
        Message(f"head.{subject['name']}", {"country": country} if subject["name"] == "link" else {})
        for subject in glance["subjects"]
    ]
    # the first screen ranks by one point of view, whatever a reader chooses further down
    whose = view.perspective_name(view.results.default_perspective)
    places_of = Message("page.places_of", {"view": whose, "ranking": Message("page.ranking")})
    return {
        "places_of": places_of.to_json(),
        "opening": view.opening,
        "chosen": view.chosen,
        "glance": glance,
        "case": case,
        "answer": case["answer"],
        "who": case["who"],
        "who_names": WHO,
        "heads": [head.to_json() for head in heads],
        "short_heads": {
            subject["name"]: head.to_json() for subject, head in zip(glance["subjects"], heads, strict=True)
        },
        "comparators": {key for key, candidate in view.candidates.items() if candidate.comparator},
        "matrix": build_matrix(view),
        "rules": build_rules(view),
        "compiled_by": clean_text(view.results.report.compiled_by),
        "price_years": price_years(view.results),
        "can_open": sorted(glance["opened"]),
        "render": _renderer(view.english),
    }


def _renderer(english: Words) -> Callable[[dict[str, Any]], str]:
    """What says a message that has been made plain data, in English."""
    return lambda message: english.render(from_json(message))


def _policy(scripts: list[str]) -> str:
    """Nothing may be loaded or sent; only the scripts of this page run, each known by its hash."""
    hashes = " ".join(csp_hash(script) for script in scripts)
    return (
        f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _check_inline(scripts: list[str], styles: list[str]) -> None:
    for text, end in [(script, "</script") for script in scripts] + [(style, "</style") for style in styles]:
        if end in text.lower():
            raise OutputError(f"a script or style of the page holds '{end}': it can't be put into a page")


def load_page() -> None:
    """Load and compile what a page is made with, for who has time for it before there are results."""
    import_module("corridor.report.map.build")
    _template()


@cache
def _template() -> jinja2.Template:
    """The page's template, which is compiled once in a process."""
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(read_asset),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("page.html.j2")


def _page_data(view: ReportView, scores: dict[str, Any]) -> dict[str, Any]:
    """What the scripts work with."""
    results, marks = view.results, view.marks
    return {
        "candidates": [
            {
                "id": c.candidate_id,
                "name": c.name,
                "words": route_message(c).to_json(),
                "tripBy": _trip_by(results, c),
                "letter": marks[c.candidate_id].letter,
                "colour": marks[c.candidate_id].colour,
            }
            for c in results.candidates
        ],
        "chosen": view.chosen,
        "study": clean_text(results.study_id),
        "asOf": clean_text(results.as_of),
        "reach": place_reach(results),
        "scores": scores,
        "profiles": build_profile_data(results),
        "messages": view.messages,
    }


def _trip_by(results: Results, candidate: Candidate) -> dict[str, str]:
    """Which route the journey of a package takes, by regime; ``""`` where it has no row. Empty for a single route."""
    if not candidate.members:
        return {}
    rows = results.metrics[results.metrics["candidate_id"] == candidate.candidate_id]
    first = {"": candidate.members[0].candidate_id}
    return first | {str(row.get("regime_id") or ""): str(row["trip_by"]) for row in rows.to_dict("records")}


def _words(view: ReportView, scores: dict[str, Any]) -> dict[str, Any]:
    """What the template shows; strings are cleaned here and escaped there."""
    results, english = view.results, view.english
    default = results.default_perspective
    names = {c.candidate_id: english.render(route_message(c)) for c in results.candidates}
    return {
        "say": english.say,
        "known": english.known,
        "sentence": lambda message: _sentence(message, english),
        "languages": {code: read_messages(code)["language.name"] for code in results.report.languages},
        "title": clean_text(results.title),
        "question": clean_text(results.question),
        "as_of": clean_text(results.as_of),
        "baseline": clean_text(results.baseline),
        "focus": clean_text(results.focus_name),
        "findings": [[_sentence(s, english) for s in group] for group in summarise(view)],
        "leading": LEADING,
        "columns": view.columns,
        "rows": view.rows,
        "regimes": view.regime_ids,
        "regime_words": {regime.regime_id: _regime(regime) for regime in results.regimes},
        "unmeasured": [clean_text(criterion.label) for criterion in view.unmeasured],
        "panels": [*_panels(view, opened=False), *(_panels(view.if_opened, opened=True) if view.if_opened else ())],
        "perspectives": clean(
            [{"id": p.perspective_id, "label": p.label, "from": _note(p.weights_from)} for p in results.perspectives]
        ),
        "telling": {(*key, False): told for key, told in _telling(view).items()}
        | ({(*key, True): told for key, told in _telling(view.if_opened).items()} if view.if_opened else {}),
        "closed": _closed(results) if results.as_if_opened else (),
        "default": default,
        "groups": scores["groups"],
        "weights": scores["perspectives"].get(default, {"groups": {}})["groups"],
        "names": names,
        "crossings": clean(results.layers.crossings[["name", "status", "as_of"]].to_dict("records")),
        "routes": {c.candidate_id: route_message(c).to_json() for c in results.candidates},
        "marks": view.marks,
        "cards": _cards(view),
        "places": sorted({clean_text(name) for name in [*results.layers.places["name"], *_other_names(results)]})
        if len(results.layers.places)
        else [],
        "notes": clean(
            {subject: [_note(text, english) for text in texts] for subject, texts in results.notes.items() if texts}
        ),
        "sources": [_source(source) for source in results.sources],
        "documents": [_source(source) for source in results.documents],
        "libraries": libraries(),
        "run": clean(describe_run(results)),
        "asked_as": clean_text(results.asked_as or f"{results.study_id}.toml"),
        "scales": [(criterion, _anchors(criterion, english)) for criterion in results.criteria],
        "number": format_number,
        "json": script_json,
    }


def _sentence(message: Message, english: Words | None = None) -> dict[str, str]:
    """A message as the template shows it: English words, and what the script makes other languages' words from."""
    text = (english or words()).render(message)
    return {"key": message.key, "text": text, "values": script_json(message_values(message))}


def _note(value: Value, english: Words | None = None) -> dict[str, str]:
    """A note as the template shows it: a message, or plain text that has no key."""
    if isinstance(value, Message):
        return _sentence(value, english)
    return {"key": "", "text": (english or words()).render(value), "values": ""}


def _anchors(criterion: Criterion, english: Words) -> dict[str, str]:
    """What of a criterion is worth 1 and 0, and what counts as no difference."""
    unit = Message(f"unit.{criterion.unit}", fallback=clean_text(criterion.unit)) if criterion.unit else ""
    best, worst = (format_number(end, 0) for end in (criterion.best, criterion.worst))
    values: dict[str, Value] = {"best": best, "worst": worst, "unit": unit, "tolerance": f"{criterion.tolerance:g}"}
    return _sentence(Message("page.anchors", values), english)


def _panels(view: ReportView, *, opened: bool) -> list[tuple[str, PanelKind, bool, list[dict[str, Any]]]]:
    """Regime, kind, whether it is ranked as if opened, and rows of each panel under the default perspective."""
    rows = view.rankings[view.results.default_perspective]
    ranking = [row | {"reason": _note(row["reason"], view.english)} for row in rows]
    return [
        (regime, kind, opened, [row for row in ranking if row["regime_id"] == regime and row["panel"] == kind])
        for regime in dict.fromkeys((*view.regime_ids, OUTSIDE))
        for kind in PanelKind
    ]


def _closed(results: Results) -> tuple[str, ...]:
    """Sets of rules that allow no transit."""
    return tuple(regime.regime_id for regime in results.regimes if not regime.allows_transit)


def _telling(view: ReportView) -> dict[tuple[str, str], dict[str, Any]]:
    """By regime and panel: how much of the weight tells its routes apart, and which criteria don't."""
    labels = {c.criterion_id: criterion_name(view.results, c) for c in view.results.criteria}
    found = {}
    for panel in view.results.panels:
        if len(panel.candidate_ids) < 2:
            continue
        names = listing((labels[key] for key in panel.silent), ListStyle.COMMA)
        share = round(100 * panel.telling_weight[view.results.default_perspective])
        found[panel.regime_id, panel.panel] = {
            "share": _sentence(Message("page.telling", {"share": share})),
            "silent": _sentence(Message("page.silent", {"names": names})) if panel.silent else None,
        }
    return found


def _other_names(results: Results) -> list[str]:
    """Other names under which places of the map can be found, written as the catalogue writes them."""
    known = place_aliases(results)
    return [name for place in results.layers.named for name in place.spellings if name.lower() in known]


def _cards(view: ReportView) -> list[dict[str, Any]]:
    """Each route in words, with the places that it cuts off."""
    cut_off = cut_off_totals(view.results)
    return [
        _card(view, candidate) | {"cut_off": cut_off.get(candidate.candidate_id, [])}
        for candidate in view.results.candidates
    ]


def _card(view: ReportView, candidate: Candidate) -> dict[str, Any]:
    """A route in words: who calls it what, what it would need, where it crosses borders, what it is made of."""
    results = view.results
    # A route shows the documents that it cites and that the run has; a plain id without its title tells a reader
    # nothing.
    titles = {source.source_id: source for source in results.documents}
    used = [titles[key] for key in candidate.source_ids if key in titles]
    to_build = sum(p.length_km.mid for p in candidate.parts if p.works is not Works.NONE)
    together = tuple(route_message(member) for member in candidate.members)
    return {
        "id": candidate.candidate_id,
        "name": clean_text(candidate.name),
        "mode": candidate.modes,
        "comparator": candidate.comparator,
        "usable": candidate.candidate_id in view.usable,
        "aliases": clean([[alias.name, alias.used_by] for alias in candidate.aliases]),
        "note": clean_text(candidate.note),
        "said": [
            {"label": label, **_sentence(Message("card.list", {"list": listing(words_)}))}
            for label, words_ in (
                ("card.together", together),
                ("notes.assumptions", candidate.assumptions),
                ("card.about_line", candidate.remarks),
            )
            if words_
        ],
        "length": " + ".join(format_number(route.length_km.mid, 0) for route in candidate.routes),
        "to_build": format_number(to_build, 0),
        "passages": clean([_passage(view, passage) for passage in candidate.passages]),
        "parts": clean([_part(part) for part in candidate.parts]),
        "costs": cost_rows(results, candidate.candidate_id),
        "price_year": price_years(results, candidate.candidate_id),
        "sources": [_source(source) for source in used],
        "findings": [
            {"regime": f.regime_id, **_sentence(f.message)}
            for f in results.findings
            if f.candidate_id == candidate.candidate_id
        ],
    }


def _passage(view: ReportView, passage: BorderPassage) -> dict[str, Any]:
    """Where a route passes a border."""
    return {
        "countries": "-".join(passage.countries),
        "name": view.crossing_names.get(passage.crossing_id, passage.crossing_id),
        "status": passage.status,
    }


def _part(part: Part) -> dict[str, Any]:
    """A part of a route, lengths in km."""
    return {
        "name": part.name,
        "country": part.country,
        "status": part.status,
        "length": format_number(part.length_km.mid, 1),
        "documented": part.documented,
        "drawn": format_number(part.drawn_km, 1),
        "tunnel": format_number(part.tunnel_km, 1) if part.tunnel_km else "",
        "bridge": format_number(part.bridge_km, 1) if part.bridge_km else "",
    }


def _regime(regime: Regime) -> dict[str, Any]:
    """A regime in words: what its text says, how firm the text is, and how many of the open questions it answers."""
    return clean(  # type: ignore[no-any-return]
        {
            "label": regime.label,
            "summary": regime.summary,
            "text_status": regime.text_status,
            "as_of": regime.as_of,
            "counterfactual": regime.counterfactual,
            "switches_from": regime.switches_from,
            "clarity": str(regime.clarity),
            "open": ", ".join(question.replace("_", " ") for question in regime.open_questions),
        }
    )


def _source(source: Source) -> dict[str, str]:
    return {
        "title": clean_text(source.title),
        "publisher": clean_text(source.publisher),
        "date": clean_text(source.date),
        "licence": clean_text(source.licence),
        "url": safe_url(source.url),
        "file": clean_text(source.file),
        "sha256": clean_text(source.sha256),
        "note": clean_text(source.note),
    }
