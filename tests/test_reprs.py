"""What objects show of themselves, and maps and charts of them: whole, escaped, and asking nothing of a network."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace
from xml.etree import ElementTree

import folium
import numpy as np
import pytest
import shapely

from corridor.comparison import Comparison
from corridor.errors import CorridorError, ExtraError, OutputError
from corridor.schema.study import Study
from corridor.svg_repr import Dot, Stroke, facts_html, sketch_svg, table_html
from tests.report.synthetic import HOSTILE, hostile_results, results

BAD = " ".join(HOSTILE)


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.names, self.said = [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in {"src", "href"}]
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)


def shown(html: str) -> Tags:
    tags = Tags(html)
    assert not tags.open
    assert set(tags.names) <= {
        *("div", "strong", "table", "thead", "tbody", "tr", "th", "td", "bdi", "svg", "path", "title", "text", "circle")
    }
    return tags


def synthetic(found=None):
    study = Study.bundled("syunik")
    return Comparison(study, found or results(), SimpleNamespace(), {})


def test_a_comparison_shows_a_row_and_a_line_per_candidate(bundled):
    html = bundled._repr_html_()
    tags = shown(html)
    assert tags.names.count("tr") == len(bundled.candidates) + 1
    assert tags.names.count("path") == len(bundled.candidates)
    assert set(bundled.candidates["name"]) <= set(tags.said)
    assert len(html) < 60_000
    assert repr(bundled) == "<Comparison syunik: 16 candidates under 10 regimes, as of 2026-03>"


def test_a_study_shows_its_question_and_its_ground():
    study = Study.bundled("syunik")
    tags = shown(study._repr_html_())
    assert study.question in tags.said
    assert "Nakhchivan" in tags.said
    assert repr(study) == str(study) == "<Study syunik: Horadiz to Nakhchivan, as of 2026-03, 16 candidates>"


def test_a_candidate_shows_its_parts(bundled):
    candidate = bundled.candidate("aras-rail")
    tags = shown(candidate._repr_html_())
    assert tags.names.count("path") == len(candidate.parts)
    assert repr(candidate) == "<Candidate aras-rail: Aras valley railway, Horadiz-Julfa via Meghri, rail, 257.6 km>"
    with pytest.raises(OutputError, match="no candidate 'moon'; there are: aras-rail"):
        bundled.candidate("moon")


def test_names_of_others_are_text_everywhere():
    found = hostile_results()
    for html in (
        synthetic(found)._repr_html_(),
        found.candidates[0]._repr_html_(),
        facts_html(BAD, [(BAD, BAD)]),
        table_html(BAD, [BAD], [[BAD]]),
        sketch_svg([Stroke(shapely.LineString([(0, 0), (1, 1)]), title=BAD, letter=BAD)], [Dot(0, 0, BAD)]),
    ):
        assert "script" not in shown(html).names
    for map_ in (synthetic(found).explore(popup=True), found.candidates[0].explore(popup=True)):
        page = map_.get_root().render()
        for text in HOSTILE[:5]:
            assert text not in page


def test_names_are_no_templates():
    page = synthetic(results({"north": f"sum {HOSTILE[5]}"})).explore().get_root().render()
    assert "sum \\u0026#123;\\u0026#123; 7*7 }}" in page
    assert "sum 49" not in page


def test_a_sketch_is_true_to_scale_and_north_is_up():
    svg = ElementTree.fromstring(sketch_svg([Stroke(shapely.LineString([(44.0, 60.0), (46.0, 60.0), (46.0, 61.0)]))]))
    points = np.array([[float(v) for v in p.split(",")] for p in svg[0].get("d")[1:].split()])
    east, north = points[1] - points[0], points[2] - points[1]
    assert north[1] < 0
    # At 60 degrees north a degree of longitude is half as long as one of latitude.
    assert east[0] / -north[1] == pytest.approx(2 * np.cos(np.radians(60.5)), rel=0.01)
    assert sketch_svg([]) == ""


def test_explore_asks_nothing_of_a_network(bundled):
    for map_ in (bundled.explore(), bundled.candidate("aras-rail").explore()):
        page = map_.get_root().render()
        loads = re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=[\"'](?!data:)([^\"']+)", page)
        assert loads == []
        assert "L.tileLayer(" not in page.split("</head>")[1]
        assert map_._repr_html_()


def test_explore_takes_what_geopandas_takes(bundled):
    map_ = folium.Map(tiles=None)
    assert bundled.explore(m=map_, candidates=["aras-rail", "aras-road"], style_kwds={"weight": 7}) is map_
    drawn = [child for child in map_._children.values() if isinstance(child, folium.GeoJson)]
    assert [child.layer_name for child in drawn] == [
        "A Aras valley railway, Horadiz-Julfa via Meghri",
        "B Aras valley road, Horadiz-Julfa via Meghri",
    ]
    assert drawn[0].data["features"][0]["properties"]["Length, km"] == "258"
    assert '"weight": 7' in map_.get_root().render()
    assert "openstreetmap.org" in bundled.explore(tiles="OpenStreetMap").get_root().render()
    with pytest.raises(TypeError, match="positional"):
        bundled.explore(["aras-rail"])


def test_what_routes_meet_is_drawn_on_demand(bundled):
    map_ = bundled.explore(candidates=["aras-rail"], regime="sealed", popup=True)
    (met,) = [c for c in map_._children.values() if getattr(c, "layer_name", "").startswith("what they meet")]
    wanted = bundled.crossings.query("candidate_id == 'aras-rail' and regime_id == 'sealed'")
    assert len(met.data["features"]) == len(wanted)
    red = [f for f in met.data["features"] if f["properties"]["__colour"] == "#B00020"]
    assert len(red) == wanted["decisive"].sum() > 0
    with pytest.raises(OutputError, match="no regime 'moon'; there are: status-quo"):
        bundled.explore(regime="moon")


def test_plots_draw_on_the_axes_that_they_are_given(bundled):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    routes, heights = Figure().subplots(1, 2)
    assert bundled.plot(routes) is routes
    assert bundled.plot_profiles(ax=heights, candidates=["kapan-meghri"]) is heights
    labels = [text.get_text() for text in routes.get_legend().get_texts()]
    assert len(labels) == len(bundled.candidates)
    profile = bundled.results.profiles["kapan-meghri"]
    np.testing.assert_allclose(heights.lines[0].get_ydata(), profile.height_m)
    assert heights.get_xlabel().endswith("km")
    with pytest.raises(OutputError, match="no candidate 'moon'"):
        bundled.plot(routes, candidates=["moon"])


def test_plots_make_a_figure_of_their_own_and_survive_formulas(monkeypatch):
    pytest.importorskip("matplotlib")
    import matplotlib
    from matplotlib import pyplot
    from matplotlib.text import Text

    monkeypatch.setitem(matplotlib.rcParams, "backend", "agg")
    found = results({"north": "costs $1 and $\\frac{1}"})
    try:
        for ax in (synthetic(found).plot(), synthetic(replace(found, profiles={**found.profiles})).plot_profiles()):
            ax.figure.canvas.draw()
            assert any(text.get_text().startswith("A  costs") for text in ax.figure.findobj(Text))
    finally:
        pyplot.close("all")


def test_without_matplotlib_the_extra_is_named(bundled, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExtraError, match=r"pip install 'corridor\[charts\]'") as raised:
        bundled.plot()
    assert isinstance(raised.value, CorridorError)
    assert isinstance(raised.value, ImportError)
