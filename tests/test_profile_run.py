"""The flame graph: boxes are as wide as the time, whatever the names are."""

from __future__ import annotations

import sys
import time
from collections import Counter
from xml.etree import ElementTree

import pytest

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import profile_run

SVG = "{http://www.w3.org/2000/svg}"


def test_boxes_are_as_wide_as_what_stands_on_them():
    stacks = Counter({("a", "b"): 3, ("a", "c <&>"): 1, ("d",): 4})
    drawn = ElementTree.fromstring(profile_run.draw(profile_run.gather(stacks), 2.0, 'a "title"'))
    boxes = {
        group.find(f"{SVG}title").text.split(":")[0]: (
            float(group.find(f"{SVG}rect").get("x")), float(group.find(f"{SVG}rect").get("width")),
            float(group.find(f"{SVG}rect").get("y")),
        )
        for group in drawn.iter(f"{SVG}g")
    }  # fmt: skip
    assert boxes["all"][1] == 1200
    assert boxes["a"][1] == boxes["d"][1] == 600
    assert (boxes["b"][1], boxes["c <&>"][1]) == (450, 150)
    # what is called stands on what calls it, side by side
    assert boxes["b"][0] == boxes["a"][0]
    assert boxes["c <&>"][0] == boxes["b"][0] + 450
    assert boxes["all"][2] > boxes["a"][2] > boxes["b"][2]
    assert "a: 1.00 s, 50.0%" in ElementTree.tostring(drawn, encoding="unicode")


def burn(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def test_time_is_found_where_it_is_spent():
    stacks, seconds = profile_run.sample(lambda: burn(0.3), every_s=0.002)
    inside = sum(count for stack, count in stacks.items() if any(name.endswith(": burn") for name in stack))
    assert seconds >= 0.3
    assert inside >= 0.9 * sum(stacks.values())


def test_a_command_is_run_with_its_own_options(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["profile_run.py"])
    assert profile_run.main(["--out", str(tmp_path / "p.svg"), "studies"]) == 0
    assert "syunik" in capsys.readouterr().out
    assert ElementTree.parse(tmp_path / "p.svg").getroot().get("aria-label").startswith("corridor studies: ")
    with pytest.raises(SystemExit):
        profile_run.main(["--out", str(tmp_path / "p.svg")])
