"""The command line teaches, says its version, and reports on data and lengths."""

from __future__ import annotations

import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from importlib.metadata import version
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import corridor
from corridor import processes
from corridor.cli import app
from corridor.cli.common import load_study
from corridor.pipeline import ahead
from corridor.processes import Fork
from corridor.schema.study import Study
from tests.command import run_command
from tests.synthetic import NAME, build, write_study
from tests.synthetic.ground import meridian_km, parallel_km

COMMANDS = {c.callback.__name__.replace("_", "-"): c.callback for c in app.registered_commands}
_BASELINES = "[[baselines]]"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    """Tables and help as a wide terminal shows them, so that no line is folded."""
    monkeypatch.setenv("COLUMNS", "240")


@pytest.fixture(scope="module")
def midland(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("cli") / "midland")


@pytest.fixture
def call(monkeypatch, capsys):
    """Exit code, stdout and stderr of the installed command, called in this process."""
    return partial(run_command, monkeypatch, capsys)


def cells(table: str, *first: str) -> list[str]:
    """The cells of the row of a printed table that begins with these."""
    for line in table.splitlines():
        row = [cell.strip() for cell in re.split("[│┃]", line)[1:-1]]
        if row[: len(first)] == [*first]:
            return row
    raise AssertionError(f"no row {first!r} in\n{table}")


def column(tables: str, at: int) -> str:
    """The text of one column of printed tables, cells that run over several lines joined."""
    rows = [re.split("[│┃]", line)[1:-1] for line in tables.splitlines() if re.search("[│┃]", line)]
    return " ".join(row[at].strip() for row in rows if len(row) > abs(at))


def test_the_commands_are_these():
    assert {"run", "doctor", "check", "studies"} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_says_what_it_is_for_and_shows_how(command, call):
    code, out, err = call(command, "--help")
    assert (code, err) == (0, "")
    assert "Usage: corridor" in out
    assert f"corridor {command}" in out.split("Usage:")[1].split("\n", 1)[1]
    assert COMMANDS[command].__doc__.splitlines()[0] in out


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_of_the_whole_names_every_command(word, call):
    code, out, _ = call(word)
    assert code == 0
    for command in COMMANDS:
        assert re.search(rf"│ {command} ", out)


def test_without_words_it_helps(call):
    _, out, err = call()
    assert "Usage: corridor" in out + err


