"""The page in Chromium with the network off: nothing asked for, nothing run that shouldn't, ranks as Python's."""

import csv
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
from shapely import LineString, MultiLineString

from corridor.errors import OutputError
from corridor.export.pdf import find_browser, write_pdf
from corridor.export.results import write_results
from corridor.files import data_root
from corridor.report.i18n import words
from corridor.report.map.build import build_map
from corridor.report.view import ReportView
from corridor.schema.message import ListStyle, Message, listing, message_values
from corridor.schema.results import IfOpened
from tests.report.synthetic import CRITERIA, hostile_results, metric_table, results, scorable, with_grades

pytestmark = pytest.mark.browser
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--lang=en",
    "--window-size=1366,768",
)


@pytest.fixture(scope="module")
def driver():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium isn't installed")
    chromium, chromedriver = find_browser(), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("Chromium or its driver isn't installed")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, webdriver.ChromeService(chromedriver))
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_results(results(), tmp_path_factory.mktemp("page") / "out")


def open_page(driver, path, width=1366, height=768):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get(path.as_uri())
    stands(driver)


def open_unless_open(driver, path):
    """For tests that leave the page as they found it: it needn't be read and drawn anew for each."""
    if driver.current_url.partition("#")[0] != path.as_uri():
        open_page(driver, path)


def until(driver, condition):
    """Waits until a JavaScript expression holds; a busy machine may take its time, a fault waits in vain."""
    from selenium.webdriver.support.wait import WebDriverWait

    WebDriverWait(driver, 60, 0.05).until(lambda _: driver.execute_script(f"return Boolean({condition})"), condition)


def stands(driver):
    """Waits for what a page draws after its first sight; a saved map has none of it."""
    settled = "document.documentElement.classList.contains('settled')"
    until(driver, f"!document.getElementById('page-data') || ({settled} && document.querySelector('#chart .u-over'))")


