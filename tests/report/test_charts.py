import re
import sys
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from corridor.errors import ExtraError, OutputError
from corridor.report import charts
from corridor.schema.column import Criterion

pytest.importorskip("matplotlib")

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'Q $x$ & "<script>alert(1)</script>" \x07\uffff'
NAMES = ["Aras valley railway, Horadiz-Julfa via Meghri", HOSTILE, "Naxçıvan road", "Գորիս road"]
LABELS = {"length": "Length", "cost": "Building cost", "delay": "Access delay <b>"}


def ranking():
    parts = np.array([[0.2, 0.1, 0.3], [0.1, 0.1, 0.1], [0.3, 0.0, 0.05], [0.05, 0.02, 0.01]])
    table = pd.DataFrame(parts, columns=[f"contribution:{name}" for name in LABELS])
    return table.assign(name=NAMES, rank=pd.array([1, 3, 2, pd.NA], dtype="Int64"), score=parts.sum(axis=1))


def acceptability():
    shares = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.5, 0.3]]
    return pd.DataFrame(shares, index=["a", "b", "c"], columns=["rank 1", "rank 2", "rank 3"])


def values():
    return pd.DataFrame([[0.2, 0.9], [1.0, 0.0], [0.4, 0.5]], index=["a", "b", "c"], columns=["Length", "Cost $"])


def points():
    return pd.DataFrame({"name": NAMES, "km": [250.0, 300.0, 400.0, np.nan], "cost": [900.0, 950.0, 100.0, 5.0]})


BY_ID = dict(zip("abc", NAMES, strict=False))
EVERY = {
    "contributions": lambda: charts.contribution_bars(ranking(), LABELS),
    "acceptability": lambda: charts.acceptability_bars(acceptability(), BY_ID),
    "parallel": lambda: charts.parallel_coordinates(values(), BY_ID, {"Length": ("600 km", "200 km")}),
    "pareto": lambda: charts.pareto_plot(
        points(), "km", "cost", labels=("Length, km", "Cost, $"), smaller_is_better=(True, True)
    ),
}
every_chart = pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY)


def widths(ax):
    """Widths of the bars, a row per series."""
    return [[bar.get_width() for bar in container] for container in ax.containers]


def test_contributions_are_drawn_in_order_of_rank():
    ax = charts.contribution_bars(ranking(), LABELS)
    np.testing.assert_allclose(widths(ax), [[0.2, 0.3, 0.1], [0.1, 0.0, 0.1], [0.3, 0.05, 0.1]])
    labels = [" ".join(text.get_text().split()) for text in ax.get_yticklabels()]
    assert labels[0].startswith("1 Aras valley railway")
    assert [label[0] for label in labels] == ["1", "2", "3"]
    assert ax.yaxis_inverted()
    ends = [bar.get_x() + bar.get_width() for bar in ax.containers[-1]]
    np.testing.assert_allclose(ends, [0.6, 0.35, 0.3])


def test_what_speaks_against_goes_to_the_left():
    table = pd.DataFrame(
        {"name": ["x"], "rank": [1], "score": [0.1], "contribution:length": [0.3], "contribution:cost": [-0.2]}
    )
    ax = charts.contribution_bars(table, {"length": "Length", "cost": "Cost", "none": "Not there"})
    assert [(bar.get_x(), bar.get_width()) for (bar,) in ax.containers] == [(0.0, 0.3), (0.0, -0.2), (0.3, 0.0)]


def test_acceptability_is_drawn_most_often_first_at_the_top():
    ax = charts.acceptability_bars(acceptability())
    np.testing.assert_allclose(widths(ax), [[0.7, 0.2, 0.1], [0.2, 0.5, 0.3], [0.1, 0.3, 0.6]])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["a", "c", "b"]
    assert "70" in [text.get_text() for text in ax.texts]


def test_parallel_lines_pass_through_the_values():
    ax = charts.parallel_coordinates(values(), BY_ID)
    drawn = [line.get_ydata().tolist() for line in ax.lines[:3]]
    assert drawn == values().to_numpy().tolist()


def test_the_ends_of_the_axes_are_written():
    criterion = Criterion("cost", "Cost", "cost", "million USD", "min", "terrain", 0.0, 4000.0)
    ends = charts.criterion_ends([criterion])
    assert ends == {"Cost": ("4,000 million USD", "0 million USD")}
    frame = charts.value_frame(["a"], ["Cost"], np.array([[0.5]]))
    shown = [text.get_text() for text in charts.parallel_coordinates(frame, {}, ends).texts]
    assert shown == ["0 million USD", "4,000 million USD"]


def test_the_front_is_filled_and_joined():
    ax = EVERY["pareto"]()
    steps, *marks = ax.lines
    assert steps.get_xdata().tolist() == [250.0, 400.0]
    filled = {mark.get_label().split("\n")[0]: mark.get_markerfacecolor() != "white" for mark in marks}
    assert list(filled.values()) == [True, False, True]


def test_the_front_turns_with_what_is_better():
    frame = pd.DataFrame({"name": ["x", "y"], "gain": [1.0, 2.0], "cost": [5.0, 5.0]})
    ax = charts.pareto_plot(frame, "gain", "cost", labels=("Gain", "Cost"), smaller_is_better=(False, True))
    assert ax.lines[0].get_xdata().tolist() == [2.0]
    assert ax.get_xlabel().endswith("better →")
    assert ax.get_ylabel().startswith("Cost")


