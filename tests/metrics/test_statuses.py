"""How old statuses are, and who is told."""

from __future__ import annotations

import shutil

import pytest

from corridor.metrics.limits import DatedStatus, old_statuses, status_note
from corridor.report.i18n import render
from tests.command import run_command
from tests.synthetic import NAME, build


def dated(*days):
    return [DatedStatus("section", f"s{at}", "open", day) for at, day in enumerate(days)]


@pytest.mark.parametrize(
    ("as_of", "today", "old"),
    [
        ("2025-11-27", "2026-11-28", True),
        ("2025-11-28", "2026-11-28", False),
        ("2025-11", "2026-11-28", False),  # perhaps of its last day
        ("2025-10", "2026-11-28", True),
        ("2025", "2026-11-28", False),
        ("2024", "2026-01-01", True),
        ("2026-03", "2026-03-01", False),
        ("2027-05", "2026-11-28", False),
        ("2023-02-28", "2024-02-29", True),
        ("2023-03-01", "2024-02-29", False),
        ("2025-03-15", "2026-03", False),
        ("2025-02-28", "2026-03", True),
        ("2024-12", "2026", True),
    ],
)
def test_a_status_is_old_when_all_of_its_date_is_over_a_year_ago(as_of, today, old):
    assert bool(old_statuses(dated(as_of), today)) is old


def test_a_reader_is_told_how_many_are_old_and_since_when():
    statuses = dated("2021-08-06", "2026-03", "2020", "2025-01")
    assert [status.as_of for status in old_statuses(statuses, "2026-11-28")] == ["2020", "2021-08-06", "2025-01"]
    (note,) = status_note(statuses, "2026-11-28")
    assert render(note) == (
        "As of 2026-11-28, 3 of 4 statuses of sections, crossings and rules are over a year old "
        "(the oldest of 2020): what has happened since isn't in these results."
    )
    assert status_note(dated("2026-03"), "2026-11-28") == ()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return build(tmp_path_factory.mktemp("dated") / "midland")


def test_doctor_lists_them_against_the_day_that_is_given(study, monkeypatch, capfd):
    code, out, _ = run_command(monkeypatch, capfd, "doctor", study, "--today", "2021-06-30")
    assert code == 0
    assert "Statuses over a year old on 2021-06-30" in out
    assert "section" in out
    assert "ridge-" in out
    code, out, _ = run_command(monkeypatch, capfd, "doctor", study, "--today", "2020-06-30")
    assert code == 0
    assert "Statuses over a year old" not in out


@pytest.mark.parametrize("day", ["soon", "2026-13-01", "20260301", "2026-3-1"])
def test_a_day_that_there_is_not_is_refused(study, monkeypatch, capfd, day):
    code, out, err = run_command(monkeypatch, capfd, "doctor", study, "--today", day)
    assert (code, out) == (2, "")
    assert "is no day; write one such as 2027-03-01" in " ".join(err.split())


def test_results_say_so_too(study, tmp_path, monkeypatch, capfd):
    """Against the study's own date, so that the same inputs give the same results on any day."""
    folder = tmp_path / "midland"
    shutil.copytree(study.parent, folder)
    path = folder / NAME
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('as_of = "', 'as_of = "2022-01-01" # ', 1), encoding="utf-8")
    code, _, _ = run_command(monkeypatch, capfd, "run", folder / NAME, "--out", folder / "out", "--quiet")
    assert code == 0
    manifest = (folder / "out" / "manifest.json").read_text(encoding="utf-8")
    assert "statuses of sections, crossings and rules are over a year old" in manifest
