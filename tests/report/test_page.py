import base64
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shapely import LineString

from corridor.export.gis import candidate_lines
from corridor.report.i18n import clean_text, read_messages, safe_url, script_json
from corridor.report.map.build import build_map
from corridor.report.map.ground import LONGEST_SIDE_PX, border_lines, build_relief
from corridor.report.map.layers import letter_points
from corridor.report.page.build import build_page, thin
from corridor.report.page.glance import answer
from corridor.report.page.summary import summarise
from corridor.report.tables import assign_marks, format_number, metric_columns, metric_rows, plain_table
from corridor.report.view import ReportView
from corridor.schema.column import Column, Kind, Unit
from corridor.schema.fields import Grid
from corridor.schema.message import Message
from corridor.schema.settings import LANGUAGES
from corridor.schema.vocabulary import CrossingStatus, SectionStatus
from corridor.webmap import leaflet_css
from tests.report.synthetic import hostile_results, page_words, results


@pytest.fixture(scope="module")
def page():
    return build_page(ReportView(results()))


class _Links(HTMLParser):
    """Every address that a browser would load by itself, and every inline event handler."""

    def __init__(self):
        super().__init__()
        self.loads, self.handlers, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("src", "srcset", "data", "poster") or (tag == "link" and name == "href"):
                self.loads.append(value)
            if name.startswith("on"):
                self.handlers.append((tag, name, value))
            if tag == "a" and name == "href":
                self.links.append(value)


def test_nothing_is_loaded_from_anywhere(page):
    found = _Links()
    found.feed(page)
    assert [value for value in found.loads if not value.startswith("data:")] == []
    assert not found.handlers
    assert not re.search(r"url\((?!['\"]?(?:data:|#))", re.sub(r"<script.*?</script>", "", page, flags=re.S))


def test_the_policy_allows_exactly_the_scripts_of_the_page(page):
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1].replace("&#39;", "'")
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    hashes = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts}
    assert hashes == set(re.findall(r"'sha256-([^']+)'", policy))
    assert "script-src 'unsafe" not in policy


def test_hostile_text_stays_text():
    found = _Links()
    text = build_page(ReportView(hostile_results()))
    found.feed(text)
    assert not found.handlers
    assert [link for link in found.links if link.startswith("javascript")] == []
    assert [value for value in found.loads if not value.startswith("data:")] == []
    assert text.count("<script") == build_page(ReportView(results())).count("<script")
    assert text.count("7*7") > 1


@given(st.text())
def test_json_in_a_script_can_not_leave_it(text):
    encoded = script_json({"name": text})
    assert not set("<>&\u2028\u2029") & set(encoded)
    assert not re.search(r"\{[{%#]", encoded)
    assert json.loads(encoded)["name"] == clean_text(text)


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "file:///etc", "//host/x", "https://[", ""])
def test_addresses_that_could_run_are_no_links(url):
    assert safe_url(url) == ""


def test_a_saved_map_links_to_nothing():
    html = build_map(ReportView(results())).get_root().render()
    found = _Links()
    found.feed(html)
    assert [value for value in found.loads if not value.startswith("data:")] == []
    assert "cdn" not in html
    assert "L.map(" in html


def test_a_map_takes_further_folium_layers_and_online_tiles():
    import folium

    map_ = build_map(ReportView(results()), online_tiles=True)
    folium.CircleMarker([39.5, 45.5]).add_to(map_)
    html = map_.get_root().render()
    assert "tile.openstreetmap.org" in html
    assert "circleMarker" in html


def test_leaflet_s_pictures_are_inside():
    assert "url(images" not in leaflet_css()


