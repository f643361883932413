"""What the page on extending says: each of its files is added to a copy of the package, and is then there."""

from __future__ import annotations

import json
import subprocess
import sys

import pandas as pd
import pytest

from docs.tools.blocks import find_blocks
from tests.command import run_command
from tests.conftest import ROOT
from tests.copied_package import PAGE, add_file, copy_package, run_copy
from tests.synthetic.study import build


@pytest.mark.parametrize(
    ("title", "folder"),
    [
        ("steep_length.py", "metrics"),
        ("weighted_product.py", "mcda/methods"),
        ("hill_tiles.py", "io/fetch/elevation"),
    ],
)
def test_a_new_file_is_as_the_linter_wants_it(title, folder):
    (text,) = [block.text for block in find_blocks(PAGE.read_text(encoding="utf-8")) if block.title == title]
    for check in (("check",), ("format", "--check")):
        command = [sys.executable, "-m", "ruff", *check, "--stdin-filename", f"corridor/{folder}/{title}", "-"]
        done = subprocess.run(command, input=text, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_new_method_is_one_file(bundled_folder, tmp_path, monkeypatch, capsys):
    copy_package(tmp_path)
    assert run_command(monkeypatch, capsys, "rank", bundled_folder, "--method", "weighted-product")[0] == 2
    add_file(tmp_path, "weighted_product.py", "corridor/mcda/methods")
    assert "weighted-product" in run_copy(tmp_path, "rank", "--help").stdout
    after = run_copy(tmp_path, "rank", bundled_folder, "--method", "weighted-product", "--robust")
    assert after.returncode == 0, after.stderr
    assert "- weighted product: an alternative at the worst anchor of any criterion scores 0" in after.stdout
    assert "Weighted sum, PROMETHEE II, TOPSIS, VIKOR and Weighted product" in after.stdout
    assert "- article-9, through: " in after.stdout


def test_a_new_metric_is_one_file_and_its_label(tmp_path):
    copy_package(tmp_path)
    add_file(tmp_path, "steep_length.py", "corridor/metrics")
    (label,) = [block.text for block in find_blocks(PAGE.read_text(encoding="utf-8")) if block.title == "en.json"]
    messages = tmp_path / "corridor" / "report" / "messages" / "en.json"
    known = json.loads(messages.read_text(encoding="utf-8"))
    messages.write_text(json.dumps(known | json.loads(label), ensure_ascii=False), encoding="utf-8")
    study = build(tmp_path / "study")
    made = run_copy(tmp_path, "run", study, "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr

    table = pd.read_csv(tmp_path / "out" / "metrics.csv").set_index("candidate_id")
    columns = list(table.columns)
    assert columns[columns.index("steep_km") :][:3] == ["steep_km", "steep_km_low", "steep_km_high"]
    assert columns.index("documented_max_grade_pct") < columns.index("steep_km") < columns.index("cost_musd")
    stated = table["documented_max_grade_pct"].notna()
    assert stated.any()
    assert not stated.all()
    assert (table["steep_km_status"] == stated.map({True: "ok", False: "not_supported"})).all()
    assert (table["steep_km"].notna() == stated).all()
    steep = table["documented_max_grade_pct"] > 4
    assert (table.loc[steep, "steep_km"] > 0).all()
    assert (table.loc[stated & ~steep, "steep_km"] == 0).all()

    words = pd.read_csv(tmp_path / "out" / "data_dictionary.csv").set_index(["file", "column"])
    row = words.loc[("metrics.csv", "steep_km")]
    assert (row["unit"], row["meaning"]) == ("km", "length of parts whose documented grade is above 4 %")
    assert words.loc[("metrics.csv", "steep_km_high"), "meaning"].startswith("upper end of: length of parts")
    page = (tmp_path / "out" / "comparison.html").read_text(encoding="utf-8")
    assert 'data-i18n="metric.steep_km"' in page
    assert "Steeper than 4 %" in page
