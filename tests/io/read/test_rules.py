"""What a locked run holds beside the data: also tables that ship with the toolkit, lines and conditions."""

from __future__ import annotations

import shutil

import pytest

from corridor.files import data_root
from corridor.io.read.data_files import hash_rules
from corridor.schema.fields import file_sha256
from corridor.schema.study import Study
from tests.synthetic import build

PACKAGED = data_root() / "reference"


@pytest.fixture
def study(tmp_path):
    return build(tmp_path / "midland")


def test_what_the_folder_lacks_is_held_as_it_ships(study):
    found = hash_rules(Study.load(study))
    for name in ("standards.toml", "vehicles.csv", "driving.csv", "height_errors.csv"):
        assert found[f"packaged/{name}"] == file_sha256(PACKAGED / name)
    # A table of the folder's own takes the packaged one's place; standards are always those that ship.
    for name in ("vehicles.csv", "standards.toml"):
        shutil.copy(PACKAGED / name, study.parent / "reference")
    again = hash_rules(Study.load(study))
    assert "packaged/vehicles.csv" not in again
    assert again["reference/vehicles.csv"] == found["packaged/vehicles.csv"]
    assert again["packaged/standards.toml"] == found["packaged/standards.toml"]


def test_the_bundled_study_holds_its_tables_once():
    found = hash_rules(Study.bundled("syunik"))
    assert found["reference/standards.toml"] == file_sha256(PACKAGED / "standards.toml")
    assert not [name for name in found if name.startswith("packaged/")]
    assert "conditions" in found


def test_without_a_folder_every_general_table_is_held(study):
    text = study.read_text(encoding="utf-8").replace('reference = "reference"\n', "")
    study.write_text(text[: text.index("[[candidates]]")] + text[text.index("[[criteria]]") :], encoding="utf-8")
    study.write_text(
        study.read_text().replace(
            "[[criteria]]", '[[candidates]]\nfamily = "existing"\nid = "a"\nname = "A"\n[[criteria]]', 1
        )
    )
    found = hash_rules(Study.load(study))
    assert found["packaged/speeds.csv"] == file_sha256(PACKAGED / "speeds.csv")
    assert not [name for name in found if name.startswith("reference/")]


def test_a_drawn_line_is_held_by_its_content(study):
    (study.parent / "line.gpx").write_text("<gpx/>")
    with study.open("a") as stream:
        stream.write(
            '\n[[candidates]]\nfamily = "drawn"\nid = "mine"\nname = "Mine"\nmode = "road"\nfile = "line.gpx"\n'
        )
    before = hash_rules(Study.load(study))
    (study.parent / "line.gpx").write_text("<gpx></gpx>")
    after = hash_rules(Study.load(study))
    assert [name for name in before if before[name] != after[name]] == ["line of mine"]