def test_cells_mark_the_best_and_worst_through_route_and_no_comparator():
    found = results()
    columns = metric_columns(found)
    rows = [
        row
        for row in metric_rows(found, columns, assign_marks(found.candidates), plain_table(found.metrics))
        if row.regime_id == "free"
    ]
    length = {row.candidate_id: row.cells[0].mark for row in rows}
    assert length == {"north": "best", "middle": "", "south": "", "cut": "worst", "far": ""}
    openings = {row.candidate_id: row.cells[[c.metric for c in columns].index("openings")] for row in rows}
    assert (openings["cut"].text, openings["cut"].status) == ("", "unreachable")
    assert rows[0].cells[0].range_text == "98.0–110.0"


def test_a_figure_that_is_the_same_everywhere_leaves_the_tables():
    whole, name = results(), "openings"
    listed = Column(name, Unit.COUNT, "openings", "counted", kind=Kind.COUNT)
    others = tuple(criterion for criterion in whole.criteria if criterion.metric != name)
    found = replace(whole, criteria=others, columns=(listed,))
    scored = {criterion.metric for criterion in others}

    def shown(**cells):
        return name in {c.metric for c in metric_columns(replace(found, metrics=found.metrics.assign(**cells)))}

    ends = {column: 1.0 for column in (f"{name}_low", name, f"{name}_high") if column in found.metrics}
    assert not shown(**ends)
    routes = found.metrics["candidate_id"]
    one = routes == routes.iloc[0]
    assert shown(**ends | {name: np.where(one, 1.5, 1.0)})
    # only one route has it: that is a difference
    assert shown(**{column: np.where(one, 1.0, np.nan) for column in ends})
    # lost under one rule
    lost = np.ones(len(routes))
    lost[0] = np.nan
    assert shown(**dict.fromkeys(ends, lost))
    # a scored one stays: what a rank hangs on is shown
    for metric in scored:
        flat = {column: 1.0 for column in (f"{metric}_low", metric, f"{metric}_high") if column in found.metrics}
        assert metric in {c.metric for c in metric_columns(replace(found, metrics=found.metrics.assign(**flat)))}


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1614.57, 0, "1\u202f615"), (-0.04, 1, "0.0"), (-3.26, 1, "\u22123.3"), (2.0, 2, "2.00")],
)
def test_numbers_read_the_same_in_every_language(value, digits, text):
    assert format_number(value, digits) == text


@given(st.lists(st.floats(-100, 5000), min_size=1, max_size=3000))
def test_thinned_profiles_keep_ends_and_extremes(heights):
    values = np.array(heights)
    kept = thin(values, 100)
    assert len(kept) <= max(102, min(len(values), 100))
    assert kept[0] == 0
    assert kept[-1] == len(values) - 1
    assert values[kept].max() == values.max()
    assert values[kept].min() == values.min()