def test_version_is_the_installed_one(call):
    assert call("--version") == (0, f"{corridor.__version__}\n", "")
    assert corridor.__version__ == version("corridor")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "--osn", "x.osm"), "No such option: --osn"),
        (("run", "--mode", "boat"), "'--mode': 'boat' is not one of 'road', 'rail'; see corridor run --help"),
        (("run", "--follow", "nan"), "Invalid value for '--follow'"),
        (("new",), "Missing argument 'NAME'"),
        (("sweep", "syunik"), "Missing option '--vary'; see corridor sweep --help"),
        (("rank", "a", "b"), "unexpected extra argument"),
        (("cache", "tidy"), "No such command 'tidy'; see corridor cache --help"),
        (("tidy\x1b[31m",), "No such command 'tidy"),
        (("run", "--tidy\n\x1b[31m"), "No such option: --tidy"),
    ],
)
def test_a_wrong_call_is_told_in_one_line_as_bad_input_is(words, says, call):
    code, out, err = call(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("corridor: ")
    assert says in err
    assert "\x1b" not in err


def test_studies_lists_the_bundled_ones_by_title(call):
    code, out, _ = call("studies")
    assert code == 0
    assert f"syunik: {Study.bundled('syunik').title}\n" in out


def test_a_study_is_a_file_or_a_bundled_name(midland, monkeypatch):
    assert load_study("syunik") == Study.bundled("syunik")
    assert load_study(str(midland)).id == "midland"
    monkeypatch.chdir(midland.parent)
    assert load_study(NAME).id == "midland"


@pytest.mark.parametrize("module", ["corridor", "corridor.cli"])
def test_the_command_runs_as_a_module_too(module):
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == version("corridor")


@pytest.mark.usefixtures("shared_runs")
def test_doctor_on_the_bundled_study_says_what_the_data_are_and_lack(call):
    code, out, err = call("doctor")
    assert code == 0
    assert "100% of the area; pixels of 925 m" in column(out, -1)
    assert "AM, AZ, GE, IR, TR" in column(out, -1)
    for licence in ("ODbL-1.0", "CC-BY-4.0", "public domain"):
        assert licence in column(out, 3)
    assert cells(out, "AM-IR")[-1] == "Agarak-Norduz"
    assert cells(out, "AM-AZ")[-1] == "none"
    assert "open roads in AM, AZ: Horadiz and Nakhchivan are not connected" in out
    assert "no OpenStreetMap file: the network is the reference catalogue alone" in out
    assert all(re.match(r"\[ *\d+\.\d s\] \w", line) for line in err.splitlines())


@pytest.mark.skipif(sys.platform != "linux", reason="processes are copied on Linux alone")
def test_a_study_with_a_fault_ends_the_copy_that_reads_a_named_map(midland, call, tmp_path, monkeypatch):
    """The map is read before the study is; the fault is told in one line all the same, and nothing is left over."""
    begun = []
    monkeypatch.setattr(processes, "count_threads", lambda: 2)
    monkeypatch.setattr(processes, "room_bytes", lambda: 1 << 40)
    monkeypatch.setattr(ahead, "LARGE_MAP_BYTES", 0)
    monkeypatch.setattr(ahead, "Fork", lambda *given: begun.append(Fork(*given)) or begun[-1])
    code, out, err = call("run", "nosuch", "--osm", midland.parent / "map.osm", "--out", tmp_path / "out")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert [fork.names for fork in begun] == [{"osm_parts"}]
    assert multiprocessing.active_children() == []
    assert not (tmp_path / "out").exists()


def test_doctor_on_another_study_counts_its_network(midland, call):
    code, out, _ = call("doctor", midland, "--osm", midland.parent / "map.osm")
    assert code == 0
    rail = parallel_km(45.7, 0.2) + meridian_km(45.5, 45.7)
    assert float(cells(out, "XC", "rail")[3]) == pytest.approx(rail, abs=0.5)
    assert cells(out, "XA-XB", "road")[-1] == "Ridge gate west"
    assert cells(out, "XA-XB", "rail")[-1] == "none"
    assert "railway gap of 31 m joined at 45.7000 N 10.2000 E" in out
    assert "Aster and Corvo are not connected; gaps: 0.4 km, 11 km from Dalemoor" in out
    assert "no OpenStreetMap file" not in out


@pytest.mark.usefixtures("shared_runs")
def test_doctor_says_where_no_known_height_could_tell_feet(midland, call):
    _, out, _ = call("doctor", midland)
    assert "no check by known heights: the catalogue and the places give 0 in the area, at least 5" in out
    _, out, _ = call("doctor", "syunik")
    assert "no check by known heights" not in out


def test_doctor_says_which_countries_hold_the_same_ground_and_counts_ground_on_a_border(midland, call, tmp_path):
    """The eastern country's polygon begins 0.1 degree inside the middle one: 0.1 by 1.4 degrees."""
    folder = shutil.copytree(midland.parent, tmp_path / "midland")
    _, out, _ = call("doctor", folder / midland.name)
    assert "100% of the area; XA, XB, XC" in out
    assert "km² of ground" not in out
    countries = gpd.read_file(folder / "borders.geojson")
    east = countries["country"] == "XC"
    countries.loc[east, "geometry"] = countries.geometry[east].union(shapely.box(10.6, 44.8, 10.7, 46.2))
    (folder / "borders.geojson").write_text(countries.to_json(), encoding="utf-8")
    _, out, _ = call("doctor", folder / midland.name)
    assert "- borders.geojson: XB and XC both hold 1,213.3 km²" in out
    assert "km² of ground; it counts as that of XB" in out


def test_doctor_names_open_crossings_far_from_every_road_of_the_map(midland, call, tmp_path):
    """Near enough roads, not on roads, not in the area and closed ones aren't named."""
    folder = shutil.copytree(midland.parent, tmp_path / "midland")
    table = folder / "reference" / "crossings.csv"
    frame = pd.read_csv(table, dtype=str, keep_default_na=False)
    gate = frame[frame["crossing_id"] == "ridge-gate-west"].iloc[0]
    rows = {"far": {"lat": "45.99"}, "shut": {"lat": "45.99", "status": "closed"}, "outside": {"lat": "48.0"}}
    added = [gate.to_dict() | {"crossing_id": key} | changes for key, changes in rows.items()]
    pd.concat([frame, pd.DataFrame(added)]).to_csv(table, index=False)
    _, out, _ = call("doctor", folder / NAME, "--osm", folder / "map.osm")
    named = re.findall(r"^- crossing '([a-z-]+)' at", out, flags=re.MULTILINE)
    assert named == ["far"]


@pytest.mark.usefixtures("shared_runs")
def test_check_on_the_bundled_study_agrees_with_what_is_documented(call):
    code, out, _ = call("check")
    study = Study.bundled("syunik")
    assert code == 0
    assert len(study.checks) > 3
    for row in study.checks:
        shown = cells(out, row.name)
        assert shown[5] == "agrees"
        slack = row.tolerance_pct / 100
        assert row.low_km * (1 - slack) - 0.05 <= float(shown[3]) <= row.high_km * (1 + slack) + 0.05


def check_toml(name: str, end: str, low: float, high: float) -> str:
    return (
        f'[[checks]]\nname = "{name}"\nmode = "road"\nfrom_node = "aster"\nto_node = "{end}"\n'
        f'low_km = {low}\nhigh_km = {high}\ntolerance_pct = 1\nsource = "made-up"\n\n'
    )


def test_check_of_a_study_without_documented_lengths_says_where_they_go(midland, call):
    code, out, _ = call("check", midland)
    assert code == 0
    assert out.startswith("- no checks: documented lengths under [[checks]] would show")
    assert len(out.splitlines()) == 1


def test_check_tells_what_differs_and_what_has_no_way(midland, call):
    west = parallel_km(45.5, 0.3)
    rows = [
        check_toml("sound", "ridge-gate-west", west * 0.995, west * 0.996),
        check_toml("too long", "ridge-gate-west", west * 0.98, west * 0.989),
        check_toml("cut off", "corvo", 60, 70),
    ]
    path = write_study(midland.parent, {_BASELINES: "".join(rows) + _BASELINES})
    code, out, _ = call("check", path)
    write_study(midland.parent)
    assert code == 1
    assert cells(out, "sound")[3:6] == [f"{west:.1f}", "1 %", "agrees"]
    assert cells(out, "too long")[5] == "differs"
    assert cells(out, "cut off")[3:6:2] == ["no way", "no way"]


def test_run_says_its_steps_on_stderr_and_the_page_on_stdout(midland, call, tmp_path):
    pytest.importorskip("corridor.report.page.build")
    code, out, err = call("run", midland, "--out", tmp_path / "results")
    assert (code, out) == (0, f"{tmp_path / 'results' / 'comparison.html'}\n")
    assert len(err.splitlines()) >= 5
    assert all(re.match(r"\[ *\d+\.\d s\] \w", line) for line in err.splitlines())


def test_an_interrupt_is_told_in_one_line_and_leaves_nothing(midland, call, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("corridor.export.results._write_files", interrupted)
    code, out, said = call("run", str(midland), "--out", str(tmp_path / "out"), "--quiet")
    assert (code, out, said) == (130, "", "corridor: interrupted; nothing was written\n")
    assert not list(tmp_path.glob("out*"))


@pytest.fixture
def default_ends():
    """Signals that end a process do so, before and after."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("in_a_kernel", [False, True])
def test_who_is_ended_tidies_up_and_says_so(midland, call, tmp_path, monkeypatch, default_ends, number, in_a_kernel):
    def ended(results, folder, *_):
        (folder / "half").write_text("written", encoding="utf-8")
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt as interrupt:
            if in_a_kernel:  # what Python says of it there
                raise SystemError("returned a result with an exception set") from interrupt
            raise

    monkeypatch.setattr("corridor.export.results._write_files", ended)
    code, out, said = call("run", str(midland), "--out", str(tmp_path / "out"), "--quiet")
    assert (code, out, said) == (128 + number, "", "corridor: interrupted; nothing was written\n")
    assert not list(tmp_path.iterdir())


def test_a_command_under_nohup_stays_when_its_terminal_is_closed(call, default_ends):
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert call("studies")[0] == 0
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN


def _shell(words: str) -> subprocess.CompletedProcess[str]:
    command = f'"{sys.executable}" -m corridor {words}'
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.parametrize("words", ["--version", "studies", "doctor --quiet"])
def test_a_reader_who_has_had_enough_is_no_fault(words):
    ended = _shell(f"{words} | true; echo ${{PIPESTATUS[0]}}")
    assert (ended.stdout, ended.stderr) == ("141\n", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is full")
def test_progress_that_a_full_disk_doesnt_take_stops_nothing(midland, tmp_path):
    ended = _shell(f'run "{midland}" --out "{tmp_path / "out"}" --formats none 2>/dev/full')
    assert (ended.returncode, ended.stdout) == (0, f"{tmp_path / 'out' / 'comparison.html'}\n")
    assert _shell("run nosuch 2>/dev/full").returncode == 2


def test_an_interrupt_while_the_command_is_loaded_is_told_in_one_line(tmp_path):
    (tmp_path / "shapely.py").write_text("raise KeyboardInterrupt", encoding="utf-8")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import corridor.cli"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "corridor: interrupted; nothing was written\n")


def test_the_command_starts_without_heavy_packages():
    heavy = {"pandas", "geopandas", "rasterio", "numba", "scipy", "folium", "osmium", "osmnx", "pyproj"}
    code = f"import sys, corridor.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--pdf", "--pdf-language", "xx"), "brief.pdf: there is no language 'xx'; choose from en, ru, hy, az, fa"),
        (("--pdf-language", "ru"), "is the language of brief.pdf; add --pdf"),
    ],
)
def test_what_a_brief_cannot_be_is_told_before_anything_is_computed(midland, call, tmp_path, words, says):
    code, out, err = call("run", midland, "--out", tmp_path / "out", *words)
    assert (code, out) == (2, "")
    assert says in err
    assert "reading" not in err
    assert not (tmp_path / "out").exists()


def test_a_brief_without_a_browser_is_told_before_anything_is_computed(midland, call, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    code, _, err = call("run", midland, "--out", tmp_path / "out", "--pdf")
    assert code == 2
    assert "printing needs Chromium, Chrome or Edge, and none is installed" in err
    assert not (tmp_path / "out").exists()


def test_places_of_one_name_are_looked_for_in_the_area_and_doctor_counts_those_there(midland, call, tmp_path):
    folder = shutil.copytree(midland.parent, tmp_path / "midland")
    with (folder / "places.csv").open("a", encoding="utf-8") as table:
        table.write("Dalemoor,12.5,77.5,XD,9000000\n")
    (total,) = (len(table.read_text(encoding="utf-8").splitlines()) - 1 for table in [folder / "places.csv"])
    code, out, err = call("doctor", folder / NAME, "--quiet")
    assert (code, err) == (0, "")
    assert cells(out, "Places places.csv")[-1] == f"{total} places, {total - 1} in the area"
