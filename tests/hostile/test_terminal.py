"""What a terminal is sent: names from anywhere stand there as they are, and none directs it."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corridor.cli import main
from corridor.report.i18n import clean_line
from tests.command import run_command
from tests.synthetic import build, write_study

HOSTILE = "no:x:such[bold]\x1b[35;7mred\x1b]52;c;cm0=\x07\x9b5m\r\u202ebackwards"
"""Emoji code, markup, a colour, a text for the clipboard, an 8-bit escape, a line that hides another, an override."""
SHOWN = "no:x:such[bold][35;7mred]52;c;cm0=5m"
MARKS = "no:x:such[bold]"
"""Study files may hold this much: whatever nobody sees is refused in them."""
_DIRECTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def call(monkeypatch, capfd):
    """Exit code, stdout and stderr of a command on a wide terminal, held to be harmless."""
    monkeypatch.setenv("COLUMNS", "400")
    run = partial(run_command, monkeypatch, capfd)

    def harmless(*words: str | Path) -> tuple[int, str, str]:
        code, out, err = run(*words)
        assert not _DIRECTS.findall(out + err)
        return code, out, err

    return harmless


@pytest.fixture
def study(tmp_path) -> Path:
    """A study with emoji codes and markup in its words, on a map whose names hold all of the rest."""
    path = write_study(
        build(tmp_path / "midland").parent,
        {
            'title = "Roads from Aster to Corvo"': f'title = "{MARKS}"',
            'name = "Over the ridge"': f'name = "{MARKS}"',
            'name = "as it is"': f'name = "{MARKS}"',
        },
    )
    places = path.parent / "places.csv"
    places.write_text(
        places.read_text(encoding="utf-8").replace("Gatehouse", HOSTILE.replace("\r", "")), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize(
    "words",
    [
        ("run", "--osm", HOSTILE),
        ("run", HOSTILE),
        ("run", "syunik", "--formats", HOSTILE),
        ("run", "syunik", "--baseline", HOSTILE),
        ("doctor", f"{HOSTILE}.toml"),
        ("check", "--osm", HOSTILE),
        ("rank", HOSTILE),
        ("align", HOSTILE, "Julfa"),
        ("align", "Mincivan", "Julfa", "--countries", HOSTILE),
        ("terrain", HOSTILE, "--out", "slope.tif"),
        ("sweep", "syunik", "--vary", HOSTILE, "--out", "sweep"),
        ("sweep-report", HOSTILE),
    ],
    ids=lambda words: " ".join(word for word in words if HOSTILE not in word),
)
def test_a_wrong_name_is_said_as_it_was_given(words, call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(*words)
    assert code == 2
    assert out == ""
    assert "no:x:such[bold]" in err.lower()


@pytest.mark.parametrize("words", [(HOSTILE,), ("run", f"--{HOSTILE}"), ("rank", "x", "--method", HOSTILE)])
def test_a_wrong_call_is_said_without_what_directs_a_terminal(words, call):
    code, _, err = call(*words)
    assert code == 2
    assert ":x:" in err


def test_words_of_a_study_and_its_data_are_shown_as_they_are(study, call, tmp_path):
    for command in ("doctor", "check"):
        assert call(command, study, "--osm", study.parent / "map.osm")[0] in (0, 1)
    out = tmp_path / "a:x:b"
    assert call("run", study, "--osm", study.parent / "map.osm", "--out", out)[:2] == (
        0,
        f"{out / 'comparison.html'}\n",
    )
    # Results that somebody handed on say who the routes are.
    for name in ("metrics.csv", "ranking.csv"):
        text = (out / name).read_text(encoding="utf-8")
        (out / name).write_text(
            text.replace("ridge", f"ri{HOSTILE}dge".replace("\r", "")), encoding="utf-8", newline=""
        )
    _, said, err = call("rank", out)
    assert "no:x:such[bold]" in said + err


def test_cells_of_tables_are_shown_as_they_are(capsys):
    from corridor.cli.common import print_table

    print_table(HOSTILE, [HOSTILE, "b"], [[HOSTILE, ":smile:"]])
    out = capsys.readouterr().out
    assert out.count(SHOWN) == 3
    assert ":smile:" in out
    assert not _DIRECTS.findall(out)


@pytest.mark.parametrize(
    "words",
    [
        ("run", "syunik"),
        ("align", "Mincivan", "Julfa"),
        ("sweep", "syunik", "--vary", "x"),
        ("terrain", "x"),
        ("flows",),
    ],
    ids=lambda words: words[0],
)
@pytest.mark.parametrize("name", [HOSTILE, "bytes\udcff"])
def test_results_are_not_written_where_their_path_could_not_be_printed(words, name, call, tmp_path):
    code, out, err = call(*words, "--out", tmp_path / name)
    assert (code, out) == (2, "")
    assert err.endswith("holds characters that can't be shown; choose another name\n")
    assert err.count("\n") == 1
    assert os.listdir(tmp_path) == []  # noqa: PTH208


def test_on_a_real_terminal_progress_is_harmless_too(study, tmp_path):
    """In a pseudo-terminal Rich draws with escapes of its own; none of them is the study's."""
    import pty

    host, guest = pty.openpty()
    words = [sys.executable, "-m", "corridor.cli", "run", str(study), "--osm", str(tmp_path / HOSTILE), "--out", "out"]
    with subprocess.Popen(words, stdout=guest, stderr=guest, cwd=tmp_path) as run:
        os.close(guest)
        said = b""
        try:
            while piece := os.read(host, 65536):
                said += piece
        except OSError:  # the other end is closed
            pass
    os.close(host)
    assert run.returncode == 2, said
    text = said.decode()
    assert "no:x:such[bold]" in text
    for escape in ("\x1b[35;7m", "\x1b]52", "\x07", "\x9b", "\u202e"):
        assert escape not in text