def requested(driver):
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    return {m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"}


CHOOSE = (
    "var s = document.getElementById(arguments[0]); s.value = arguments[1];"
    "s.dispatchEvent(new Event(s.matches('input') ? 'input' : 'change'));"
)


def choose(driver, what, value):
    driver.execute_script(CHOOSE, what, value)


def ask(driver, selector, value):
    """A value of every element that a selector finds; the element is called n."""
    return driver.execute_script(f"return [...document.querySelectorAll(arguments[0])].map(n => {value})", selector)


def faults(driver):
    return [entry["message"] for entry in driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]


def test_the_page_asks_nobody_for_anything(driver, page):
    open_page(driver, page)
    assert driver.execute_script("return document.documentElement.classList.contains('ready')")
    assert faults(driver) == []
    assert {url.split(":")[0] for url in requested(driver)} <= {"file", "data"}
    assert driver.execute_script("return document.querySelector('.leaflet-image-layer').naturalWidth") > 50
    assert driver.execute_script("return document.querySelectorAll('.leaflet-routes-pane path').length") >= 10


def test_axes_lie_under_the_routes_and_are_dashed_where_not_open(driver, page):
    open_page(driver, page)
    dashes = ask(driver, ".leaflet-axes-pane path", "n.getAttribute('stroke-dasharray')")
    assert [bool(dash) for dash in dashes] == [False, True]
    order = "['axes', 'routes'].map(k => +corridorLayers.map.getPane(k).style.zIndex)"
    under, over = driver.execute_script(f"return {order}")
    assert under < over
    assert driver.execute_script("return document.querySelectorAll('.key.line.axis').length") == 1
    box = "[...document.querySelectorAll('.leaflet-control-layers label')].find(n => /axes/.test(n.textContent))"
    driver.execute_script(f"{box}.querySelector('input').click()")
    assert ask(driver, ".leaflet-axes-pane path", "n.tagName") == []


def test_places_cut_off_are_ringed_for_the_chosen_route_and_rules(driver, page):
    open_page(driver, page)
    rings, line = ".leaflet-cutoff-pane path", ".card:not([hidden]) .cut-off:not([hidden])"
    choose(driver, "regime", "gated")
    assert ask(driver, rings, "n.tagName") == []
    driver.execute_script("document.querySelector('.metrics tr[data-id=middle] button.route').click()")
    assert len(ask(driver, rings, "n.tagName")) == 2
    assert [" ".join(text.split()) for text in ask(driver, line, "n.textContent")] == [
        "Cut off: places that lose the way to the border crossing: 2 of 2 (people: 12 000\u201312 499); "
        "to their centre: 1 (people: 0\u2013499)."
    ]
    over = "n.dispatchEvent(new MouseEvent('mouseover', {bubbles: true, clientX: 9, clientY: 9}))"
    ask(driver, rings, over)
    assert "loses the way to its centre: Alba" in ask(driver, ".leaflet-tooltip", "n.textContent")[-1]
    choose(driver, "regime", "free")
    assert ask(driver, rings, "n.tagName") == []
    assert ask(driver, line, "n.textContent")[0].startswith("None of 2")


def test_the_policy_stops_what_would_call_home(driver, page):
    open_page(driver, page)
    outcome = driver.execute_async_script(
        "var done = arguments[0];"
        "fetch('https://example.org/').then(function () { done('sent'); }, function (e) { done('' + e); });"
    )
    assert "sent" not in outcome
    assert any("Content Security Policy" in text for text in faults(driver))


def test_a_saved_map_works_by_itself(driver, tmp_path):
    path = tmp_path / "map.html"
    build_map(ReportView(results())).save(str(path))
    open_page(driver, path)
    assert faults(driver) == []
    assert {url.split(":")[0] for url in requested(driver)} <= {"file", "data"}
    assert "way exists" in driver.execute_script("return document.querySelector('.legend').textContent")


def test_hostile_names_run_nothing(driver, tmp_path):
    path = write_results(hostile_results(), tmp_path / "out")
    open_page(driver, path)
    for code in ("en", "fa"):
        choose(driver, "language", code)
        driver.execute_script(
            "document.querySelectorAll('button.route').forEach(function (b) { b.click(); });"
            "document.querySelectorAll('.crossing-box, .letter-box').forEach(function (n) { n.click(); });"
            "document.querySelectorAll('.leaflet-interactive').forEach(function (n) {"
            " n.dispatchEvent(new MouseEvent('mouseover', {bubbles: true, clientX: 300, clientY: 300})); });"
        )
    assert driver.execute_script("return typeof window.hacked") == "undefined"
    assert ask(driver, "img[src=x], svg[onload]", "n.outerHTML") == []
    assert driver.execute_script("return document.title").startswith("<img src=x")
    assert "\u202e" not in driver.execute_script("return document.body.textContent")
    assert {url.split(":")[0] for url in requested(driver)} <= {"file", "data"}
    assert [text for text in faults(driver) if "favicon" not in text] == []


def python_ranks(matrix, weights):
    from corridor.mcda.rank import rank_alternatives

    table = rank_alternatives(matrix, weights)
    table = table[table["rank"].notna()]
    return {
        (row.regime_id, row.panel, row.candidate_id): (int(row.rank), bool(row.tied), float(row.score))
        for row in table.itertuples()
    }


FIRSTS = "[n.dataset.id, n.querySelector('.firsts').textContent]"
RANK_ALL = """
var s = JSON.parse(document.getElementById('page-data').textContent).scores;
var within = s.perspectives['equal'].within;
return arguments[0].map(function (w) {
  var groups = {};
  s.groups.forEach(function (g, i) { groups[g] = w[i]; });
  return s.panels.map(function (p) {
    return corridorRank.panel(p, s.criteria, groups, within).map(function (r) {
      return [p.regime, p.kind, r.id, r.rank, r.tied, r.score];
    });
  });
});
"""


def test_the_page_ranks_as_python_does_for_many_weights(driver, page):
    from corridor.mcda.matrix import build_matrix

    matrix = build_matrix(scorable(metric_table()), CRITERIA)
    rng = np.random.default_rng(7)
    groups = ["distance", "terrain", "people"]
    draws = rng.dirichlet(np.ones(3), 150)
    draws[::10] = np.round(draws[::10], 1) + np.array([1e-3, 0, 0])
    draws[5] = [1.0, 0.0, 0.0]
    open_page(driver, page)
    answers = driver.execute_script(RANK_ALL, draws.tolist())
    for weights, answer in zip(draws.tolist(), answers, strict=True):
        expected = python_ranks(matrix, dict(zip(groups, weights, strict=True)))
        got = {tuple(row[:3]): tuple(row[3:]) for panel in answer for row in panel}
        assert got.keys() == expected.keys()
        for key, (rank, tied, score) in got.items():
            assert (rank, tied) == expected[key][:2], (weights, key)
            assert score == pytest.approx(expected[key][2], abs=1e-12)


def test_shares_of_first_ranks_agree_with_other_draws(driver, page):
    from corridor.mcda.matrix import build_matrix

    matrix = build_matrix(scorable(metric_table()), CRITERIA)
    draws = np.random.default_rng(11).dirichlet(np.ones(3), 200)
    ranks = [python_ranks(matrix, dict(zip(["distance", "terrain", "people"], w, strict=True))) for w in draws.tolist()]
    open_page(driver, page)
    panel = '.panel[data-regime="free"][data-kind="through"] li:not(.unranked)'
    until(driver, f"[...document.querySelectorAll('{panel} .firsts')].every(n => n.textContent)")
    shown = dict(ask(driver, panel, FIRSTS))
    assert len(shown) == 3
    for key, share in shown.items():
        expected = np.mean([one[("free", "through", key)][0] == 1 for one in ranks])
        assert float(share.removesuffix(" %")) / 100 == pytest.approx(expected, abs=0.09)


def test_sliders_and_perspectives_rank_anew(driver, page):
    open_page(driver, page)
    cells = "[n.dataset.id, n.querySelector('.rank').textContent, n.querySelector('.score').textContent]"
    ranks = f"return [...document.querySelectorAll('.panel:not([hidden]) li:not(.unranked)')].map(n => {cells})"
    before = driver.execute_script(ranks)
    choose(driver, "perspective", "time")
    changed = driver.execute_script(ranks)
    assert changed != before
    table = results().ranking
    wanted = table[(table["perspective"] == "time") & (table["regime_id"] == "free") & table["rank"].notna()]
    assert [[r.candidate_id, str(r.rank), f"{r.score:.3f}"] for r in wanted.itertuples()] == changed
    slider = (
        "var s = document.querySelector('[data-group=terrain]'); s.value = 100; s.dispatchEvent(new Event('input'))"
    )
    driver.execute_script(slider)
    assert driver.execute_script("return document.getElementById('perspective').value") == ""
    assert driver.execute_script(ranks) != changed
    driver.execute_script("document.getElementById('reset').click()")
    assert driver.execute_script(ranks) == changed


def test_weights_are_told_as_they_are_declared(driver, bundled_folder):
    """Half of the weight is told as half of it: sliders rounded each eighth up, and the half became 49 %."""
    page = bundled_folder / "comparison.html"
    open_page(driver, page)
    choose(driver, "perspective", "border-access")
    declared = ["12.5 %", "12.5 %", "50 %", "12.5 %", "12.5 %"]
    assert ask(driver, ".weights output", "n.textContent") == declared
    assert ask(driver, ".weights input", "n.value") == ["12.5", "12.5", "50", "12.5", "12.5"]
    choose(driver, "language", "ru")
    assert ask(driver, ".weights output", "n.textContent") == [text.replace(".", ",") for text in declared]
    moved = "document.querySelector('.weights input').dispatchEvent(new Event('input', {bubbles: true}))"
    driver.execute_script(moved)
    until(driver, "location.hash.includes('weights=12.5,12.5,50,12.5,12.5')")
    driver.refresh()
    stands(driver)
    assert ask(driver, ".weights input", "n.value") == ["12.5", "12.5", "50", "12.5", "12.5"]
    driver.get("about:blank")


BARS = """return [...document.querySelectorAll('.panel:not([hidden]) li:not(.unranked)')].map(li => {
  const said = li.querySelector('.score').textContent.replace('\u2264', '0\u2013').split('\u2013').map(Number);
  const track = li.querySelector('.bar').getBoundingClientRect().width;
  return [...li.querySelectorAll('.bar span')].map(n => n.getBoundingClientRect().width / track).concat(said);
});"""


def test_a_bar_is_full_up_to_the_lowest_score_and_pale_up_to_the_highest(driver, page):
    open_page(driver, page)
    for change in ("", "var s = document.querySelector('[data-group=terrain]'); s.value = 90;"):
        driver.execute_script(f"{change} if (window.s) {{ s.dispatchEvent(new Event('input')); }}")
        bars = driver.execute_script(BARS)
        assert bars
        for pale, full, *said in bars:
            assert [full, pale] == pytest.approx([said[0], said[-1]], abs=2e-3)


def test_the_regime_switches_ranking_and_table(driver, page):
    open_page(driver, page)
    shown = "return [...document.querySelectorAll('#metrics tbody tr:not([hidden])')].map(n => n.dataset.regime)"
    assert set(driver.execute_script(shown)) == {"free"}
    choose(driver, "regime", "gated")
    assert set(driver.execute_script(shown)) == {"gated"}
    assert len(driver.execute_script(shown)) == 5


def test_choosing_a_route_lights_it_up_everywhere(driver, page):
    open_page(driver, page)
    driver.execute_script("document.querySelector('.metrics tr[data-id=south] button.route').click()")
    assert ask(driver, ".card:not([hidden])", "n.dataset.id") == ["south"]
    assert driver.execute_script("return document.querySelectorAll('.ranks li.chosen, .metrics tr.chosen').length") == 4
    assert driver.execute_script("return document.querySelector('.letter.chosen').textContent") == "C"
    assert "Route south" in driver.execute_script("return document.getElementById('profile-words').textContent")
    assert driver.execute_script("return document.querySelector('#chart canvas').width") > 300


def test_the_table_sorts_by_keyboard(driver, page):
    from selenium.webdriver.common.keys import Keys

    open_page(driver, page)
    button = driver.find_elements("css selector", "#metrics .sort")[2]
    order = "return [...document.querySelectorAll('#metrics tbody tr:not([hidden])')].map(n => n.dataset.id)"
    button.send_keys(Keys.ENTER)
    assert driver.execute_script(order) == ["far", "cut", "south", "middle", "north"]
    button.send_keys(Keys.ENTER)
    assert driver.execute_script(order) == ["north", "middle", "south", "cut", "far"]
    assert (
        driver.execute_script("return document.activeElement.closest('th').getAttribute('aria-sort')") == "descending"
    )


@pytest.mark.parametrize("width", [360, 768, 1366, 1920])
@pytest.mark.parametrize("language", ["en", "fa"])
def test_no_sideways_scrolling_at_any_width(driver, page, width, language):
    open_page(driver, page, width, 740)
    choose(driver, "language", language)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    assert ask(driver, "html", "[n.lang, n.dir]") == [[language, "rtl" if language == "fa" else "ltr"]]


def test_labels_do_not_touch(driver, page):
    open_page(driver, page)
    driver.execute_script("document.querySelector('.map-frame').scrollIntoView()")
    boxes = ask(driver, ".place bdi", "['left', 'top', 'right', 'bottom'].map(k => n.getBoundingClientRect()[k])")
    assert boxes
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


def axe_script():
    """axe-core, from CORRIDOR_AXE or by npm; None where neither is at hand."""
    stated = os.environ.get("CORRIDOR_AXE", "")
    if stated:
        return Path(stated)
    return next((p for p in Path.cwd().glob("node_modules/axe-core/axe.min.js")), None)


def test_axe_finds_nothing_serious(driver, page, tmp_path):
    script = axe_script()
    if script is None and shutil.which("npm"):
        command = ["npm", "install", "--no-save", "--silent", "--prefix", str(tmp_path), "axe-core@4"]
        done = subprocess.run(command, capture_output=True, timeout=120, check=False)
        found = tmp_path / "node_modules" / "axe-core" / "axe.min.js"
        script = found if done.returncode == 0 and found.is_file() else None
    if script is None:
        pytest.skip("axe-core isn't at hand: set CORRIDOR_AXE to axe.min.js, or install npm")
    open_page(driver, page)
    driver.execute_script(script.read_text(encoding="utf-8"))
    for language in ("en", "fa"):
        choose(driver, "language", language)
        found = driver.execute_async_script("var done = arguments[0]; axe.run(document).then(done)")
        grave = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        serious = [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in grave]
        assert serious == []


def test_the_brief_is_two_to_four_pages(driver, page, tmp_path):
    pdf = write_pdf(page, tmp_path / "brief.pdf")
    data = pdf.read_bytes()
    assert data.startswith(b"%PDF")
    assert 2 <= data.replace(b"/Type /Pages", b"").count(b"/Type /Page") <= 4
    assert [p.name for p in tmp_path.iterdir()] == ["brief.pdf"]


def test_on_paper_only_what_stays_as_today_is_left_out_of_the_matrix(driver, bundled_folder):
    open_page(driver, bundled_folder / "comparison.html")
    shown = """return [...document.querySelectorAll('.matrix .mini')].map(
      n => [n.querySelector(':scope > [data-i18n]').dataset.i18n, getComputedStyle(n).display !== 'none'])"""
    note = "return getComputedStyle(document.querySelector('.on-paper')).display"
    assert driver.execute_script(note) == "none"
    assert all(seen for _, seen in driver.execute_script(shown))
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    minis = driver.execute_script(shown)
    assert {key.rpartition(".")[2] for key, _ in minis} >= {"none"}
    assert [seen for _, seen in minis] == [not key.endswith(".none") for key, _ in minis]
    assert driver.execute_script(note) == "inline"


def test_on_paper_no_cell_stays_in_sight_over_others(driver, bundled_folder):
    """Tables stand in columns there, and what sticks to an edge lay over the cells of another column."""
    open_page(driver, bundled_folder / "comparison.html")
    assert "sticky" in ask(driver, "th, td", "getComputedStyle(n).position")
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert set(ask(driver, "th, td", "getComputedStyle(n).position")) == {"static"}


@pytest.mark.parametrize("language", ["en", "ru", "az"])
def test_all_rules_stand_in_sight_on_a_usual_screen(driver, bundled_folder, language):
    open_page(driver, bundled_folder / "comparison.html")
    choose(driver, "language", language)
    beyond = "(box => box.scrollWidth - box.clientWidth)(n.closest('.scroll'))"
    assert ask(driver, ".matrix, #rules-table", beyond) == [0, 0]


@pytest.mark.parametrize("width", [1366, 800])
def test_where_a_condition_is_from_stands_in_sight_however_many_routes_there_are(driver, bundled_folder, width):
    open_page(driver, bundled_folder / "comparison.html", width)
    inside = "var box = n.closest('.scroll').getBoundingClientRect(), own = n.getBoundingClientRect();"
    inside += "return own.width > 0 && own.left >= box.left - 1 && own.right <= box.right + 1"
    seen = ask(driver, "#conditions-table .source, #conditions-table thead th:last-child", f"(() => {{ {inside} }})()")
    assert len(seen) > 5
    assert all(seen)


def test_printing_without_a_browser_says_what_to_do(page, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(OutputError, match="needs Chromium, Chrome or Edge"):
        write_pdf(page, tmp_path / "brief.pdf")
    with pytest.raises(OutputError, match="no such page"):
        write_pdf(tmp_path / "nothing.html", tmp_path / "brief.pdf", browser="/bin/true")
    with pytest.raises(OutputError, match="could not print"):
        write_pdf(page, tmp_path / "brief.pdf", browser="/bin/false")
    assert list(tmp_path.iterdir()) == []


def test_the_pointer_on_the_profile_moves_a_mark_on_the_map_and_back(driver, page):
    from selenium.webdriver.common.action_chains import ActionChains

    open_page(driver, page)
    chart = driver.find_element("css selector", "#chart .u-over")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", chart)
    ActionChains(driver).move_to_element_with_offset(chart, 40, 5).perform()
    assert len(ask(driver, ".leaflet-cursor-pane path", "n.tagName")) == 1
    assert "–" not in driver.find_element("css selector", "#chart .u-legend").text
    event = (
        "document.dispatchEvent(new CustomEvent('corridor:over', {detail: {id: arguments[0], latlng: arguments[1]}}))"
    )
    route = driver.execute_script("return document.querySelector('.card:not([hidden])').dataset.id")
    driver.execute_script(event, route, {"lat": 39.5, "lng": 46.0})
    legend = driver.find_element("css selector", "#chart .u-legend").text
    driver.execute_script(event, route, {"lat": 39.5, "lng": 45.0})
    assert driver.find_element("css selector", "#chart .u-legend").text != legend


def test_a_profile_is_coloured_by_grade_where_grades_are_known(driver, tmp_path):
    open_page(driver, write_results(with_grades(results(), ("north", "south")), tmp_path / "out"))
    button = "document.querySelector('.metrics tr[data-id={}] button.route').click()"
    driver.execute_script(button.format("south"))
    assert ask(driver, "#grades bdi", "n.textContent") == ["< 3 %", "3–6 %", "6–8 %", "≥ 8 %"]
    steep = (
        "var c = document.querySelector('#chart canvas'), d = c.getContext('2d').getImageData(0, 0, c.width, c.height)"
        ".data, n = 0; for (var i = 0; i < d.length; i += 4)"
        " { n += d[i] === 0x4f && d[i + 1] === 0x9b && d[i + 2] === 0xd9; } return n;"
    )
    assert driver.execute_script(steep) > 50
    driver.execute_script(button.format("middle"))
    assert ask(driver, "#grades:not([hidden])", "n.id") == []
    assert driver.execute_script(steep) == 0


def test_the_map_is_on_the_first_screen_and_further_findings_open_for_print(driver, page):
    open_page(driver, page)
    top = driver.execute_script("return document.querySelector('.map-frame').getBoundingClientRect().top")
    assert top < 450
    assert ask(driver, ".findings-box > .findings > li", "1") == [1, 1, 1]
    assert ask(driver, ".more-findings", "n.open") == [False]
    driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert ask(driver, ".more-findings", "n.open") == [True]
    driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert ask(driver, ".more-findings", "n.open") == [False]


def test_places_are_named_and_found_in_the_chosen_language(driver, tmp_path):
    from selenium.webdriver.common.keys import Keys

    base = results()
    places = base.layers.places.assign(names=[{"fa": "آلبا", "en": "Alba"}, {}])
    named = replace(base, layers=replace(base.layers, places=places))
    open_page(driver, write_results(named, tmp_path / "out"))
    assert set(ask(driver, ".place bdi", "n.textContent")) == {"Alba", "Borg"}
    choose(driver, "language", "fa")
    assert set(ask(driver, ".place bdi", "n.textContent")) == {"آلبا", "Borg"}
    assert set(ask(driver, "#place-names option", "n.value")) >= {"آلبا", "Alba", "Borg"}
    driver.find_element("id", "place").send_keys("آلبا", Keys.ENTER)
    lat, lon = driver.execute_script("var c = corridorLayers.map.getCenter(); return [c.lat, c.lng]")
    assert (lat, lon) == pytest.approx((39.5, 45.1), abs=0.05)
    choose(driver, "language", "en")
    assert "آلبا" not in ask(driver, ".place bdi", "n.textContent")


def test_rivers_are_drawn_with_their_source_and_their_lack_is_said(driver, page, tmp_path):
    open_page(driver, page)
    legend = ".legend-row"
    assert any("rivers aren't drawn" in text for text in ask(driver, legend, "n.textContent"))
    base = results()
    line = MultiLineString([[(44.9, 39.0), (45.4, 39.2)], [(45.5, 39.2), (60.0, 39.3)]])
    rivers = gpd.GeoDataFrame({"name": ["Wet"], "names": [{"ru": "Мокрая"}]}, geometry=[line], crs="EPSG:4326")
    extract = replace(base.sources[0], source_id="osm", title="Made-up extract")
    wet = replace(base, layers=replace(base.layers, rivers=rivers), sources=(*base.sources, extract))
    open_page(driver, write_results(wet, tmp_path / "out"))
    assert len(ask(driver, ".leaflet-rivers-pane path", "n.tagName")) == 1
    assert "river (Made-up extract)" in [text.strip() for text in ask(driver, legend, "n.textContent")]
    choose(driver, "language", "ru")
    ask(driver, ".leaflet-rivers-pane path", "n.dispatchEvent(new MouseEvent('mouseover', {bubbles: true}))")
    assert ask(driver, ".leaflet-tooltip", "n.textContent") == ["Мокрая"]
    choose(driver, "language", "en")


def test_places_that_reach_the_crossing_later_are_coloured_by_minutes(driver, tmp_path):
    base = results()
    after = [30.0, 30.4, 50.0, 100.0, np.inf, np.inf, 30.0, 30.0]
    keys = [("north", "free")] * 2 + [("north", "gated")] * 2 + [("middle", "gated")] * 2 + [("middle", "free")] * 2
    effects = base.place_effects.assign(
        candidate_id=[key for key, _ in keys],
        regime_id=[regime for _, regime in keys],
        crossing_min_before=30.0,
        crossing_min_after=after,
        lost_crossing=np.isinf(after),
        lost_centre=False,
    )
    open_page(driver, write_results(replace(base, place_effects=effects), tmp_path / "out"))
    fills = "n.getAttribute('fill')"
    driver.execute_script("document.querySelector('.metrics tr[data-id=north] button.route').click()")
    assert ask(driver, ".leaflet-cutoff-pane path", fills) == []
    choose(driver, "regime", "gated")
    assert ask(driver, ".leaflet-cutoff-pane path", fills) == ["#f08c2e", "#8f3200"]
    line = ask(driver, ".card:not([hidden]) .cut-off:not([hidden])", "n.textContent")[0]
    assert "later: 2 of 2, by 70 min at most" in line
    driver.execute_script("document.querySelector('.metrics tr[data-id=middle] button.route').click()")
    assert ask(driver, ".leaflet-cutoff-pane path", fills) == ["#ffffff", "#ffffff"]
    assert len(ask(driver, ".key.delay", "1")) == 3


MESSAGES = [
    Message(
        "summary.lost",
        {
            "names": listing((Message("unit.km", fallback="x"), "a", Message("unit.min", fallback="y"))),
            "regime": Message("no.such", fallback="As is"),
            "what": Message("route.via", {"name": Message("no", fallback="Roads"), "places": "P, {name}"}, "z"),
        },
    ),
    Message("finding.road_on_bridge", {"road": "M2", "length": "80"}),
    Message("finding.road_on_bridge", {"road": "M2", "length": "69"}),
    Message("finding.road_of_class", {"road_class": Message("class.unclassified", fallback="unclassified")}),
    Message("finding.any_crossing_of", {"roads": listing(("M2", "M17", "H1"), ListStyle.OR)}),
    Message("finding.crossings_at_grade", {"count": 1}),
    Message("finding.crossings_at_grade", {"count": 21}),
]


@pytest.mark.parametrize("language", ["en", "ru", "fa"])
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.key)
def test_messages_are_said_in_the_browser_as_in_python(driver, page, message, language):
    open_unless_open(driver, page)
    script = "window.corridorWords.choose(arguments[2]); return window.corridorWords.get(arguments[0], arguments[1])"
    shown = driver.execute_script(script, message.key, message_values(message), language)
    driver.execute_script("window.corridorWords.choose('en')")
    assert shown == words(language).render(message)


def test_a_place_is_found_and_a_distance_measured(driver, page):
    from selenium.webdriver.common.keys import Keys

    open_page(driver, page)
    driver.find_element("id", "place").send_keys("borg", Keys.ENTER)
    lat, lon = driver.execute_script("var c = corridorLayers.map.getCenter(); return [c.lat, c.lng]")
    assert (lat, lon) == pytest.approx((39.4, 45.9), abs=0.05)
    driver.find_element("id", "place").clear()
    driver.find_element("id", "place").send_keys("Atlantis", Keys.ENTER)
    assert driver.find_element("id", "found").text == "No such place on this map"
    driver.find_elements("css selector", ".map-tool button")[1].click()
    points = "corridorLayers.map.fire('click', {latlng: L.latLng(arguments[0], arguments[1])})"
    driver.execute_script(points, 39.0, 45.0)
    driver.execute_script(points, 40.0, 45.0)
    assert driver.find_element("css selector", ".measured").text.startswith("111.2 km")


STATE = "regime=gated&perspective=time&route=south&language=ru&sort=2-&hidden=places,axes&map=9.00/39.5000/45.5000"


def test_all_that_is_chosen_comes_back_from_the_address(driver, page):
    driver.get("about:blank")
    open_page(driver, page)
    driver.get(f"{page.as_uri()}#{STATE}")
    driver.refresh()
    stands(driver)
    assert ask(driver, "#regime, #perspective, #language", "n.value") == ["ru", "gated", "time"]
    assert ask(driver, ".card:not([hidden])", "n.dataset.id") == ["south"]
    assert ask(driver, "#metrics thead th:nth-child(3)", "n.getAttribute('aria-sort')") == ["descending"]
    assert ask(driver, ".place, .leaflet-axes-pane path", "n.tagName") == []
    lat, lon, zoom = driver.execute_script(
        "var m = corridorLayers.map, c = m.getCenter(); return [c.lat, c.lng, m.getZoom()]"
    )
    assert (lat, lon, zoom) == pytest.approx((39.5, 45.5, 9.0), abs=0.01)
    choose(driver, "regime", "free")
    driver.execute_script("document.querySelector('.metrics tr[data-id=middle] button.route').click()")
    until(driver, "location.hash.includes('route=middle')")
    state = dict(pair.split("=") for pair in driver.execute_script("return location.hash").removeprefix("#").split("&"))
    assert (state["regime"], state["route"], state["language"]) == ("free", "middle", "ru")
    assert (state["sort"], set(state["hidden"].split(","))) == ("2-", {"places", "axes"})
    driver.get("about:blank")


def test_table_route_and_map_are_taken_away_without_a_network(driver, page, tmp_path):
    where = {"behavior": "allow", "downloadPath": str(tmp_path)}
    driver.execute_cdp_cmd("Browser.setDownloadBehavior", where)
    open_page(driver, page)
    for button in ("csv", "geojson", "png"):
        driver.execute_script(f"document.querySelector('[data-download={button}]').click()")
    waited_until = time.monotonic() + 60
    while {path.suffix for path in tmp_path.iterdir()} != {".csv", ".geojson", ".png"}:  # half a file ends otherwise
        assert time.monotonic() < waited_until, sorted(path.name for path in tmp_path.iterdir())
        time.sleep(0.05)
    files = {path.suffix: path for path in tmp_path.iterdir()}
    table = files[".csv"].read_text(encoding="utf-8-sig").splitlines()
    assert table[0].startswith("candidate_id,regime_id,Route")
    assert len(table) == 11
    route = gpd.read_file(files[".geojson"])
    assert set(route["candidate_id"]) == {"south"}
    assert route.total_bounds == pytest.approx([45.0, 39.2, 46.0, 39.5], abs=0.01)
    from PIL import Image

    picture = Image.open(files[".png"])
    assert picture.width > 800
    assert len(picture.convert("P").getcolors()) > 20
    assert {url.split(":")[0] for url in requested(driver)} <= {"file", "data", "blob"}


def test_few_tab_stops_and_the_arrow_keys_reach_the_rest(driver, page):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    open_page(driver, page)
    # Tab is pressed as a reader presses it: browsers also stop at scrolled boxes, and some at lines of the map
    driver.execute_script(
        "window.stops = [];"
        "document.addEventListener('focusin', e => { if (!stops.includes(e.target)) stops.push(e.target); });"
    )
    ActionChains(driver).send_keys(Keys.TAB * 60).perform()
    assert 10 < driver.execute_script("return stops.length") <= 40
    assert not any(ask(driver, ".leaflet-pane path", "n.tabIndex >= 0"))
    first = driver.find_element("css selector", "#glance button.route[tabindex='0']")
    first.send_keys(Keys.ARROW_DOWN, Keys.ENTER)
    assert ask(driver, "#glance tr.chosen", "n.dataset.id") == ask(driver, "#glance tr:nth-child(2)", "n.dataset.id")


def test_rules_without_transit_are_ranked_as_if_opened_when_asked(driver, tmp_path):
    base = results()
    rows = base.ranking["regime_id"] == "gated"
    nobody = base.ranking.assign(
        **{
            name: base.ranking[name].where(~rows)
            for name in ("rank_best", "rank_worst", "score", "score_low", "score_high")
        }
    )
    opened = IfOpened(base.ranking[rows].reset_index(drop=True), ())
    asked = replace(base, ranking=nobody, if_opened=opened)
    open_page(driver, write_results(asked, tmp_path / "out"))
    assert ask(driver, "#opened-row", "n.hidden") == [True]
    choose(driver, "regime", "gated")
    assert ask(driver, "#opened-row", "n.hidden") == [False]
    assert "no route can be ranked" in ask(driver, "#answer", "n.textContent")[0].lower()
    driver.execute_script("document.getElementById('as-if-opened').click()")
    assert ask(driver, "#answer", "n.textContent")[0].startswith("As if the borders were open")
    shown = ".panel[data-kind=through]:not([hidden])"
    assert ask(driver, shown, "'opened' in n.dataset") == [True]
    until(driver, "location.hash.includes('as-if-opened=1')")
    choose(driver, "regime", "free")
    assert ask(driver, shown, "'opened' in n.dataset") == [False]
    driver.get("about:blank")


def test_main_roads_are_ground_of_the_map(driver, tmp_path):
    base = results()
    roads = gpd.GeoDataFrame(
        {"class": ["motorway", "primary"], "ref": ["X1", "X2"], "name": ["", "Long Valley"]},
        geometry=[LineString([(45.0, 39.2), (45.4, 39.2)]), LineString([(45.0, 39.3), (45.4, 39.4)])],
        crs="EPSG:4326",
    )
    open_page(driver, write_results(replace(base, layers=replace(base.layers, roads=roads)), tmp_path / "out"))
    assert ask(driver, ".leaflet-roads-pane path", "n.getAttribute('stroke-width')") == ["1.2", "2"]
    assert "main road" in [text.strip() for text in ask(driver, ".legend-row", "n.textContent")]
    for asked in ("x2", "valley", "valley long"):
        assert driver.execute_script(f"return corridorLayers.find('{asked}')") == "X2 Long Valley"


def test_a_cell_of_the_matrix_chooses_route_and_rules(driver, page):
    open_page(driver, page)
    driver.execute_script("document.querySelector('#matrix tr[data-id=south] td[data-rules=gated] button').click()")
    assert driver.execute_script("return document.getElementById('regime').value") == "gated"
    assert ask(driver, ".card:not([hidden])", "n.dataset.id") == ["south"]


WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
ENGLISH_WORDS = """
var out = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  var node = walk.currentNode, box = node.parentElement;
  if (!box || box.closest('script, style, datalist, option, [translate=no]') || !box.checkVisibility({checkVisibilityCSS: true})) { continue; }
  if (box.closest('details:not([open])') && !box.closest('summary')) { continue; }
  out.push(node.textContent);
}
return out.join(' ');
"""  # noqa: E501


def proper_names():
    """Names of places of one word, which English and Azerbaijani may spell alike."""
    names = set()
    for table in ("place_names.csv", "nodes.csv"):
        with (data_root() / "reference" / table).open(encoding="utf-8") as stream:
            names |= {
                row.get("az") or row["name"] for row in csv.DictReader(stream) if row.get("kind", "place") == "place"
            }
    return {name.lower() for name in names if WORD.fullmatch(name)}


@pytest.mark.parametrize("language", ["ru", "hy", "az", "fa"])
def test_at_most_three_words_of_a_hundred_are_english(driver, bundled_folder, language):
    """Of the bundled study's page, beside names of sources, which are said to be names."""
    open_unless_open(driver, bundled_folder / "comparison.html")
    english = {found.lower() for found in WORD.findall(driver.execute_script(ENGLISH_WORDS))}
    choose(driver, "language", language)
    shown = WORD.findall(driver.execute_script(ENGLISH_WORDS))
    latin = [found for found in shown if re.search("[A-Za-z]{2}", found)]
    if language == "az":  # in Latin letters too: English is what stands on the English page, but for proper names
        common = english - proper_names()
        latin = [found for found in latin if found.lower() in common]
    choose(driver, "language", "en")
    assert len(shown) > 1000
    assert len(latin) <= 0.02 * len(shown), sorted(set(latin))
