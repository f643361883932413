"""The command `corridor flows`: what it writes, and the line it says when it can't."""

from __future__ import annotations

import csv
import json
import re

import pandas as pd
import pytest

from tests.command import run_command
from tests.flows import toy

ASKED = [
    "origin", "destination", "mode", "branch", "regime_id", "candidate_id", "year", "cost_usd_low", "cost_usd",
    "cost_usd_high", "share", "change_usd",
]  # fmt: skip


@pytest.fixture
def call(monkeypatch, capsys):
    return lambda *words: run_command(monkeypatch, capsys, "flows", *words)


@pytest.fixture
def alps(tmp_path):
    return toy.alps(tmp_path / "alps")


def test_another_region_is_measured_and_written(call, alps, tmp_path):
    code, out, err = call("--tables", alps, "--out", tmp_path / "out", "--years", "2026,2040", "--sensitivity")
    assert code == 0
    assert out.strip() == str(tmp_path / "out" / "flows.csv")
    assert "2026, Verona to Munich: brenner" in err
    assert "Best ways that stay best at both ends of every declared range" in err
    assert "Changes that turn from less to more or back: 0" in err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        "flows.csv", "pairs.csv", "control.csv", "ways.csv", "dependence.csv", "potentials.csv", "regret.csv",
        "counts.csv", "documented.csv", "sensitivity.csv", "long_distance.geojson",
    }  # fmt: skip
    flows = pd.read_csv(tmp_path / "out" / "flows.csv", keep_default_na=False)
    assert list(flows.columns[: len(ASKED)]) == ASKED
    assert set(flows["candidate_id"]) == {"", "toll-gate", "tunnel"}
    numbers = pd.read_csv(tmp_path / "out" / "flows.csv")
    known = numbers.dropna(subset=["cost_usd"])
    assert (known["cost_usd_low"] <= known["cost_usd"]).all()
    assert (known["cost_usd"] <= known["cost_usd_high"]).all()
    assert (numbers.loc[numbers["cost_usd"].isna(), "share"] == 0).all()


def test_map_lines_are_schematic_and_as_wide_as_their_shares(call, alps, tmp_path):
    call("--tables", alps, "--out", tmp_path / "out", "--quiet")
    collection = json.loads((tmp_path / "out" / "long_distance.geojson").read_text(encoding="utf-8"))
    lines = {line["properties"]["link_id"]: line["properties"] for line in collection["features"]}
    assert {line["geometry_quality"] for line in lines.values()} == {"schematic"}
    assert lines["verona-brenner"]["share_sum"] + lines["verona-tarvis"]["share_sum"] == pytest.approx(1, abs=1e-3)
    assert lines["base-tunnel"]["share_sum"] == 0


def test_minutes_come_from_an_earlier_run(call, alps, tmp_path):
    table = tmp_path / "metrics.csv"
    with table.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerows(
            [
                ["candidate_id", "regime_id", "gate_min", "gate_min_status"],
                ["toll-gate", "gated", "30", ""],
                ["toll-gate", "sealed", "", "unreachable"],
            ]
        )
    assert call("--tables", alps, "--out", tmp_path / "out", "--metrics", table, "--years", "2026", "-q")[0] == 0
    flows = pd.read_csv(tmp_path / "out" / "flows.csv").set_index(["regime_id", "branch"])
    assert flows.loc[("gated", "brenner"), "change_usd"] == pytest.approx(0.5 * 20)
    assert flows.loc[("sealed", "brenner"), "status"] == "closed"
    assert flows.loc[("sealed", "brenner"), "share"] == 0


@pytest.mark.parametrize("cells", ["undetermined,", ",undetermined"])
@pytest.mark.parametrize("other", ["toll-gate,gated,30,", ""])
def test_what_isnt_determined_has_no_figures_and_is_said(call, alps, tmp_path, cells, other):
    table = tmp_path / "metrics.csv"
    rows = ["candidate_id,regime_id,gate_min,gate_min_status", f"toll-gate,locked,{cells}", other]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    code, _, err = call("--tables", alps, "--out", tmp_path / "out", "--metrics", table, "--years", "2026")
    assert code == 0
    assert "toll-gate under locked isn't in the tables" in err
    flows = pd.read_csv(tmp_path / "out" / "flows.csv")
    assert set(flows["regime_id"].dropna()) == ({"gated"} if other else set())


def test_the_same_tables_give_the_same_bytes(call, alps, tmp_path):
    for name in ("one", "two"):
        call("--tables", alps, "--out", tmp_path / name, "-q")
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_a_package_opens_the_links_of_its_routes(call, alps, tmp_path):
    table = tmp_path / "metrics.csv"
    rows = ["candidate_id,regime_id,members,gate_min", "tunnel,gated,,0", "both,gated,tunnel; toll-gate,0"]
    table.write_text("\n".join(rows) + "\n", encoding="utf-8")
    assert call("--tables", alps, "--out", tmp_path / "out", "--metrics", table, "--years", "2040", "-q")[0] == 0
    flows = pd.read_csv(tmp_path / "out" / "flows.csv").set_index(["candidate_id", "branch"])
    assert flows.loc["tunnel", "cost_usd"].notna().any()
    pd.testing.assert_series_equal(flows.loc["both", "cost_usd"], flows.loc["tunnel", "cost_usd"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--scenario", "wishes"], "scenario 'wishes' is none of documented"),
        (["--years", "soon"], "years: 'soon' is no year; write them like 2026,2030"),
        (["--metrics", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_cant_be_is_one_line(call, alps, tmp_path, words, said):
    code, out, err = call("--tables", alps, "--out", tmp_path / "out", *words)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_table_of_something_else_is_no_table_of_metrics(call, alps, tmp_path):
    table = tmp_path / "other.csv"
    table.write_text("colour\nblue\n", encoding="utf-8")
    code, _, err = call("--tables", alps, "--out", tmp_path / "out", "--metrics", table)
    assert code == 2
    assert "has no column candidate_id" in err


def test_a_study_without_tables_says_so(call, tmp_path):
    from tests.synthetic import build

    code, _, err = call(build(tmp_path / "midland"), "--out", tmp_path / "out")
    assert code == 2
    assert "names no long-distance tables" in err


def test_results_go_nowhere_else_than_into_a_folder(call, alps, tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    code, _, err = call("--tables", alps, "--out", tmp_path / "file" / "out", "-q")
    assert code == 2
    assert "choose another folder" in err


def test_past_years_are_refused(call, alps, tmp_path):
    code, out, err = call("--tables", alps, "--out", tmp_path / "out", "--years", "2030,1999", "--quiet")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"corridor: years: 1999 is past; the tables say what is open in 20\d\d and what comes\n", err)
    assert not (tmp_path / "out").exists()


def test_results_of_a_run_are_left_alone(call, alps, tmp_path):
    (tmp_path / "manifest.json").write_text('{"tool": "corridor"}', encoding="utf-8")
    (tmp_path / "flows.csv").write_text("as it was", encoding="utf-8")
    code, out, err = call("--tables", alps, "--out", tmp_path, "--quiet")
    assert (code, out) == (2, "")
    assert "holds the results of a run, which has tables of the same names; name another folder" in err
    assert (tmp_path / "flows.csv").read_text(encoding="utf-8") == "as it was"