@every_chart
def test_svg_is_well_formed_and_safe(draw):
    text = charts.chart_svg(draw(), "A <title> & more", "chart-1")
    root = ElementTree.fromstring(text)
    assert root.tag == f"{SVG}svg"
    assert root.get("width") == "600"
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "A <title> & more"
    assert "<script" not in text
    assert "\x07" not in text
    assert not [node for node in root.iter() if node.tag in (f"{SVG}script", f"{SVG}image", f"{SVG}foreignObject")]
    links = re.findall(r'(?:href|src)="([^"]*)"', text)
    assert all(link.startswith("#chart-1-") for link in links)
    # Formulas are not read into names: the dollars stay.
    if draw is EVERY["contributions"]:
        assert "Q $x$" in " ".join(root.itertext())


@every_chart
def test_ids_are_one_chart_s_own_and_references_resolve(draw):
    ax = draw()
    first, second = (charts.chart_svg(ax, "Chart", name) for name in ("chart-1", "chart-2"))
    ids = re.findall(r'\bid="([^"]*)"', first)
    assert len(ids) == len(set(ids))
    assert not set(ids) & set(re.findall(r'\bid="([^"]*)"', second))
    used = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', first)
    assert {a or b for a, b in used} <= set(ids)
    assert all("#chart-1 *{" in style for style in re.findall(r"<style[^>]*>([^<]*)", first))


@every_chart
def test_the_same_chart_gives_the_same_text(draw):
    ax = draw()
    text = charts.chart_svg(ax, "Chart", "c")
    assert charts.chart_svg(ax, "Chart", "c") == text
    assert charts.chart_svg(draw(), "Chart", "c") == text


@every_chart
def test_text_is_large_enough_and_inside_at_600_px(draw):
    ax = draw()
    figure = ax.get_figure()
    charts.chart_svg(ax, "Chart", "c")
    renderer = figure.canvas.get_renderer()
    frame = figure.bbox
    shown = [text for text in figure.findobj(lambda item: hasattr(item, "get_fontsize")) if text.get_text()]
    assert min(text.get_fontsize() for text in shown) >= 8
    low, high = ax.get_xlim()
    drawn = [text for text in ax.get_xticklabels() if low <= text.get_position()[0] <= high]
    for text in [*ax.get_yticklabels(), *drawn, *figure.legends[0].get_texts()]:
        box = text.get_window_extent(renderer)
        assert box.x0 >= frame.x0 - 1
        assert box.x1 <= frame.x1 + 1
        assert box.y0 >= frame.y0 - 1


def test_the_caller_s_axes_are_used():
    from matplotlib.figure import Figure

    left, right = Figure().subplots(1, 2)
    assert charts.acceptability_bars(acceptability(), ax=left) is left
    assert charts.parallel_coordinates(values(), {}, ax=right) is right
    assert left.get_legend() is not None
    assert left.get_figure().legends == []


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def test_line_colours_stand_out_from_white():
    # WCAG 2 asks for a contrast of 3 for graphics; the two palest lines fall short and lean on marker and dash.
    contrast = [1.05 / (luminance(colour) + 0.05) for colour in charts.LINE_COLOURS]
    assert min(contrast) > 2
    assert sum(value >= 3 for value in contrast) >= 5


def test_series_that_share_a_colour_differ_otherwise():
    many = pd.DataFrame(
        np.random.default_rng(0).random((16, 3)), index=[f"r{i}" for i in range(16)], columns=list("xyz")
    )
    ax = charts.parallel_coordinates(many, {})
    looks = [(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines[:16]]
    assert len(set(looks)) == 16
    labels = {f"k{i}": f"K {i}" for i in range(12)}
    table = pd.DataFrame(
        {"name": ["x"], "rank": [1], "score": [1.2]} | {f"contribution:{key}": [0.1] for key in labels}
    )
    bars = [container[0] for container in charts.contribution_bars(table, labels).containers]
    assert len({(bar.get_facecolor(), bar.get_hatch()) for bar in bars}) == 12


def test_long_names_are_broken_and_cut():
    table = ranking().assign(name=["word " * 40, "x" * 300, "b", "c"])
    labels = [text.get_text() for text in charts.contribution_bars(table, LABELS).get_yticklabels()]
    assert labels[0].endswith("…")
    assert max(len(line) for label in labels for line in label.split("\n")) <= 34


def test_a_picture(tmp_path):
    path = tmp_path / "chart.png"
    charts.write_png(EVERY["pareto"](), path, dpi=96)
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(data[16:20], "big") == 600
    with pytest.raises(OutputError, match="can't be written"):
        charts.write_png(EVERY["pareto"](), tmp_path / "no" / "chart.png")


@pytest.mark.parametrize("name", ["", "1a", 'x"', "a b"])
def test_ids_that_would_break_the_page(name):
    with pytest.raises(OutputError, match="chart id"):
        charts.chart_svg(EVERY["pareto"](), "Chart", name)


def test_without_matplotlib_the_remedy_is_named(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExtraError, match=r"pip install 'corridor\[charts\]'"):
        charts.contribution_bars(ranking(), LABELS)


@every_chart
def test_empty_tables_draw_empty_charts(draw):
    empty = {
        "contributions": lambda: charts.contribution_bars(ranking().iloc[:0], LABELS),
        "acceptability": lambda: charts.acceptability_bars(acceptability().iloc[:0]),
        "parallel": lambda: charts.parallel_coordinates(values().iloc[:0], {}),
        "pareto": lambda: charts.pareto_plot(
            points().iloc[:0], "km", "cost", labels=("x", "y"), smaller_is_better=(True, True)
        ),
    }
    name = next(key for key, value in EVERY.items() if value is draw)
    root = ElementTree.fromstring(charts.chart_svg(empty[name](), "Chart", "c"))
    assert root.tag.endswith("svg")
