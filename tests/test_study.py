"""Study files: sound ones load, all faults of a broken one are named at once."""

from __future__ import annotations

import tomllib

import pytest

from corridor.errors import StudyError
from corridor.files import data_root
from corridor.schema.study import Study
from tests.synthetic import study as synthetic

PATH = data_root() / "studies" / "syunik.toml"


def content():
    return tomllib.loads(PATH.read_text(encoding="utf-8"))


def build(changed):
    return Study.build(changed, PATH.parent, "study.toml")


def test_the_bundled_study_loads():
    study = Study.bundled("syunik")
    assert study == Study.load(PATH)
    assert study.chosen_baseline.as_of == "2026-03"
    assert study.path("package:reference").is_dir()


def test_all_faults_at_once_each_with_its_field():
    broken = content()
    broken["colour"] = "red"
    broken["area"] = [50, 38, 40, 41]
    broken["elevation"]["vertical_error_m"] = -1
    broken["candidates"][0]["mode"] = "boat"
    broken["criteria"][0]["best"] = float("nan")
    del broken["question"]
    with pytest.raises(StudyError) as caught:
        build(broken)
    said = str(caught.value)
    assert said.startswith("study.toml: ")
    for part in ("colour: unknown key", "area: give west, south, east, north", "elevation.vertical_error_m:",
                 "candidates.0.mode:", "criteria.0.best:", "question: is missing"):  # fmt: skip
        assert part in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda c: c.update(destination=c["origin"]), "destination: is the origin ('Horadiz')"),
        (lambda c: c.update(baseline="none"), "baseline: 'none' is none of osm-2021-08, documented-2026"),
        (lambda c: c["candidates"].append(c["candidates"][0]), "candidates: id 'aras-rail' stands twice"),
        (lambda c: c["criteria"][0].update(best=2000), "best and worst must differ"),
        (lambda c: c.update(folder="/tmp"), "folder: unknown key"),
        (lambda c: c["candidates"][0].update(family="ship"), "candidates.0:"),
    ],
)
def test_faults_across_fields(change, says):
    broken = content()
    change(broken)
    with pytest.raises(StudyError) as caught:
        build(broken)
    assert says in str(caught.value)


def test_paths_can_t_climb_out_of_the_package():
    with pytest.raises(StudyError, match="leads out of the packaged data"):
        Study.bundled("syunik").path("package:../../etc/passwd")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id = ", "is not valid TOML"),
        ("[[[", "is not valid TOML"),
        ("x = " + "[" * 5000, "is not valid TOML"),
        ("", "id: is missing"),
    ],
)
def test_text_that_is_no_study(tmp_path, text, says):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(StudyError, match=says):
        Study.load(tmp_path / "s.toml")


def test_missing_and_unknown_studies(tmp_path):
    with pytest.raises(StudyError, match="no such file"):
        Study.load(tmp_path / "none.toml")
    with pytest.raises(StudyError, match="there are: syunik"):
        Study.bundled("nowhere")


@pytest.mark.parametrize(
    ("name", "option"), [("region.osm.pbf", "--osm"), ("map.OSM", "--osm"), ("N39E046.hgt", "--dem")]
)
def test_data_given_as_a_study_is_named_with_its_option(tmp_path, name, option):
    (tmp_path / name).write_bytes(b"\x00\xff" * 99)
    with pytest.raises(StudyError, match=f"{name}: is data, not a study; give it with {option} "):
        Study.find(tmp_path / name)


def test_a_list_with_a_fault_is_not_told_to_be_empty_too():
    broken = content()
    for baseline in broken["baselines"]:
        baseline["as_of"] = "some day"
    with pytest.raises(StudyError) as caught:
        build(broken)
    assert str(caught.value).count("; ") == len(broken["baselines"]) - 1


def test_another_baseline():
    study = Study.bundled("syunik")
    assert study.on_baseline("osm-2021-08").chosen_baseline.as_of == "2021-08"
    with pytest.raises(StudyError, match="'now' is none of osm-2021-08, documented-2026"):
        study.on_baseline("now")


def test_a_study_is_run_again_by_the_name_that_it_was_read_under(tmp_path):
    assert Study.bundled("syunik").asked_as == "syunik"
    path = synthetic.build(tmp_path / "midland").rename(tmp_path / "midland" / "mine.toml")
    found = Study.load(path)
    assert (found.id, found.asked_as) == ("midland", "mine.toml")
    assert found.with_candidates().asked_as == found.on_baseline("now").asked_as == "mine.toml"