def test_relief_is_lit_from_the_north_west_and_lies_where_it_should():
    rows, cols = np.mgrid[0:200, 0:200]
    cone = (6000 - 40 * np.hypot(rows - 100, cols - 100)).astype(np.float32)
    grid = Grid("EPSG:4326", Affine(0.01, 0, 45.0, 0, -0.01, 40.0), (200, 200))
    relief = build_relief(cone, grid)
    assert relief.bounds == pytest.approx((45.0, 38.0, 47.0, 40.0), abs=0.02)
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(relief.uri.split(",")[1]))).convert("L"), dtype=float)
    rows, cols = picture.shape
    north_west = picture[rows // 3 : rows // 2 - 8, cols // 3 : cols // 2 - 8].mean()
    south_east = picture[rows // 2 + 8 : 2 * rows // 3, cols // 2 + 8 : 2 * cols // 3].mean()
    assert north_west > south_east + 10


def test_a_large_relief_is_drawn_on_a_picture_of_bounded_size():
    heights = np.random.default_rng(0).normal(1500, 300, (2000, 2400)).astype(np.float32)
    relief = build_relief(heights, Grid("EPSG:4326", Affine(0.001, 0, 45.0, 0, -0.001, 40.0), heights.shape))
    picture = Image.open(io.BytesIO(base64.b64decode(relief.uri.split(",")[1])))
    assert max(picture.size) == LONGEST_SIDE_PX


def test_a_shared_border_is_drawn_once_and_the_frame_not_at_all():
    lines = border_lines(results().layers.countries, (44.5, 38.5, 46.5, 40.5))
    assert len(lines) == 1
    assert {lon for _, lon in lines[0]} == {45.5}


def test_letters_stand_apart():
    found = results()
    points = np.array(letter_points([c.line for c in found.candidates], found.area))
    gaps = np.hypot(*(points[:, None] - points[None]).T) + np.eye(len(points)) * 9
    assert gaps.min() > 0.05


def test_letters_of_lines_that_run_along_each_other_hide_none():
    # four along one valley, two of them the same, and one that crosses: no disc covers another at the first view
    bends = np.column_stack([np.linspace(45.0, 47.0, 9), 39.0 + 0.1 * np.sin(np.arange(9))])
    along = [LineString(np.add(bends, [0.0, shift])) for shift in (0.0, 0.0, 0.004, -0.03)]
    points = np.array(letter_points([*along, LineString([(46.0, 38.5), (46.0, 40.5)])], (44.9, 38.4, 47.1, 40.6)))
    gaps = np.hypot(*(points[:, None] - points[None]).T) + np.eye(len(points)) * 9
    assert gaps.min() > 0.05 * 2.2


def test_the_page_is_small_and_speaks_of_its_sources(page):
    assert len(page.encode()) < 1_500_000
    for words in ("Made-up heights", "CC0-1.0", "BSD 2-Clause License", "The MIT License", "corridor run made-up.toml"):
        assert words in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_of_a_way_or_a_crossing_has_a_word(language):
    words = read_messages(language)
    assert {f"status.{status}" for status in (*SectionStatus, *CrossingStatus)} <= set(words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_criterion_s_own_label_is_said_in_every_language(language):
    found = results()
    metric = read_messages(language)["metric.length_km"]

    def sentences(given):
        view, spoken = ReportView(given), page_words(given, language)
        said = [spoken.render(message) for group in summarise(view) for message in group]
        answers = [spoken.render(message) for regime in view.regime_ids for message in answer(view, regime)]
        return " ".join(said + answers), next(c for c in view.columns if c.metric == "length_km")

    said, column = sentences(found)
    assert metric.casefold() in said.casefold()  # it may stand inside a sentence
    assert column.key == "metric.length_km"
    own = replace(found, criteria=(replace(found.criteria[0], label="Our way"), *found.criteria[1:]))
    said, column = sentences(own)
    assert "our way" in said.casefold()
    assert metric.casefold() not in said.casefold()
    assert (column.label, column.key) == ("Our way", "")
    assert '<span data-text lang="en" dir="auto">Our way</span>' in build_page(ReportView(own))


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_sets_of_rules_the_answer_names_none(language):
    found = replace(results(), regimes=())
    for regime in ReportView(found).regime_ids:
        said = page_words(found, language).render(answer(ReportView(found), regime)[0])
        assert not any(sign in said for sign in ("\u201c\u201d", "\u00ab\u00bb", "{"))


def test_what_was_done_to_a_line_stands_at_its_route():
    found = results()
    drawn = replace(
        found.candidates[0], remarks=(Message("line.turned"),), assumptions=(Message("line.repeats", {"km": "2"}),)
    )
    view = ReportView(replace(found, candidates=(drawn, *found.candidates[1:])))
    page = build_page(view)
    assert page.count('data-i18n="card.about_line"') == 1
    assert "drawn the other way, and turned round</dd>" in page
    assert candidate_lines(view)["remarks"].tolist()[:2] == ["drawn the other way, and turned round", ""]


def test_without_javascript_the_page_says_what_is_missing(page):
    """What stands in a noscript is a line in words; the figures beside it are there without any script."""
    (said,) = re.findall(r"<noscript>(.*?)</noscript>", page, flags=re.DOTALL)
    assert "JavaScript is off" in said
    assert "<script" not in said