@given(st.text())
def test_a_cleaned_line_is_one_line_and_stays_as_it_is(text):
    line = clean_line(text)
    assert not _DIRECTS.search(line)
    assert "\n" not in line
    assert clean_line(line) == line
    if text.isprintable():
        assert line == text


def test_the_ranking_says_once_why_a_route_is_left_out(bundled_folder, call):
    _, out, _ = call("rank", bundled_folder)
    said = [line for line in out.splitlines() if line.startswith("- ") and "isn't ranked" in line]
    assert said
    assert all(line.count("ranked") == 1 for line in said)


REFUSED = {
    "disk": (OSError(errno.ENOSPC, "No space left on device", "/x/y"), "/x/y: No space left on device; make room"),
    "files": (OSError(errno.EMFILE, "Too many open files"), "Too many open files; raise the limit of open files"),
    "memory": (MemoryError(), "there isn't enough memory; take a smaller area"),
    "memory of a library": (RuntimeError("GEOS: std::bad_alloc"), "there isn't enough memory; take a smaller area"),
    "a link to itself": (RuntimeError("Symlink loop from '/x/y'"), "/x/y: is a link that leads back to itself"),
    "threads": (RuntimeError("can't start new thread"), "can't start another thread; raise the limit of processes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_machine_refuses_is_a_line(name, monkeypatch, capsys):
    fault, says = REFUSED[name]

    def fail(**_):
        raise fault

    monkeypatch.setattr("corridor.cli.app", fail)
    code, out, err = run_command(monkeypatch, capsys, "studies")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"corridor: {says}")


def test_other_faults_of_the_system_are_not_hushed(monkeypatch):
    def fail(**_):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("corridor.cli.app", fail)
    with pytest.raises(OSError, match="Invalid argument"):
        main()


def test_a_terminal_of_few_letters_shows_others_as_codes(tmp_path):
    """Names in Armenian on a terminal that knows ASCII alone: shown as codes, nothing fails."""
    words = [sys.executable, "-m", "corridor.cli", "run", str(tmp_path / "Սյունիք.toml")]
    few = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=300, env=few)
    assert (done.returncode, done.stdout) == (2, "")
    assert r"\u054d" in done.stderr
