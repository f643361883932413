"""Results opened again, and held against others: what changed is told with its reasons, and nothing else."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import shapely

import corridor
from corridor.errors import OutputError, ScoringError, SourceError
from tests.command import run_command
from tests.hostile.test_results_of_others import changed, one_line
from tests.synthetic.study import build


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study") / "new"
    return corridor.compare(corridor.Study.load(build(folder)), osm=folder / "map.osm")


@pytest.fixture(scope="module")
def written(compared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("results") / "one"
    compared.write(folder)
    return folder


@pytest.fixture
def copied(written, tmp_path):
    return shutil.copytree(written, tmp_path / "copy")


def test_opened_results_are_those_of_the_run(compared, written):
    opened = corridor.load_results(written)
    assert list(opened.candidates["candidate_id"]) == list(compared.candidates["candidate_id"])
    for mine, theirs in zip(opened.candidates.geometry, compared.candidates.geometry, strict=True):
        assert shapely.hausdorff_distance(mine, theirs) < 1e-6  # files hold seven decimals
    assert opened.metrics["length_km"].tolist() == pytest.approx(compared.metrics["length_km"].tolist())
    mine, theirs = opened.rank("short"), compared.rank("short")
    scores = theirs.set_index("candidate_id")["score"].to_dict()  # by id: two that tie may stand in either order
    assert mine.set_index("candidate_id")["score"].to_dict() == pytest.approx(scores, nan_ok=True)
    assert opened.facts["study"] == compared.study.id
    assert {item["id"] for item in opened.inputs} == {source.source_id for source in compared.results.sources}
    assert len(opened.ranking) == len(compared.results.ranking)
    assert "Over the ridge" in opened.explore().get_root().render()
    assert len(opened.plot(candidates=["ridge"]).lines) == 1
    assert "Over the ridge" in opened._repr_html_()
    with pytest.raises(OutputError, match="no candidate 'rigde'; there are: ridge"):
        opened.explore(candidates=["rigde"])
    with pytest.raises(ScoringError, match="regime 'open' is unknown; the study has none"):
        opened.rank(regime="open")


def test_opened_results_have_the_heights_and_the_relief_of_the_run(compared, written, copied):
    opened = corridor.load_results(written)
    for key, profile in compared.results.profiles.items():
        read = opened.profiles[key]
        assert read["chainage_km"].iloc[-1] == pytest.approx(compared.candidate(key).drawn_km, rel=1e-5)
        # the track keeps the profile within a metre
        heights = np.interp(read["chainage_km"], profile.chainage_km, profile.height_m)
        assert np.abs(read["height_m"] - heights).max() < 1.5
    axes = opened.plot_profiles()
    drawn = [line.get_label() for line in axes.get_lines() if not line.get_label().startswith("_")]
    assert len(drawn) == len(opened.candidates)
    assert "data:image/webp;base64," in opened.explore().get_root().render()
    assert "data:image/webp;base64," not in opened.explore(tiles="OpenStreetMap").get_root().render()
    (copied / "candidates.gpx").unlink()
    (copied / "comparison.html").unlink()
    with pytest.raises(SourceError, match=r"has no profiles, which stand in candidates\.gpx; run it again"):
        corridor.load_results(copied).plot_profiles()
    assert "data:image/webp;base64," not in corridor.load_results(copied).explore().get_root().render()


def test_a_run_doesnt_differ_from_itself(compared, written, copied):
    for before, after in ((written, copied), (compared, written), (corridor.load_results(copied), compared)):
        found = corridor.diff(before, after)
        assert not found, {name: table.to_dict("records") for name, table in found.tables().items()}


def test_comparisons_with_ranks_that_nobody_knows_are_held_against_each_other(bundled):
    """Where metrics are undetermined a rank is missing, and missing on both sides is the same."""
    assert bundled.results.metrics["candidate_id"].is_unique is False
    assert not corridor.diff(bundled, bundled)


def test_a_text_of_digits_is_the_same_in_a_run_and_in_its_files(bundled, tmp_path):
    bundled.write(tmp_path / "written", formats="geojson")
    found = corridor.diff(bundled, tmp_path / "written")
    assert not found, found.figures.to_dict("records")


def test_what_changed_is_told_and_how_far(written, copied, monkeypatch, capsys):
    """The ridge grows by 40 km, far beyond its interval; the valley's way loses its first place by that criterion."""
    table = (copied / "metrics.csv").read_text().splitlines()
    at = table[0].split(",").index("length_km")
    row = next(i for i, line in enumerate(table) if line.startswith("ridge,"))
    cells = table[row].split(",")
    was = float(cells[at])
    cells[at : at + 3] = [str(was + 40), str(was + 39), str(was + 41)]
    table[row] = ",".join(cells)
    (copied / "metrics.csv").write_text("\n".join(table) + "\n")
    manifest = json.loads((copied / "manifest.json").read_text())
    manifest["inputs"][0]["sha256"] = "0" * 64
    (copied / "manifest.json").write_text(json.dumps(manifest))
    found = corridor.diff(written, copied)
    assert found.inputs["what"].tolist() == [f"data: {manifest['inputs'][0]['id']}"]
    (figure,) = found.figures.to_dict("records")
    assert (figure["candidate_id"], figure["figure"]) == ("ridge", "length_km")
    assert figure["after"] - figure["before"] == pytest.approx(40)
    assert figure["beyond"]
    code, said, _ = run_command(monkeypatch, capsys, "diff", written, copied)
    assert code == 0
    assert "length_km" in said
    assert run_command(monkeypatch, capsys, "diff", written, copied, "--exit-code")[0] == 1
    assert run_command(monkeypatch, capsys, "diff", written, written, "--exit-code")[:2] == (0, "the same\n")


def test_a_change_within_the_interval_isnt_beyond_it(written, copied):
    """Ascent has an interval from the heights' error: a metre more lies inside."""
    table = (copied / "metrics.csv").read_text().splitlines()
    at = table[0].split(",").index("ascent_m")
    row = next(i for i, line in enumerate(table) if line.startswith("ridge,"))
    cells = table[row].split(",")
    assert float(cells[at + 1]) < float(cells[at]) + 0.001 < float(cells[at + 2])
    cells[at] = str(float(cells[at]) + 0.001)
    table[row] = ",".join(cells)
    (copied / "metrics.csv").write_text("\n".join(table) + "\n")
    found = corridor.diff(written, copied)
    assert found.figures["beyond"].tolist() == [False]
    assert not found.tables(beyond_only=True)["figures"].size


def test_an_unknown_that_became_wider_has_changed_and_is_told_by_its_ends(written, copied, tmp_path):
    """Without a middle the ends of the ridge's ascent are all that is known of it."""

    def unknown(folder, low, high):
        table = (folder / "metrics.csv").read_text().splitlines()
        at = table[0].split(",").index("ascent_m")
        row = next(i for i, line in enumerate(table) if line.startswith("ridge,"))
        cells = table[row].split(",")
        cells[at : at + 3] = ["", str(low), str(high)]
        table[row] = ",".join(cells)
        (folder / "metrics.csv").write_text("\n".join(table) + "\n")
        return folder

    def figures(before, after):
        return [
            (row["figure"], row["before"], row["after"])
            for row in corridor.diff(before, after).figures.to_dict("records")
        ]

    wide = unknown(shutil.copytree(written, tmp_path / "wide"), 100, 1500)
    narrow = unknown(copied, 100, 900.5)
    assert figures(narrow, wide) == [("ascent_m", "[100, 900.5]", "[100, 1500]")]
    assert figures(wide, wide) == []
    ((_, known, told),) = figures(written, narrow)
    assert (told, known.split(" [")[0] != "") == ("[100, 900.5]", True)
    # What both can be isn't beyond either; where there is nothing that both can be, it is.
    assert corridor.diff(narrow, wide).figures["beyond"].tolist() == [False]
    far = unknown(shutil.copytree(written, tmp_path / "far"), 901, "")
    assert figures(far, far) == []
    assert corridor.diff(narrow, far).figures["beyond"].tolist() == [True]
    assert figures(far, unknown(wide, 950, "")) == [("ascent_m", "[901, ?]", "[950, ?]")]


def test_a_range_that_became_wider_about_the_same_middle_has_changed(written, copied):
    table = (copied / "metrics.csv").read_text().splitlines()
    at = table[0].split(",").index("ascent_m")
    row = next(i for i, line in enumerate(table) if line.startswith("ridge,"))
    cells = table[row].split(",")
    middle, _, high = (float(cell) for cell in cells[at : at + 3])
    cells[at + 2] = str(high + 500)
    table[row] = ",".join(cells)
    (copied / "metrics.csv").write_text("\n".join(table) + "\n")
    (figure,) = corridor.diff(written, copied).figures.to_dict("records")
    assert figure["figure"] == "ascent_m"
    assert figure["after"].startswith(f"{middle:g} [")
    assert figure["after"].endswith(f", {high + 500:g}]")
    assert figure["before"] != figure["after"]
    assert not figure["beyond"]


def test_ranks_that_change_say_why(written, copied):
    table = (copied / "ranking.csv").read_text().splitlines()
    columns = table[0].split(",")
    row = next(i for i, line in enumerate(table) if line.startswith("ridge,") and line.endswith(",short"))
    cells = table[row].split(",")
    for name in ("rank", "rank_best", "rank_worst", "ranks"):
        cells[columns.index(name)] = "9"
    part = columns.index("contribution:length")
    cells[part] = str(float(cells[part]) - 0.25)
    table[row] = ",".join(cells)
    (copied / "ranking.csv").write_text("\n".join(table) + "\n")
    (found,) = corridor.diff(written, copied).ranks.to_dict("records")
    assert (found["perspective"], found["candidate_id"], found["after"]) == ("short", "ridge", "9")
    assert found["why"] == "length -0.250"


def test_a_rank_that_moves_by_what_isnt_known_is_no_matter_of_others(written, copied):
    """An unknown figure has no contribution: only the ends of the score tell that it moved."""
    table = (copied / "ranking.csv").read_text().splitlines()
    columns = table[0].split(",")
    row = next(i for i, line in enumerate(table) if line.startswith("ridge,") and line.endswith(",short"))
    cells = table[row].split(",")
    changed = {"rank": "", "rank_best": "1", "rank_worst": "2", "ranks": "1-2", "score": "", "undetermined": "ascent"}
    for name, cell in (changed | {"score_low": "0.25", "score_high": "0.75"}).items():
        cells[columns.index(name)] = cell
    table[row] = ",".join(cells)
    (copied / "ranking.csv").write_text("\n".join(table) + "\n")
    (found,) = corridor.diff(written, copied).ranks.to_dict("records")
    assert found["after"] == "1-2"
    assert found["why"].endswith("and is now 0.250 to 0.750")


def test_notes_that_came_or_went_are_told_by_what_they_are_about(compared, written, copied, monkeypatch, capsys):
    manifest = json.loads((copied / "manifest.json").read_text())
    said = manifest["notes"]
    ridge = list(compared.candidate("ridge").assumptions)
    assert len(said["assumptions: ridge"]) == len(ridge) > 0
    went = said["assumptions: ridge"].pop(0)
    said["heights"].append("the heights are of another year")
    said["statuses of old"] = ["one status is old"]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    found = corridor.diff(written, copied)
    assert found.tables()["notes"].to_numpy().tolist() == [
        ["heights", "", "the heights are of another year"],
        ["assumptions: ridge", went, ""],
        ["statuses of old", "", "one status is old"],
    ]
    assert len(found.inputs) == len(found.routes) == len(found.figures) == len(found.ranks) == 0
    assert corridor.diff(copied, compared).notes["after"].tolist() == ["", went, ""]
    code, told, _ = run_command(monkeypatch, capsys, "diff", written, copied, "--exit-code")
    assert code == 1
    assert went[:20] in told


def test_notes_of_a_run_that_wrote_none_down_are_not_taken_for_none(written, copied):
    manifest = json.loads((copied / "manifest.json").read_text())
    del manifest["notes"]
    (copied / "manifest.json").write_text(json.dumps(manifest))
    for pair in ((copied, written), (written, copied)):
        (row,) = corridor.diff(*pair).notes.to_dict("records")
        assert row["about"] == "all"
        assert row["before" if pair[0] is copied else "after"] == "not in the files of this run"
    assert not corridor.diff(copied, copied)


def test_a_route_of_one_run_alone_is_told_by_its_id(written, copied):
    lines = (copied / "metrics.csv").read_text().splitlines()
    kept = [line for line in lines if not line.startswith("valley,")]
    (copied / "metrics.csv").write_text("\n".join(kept) + "\n")
    found = corridor.diff(written, copied)
    assert found.routes[["candidate_id", "after"]].to_numpy().tolist() == [["valley", ""]]


def test_files_of_others_are_refused_in_one_line(written, tmp_path):
    content = json.loads((written / "candidates.geojson").read_text())
    content["features"] = content["features"][:1]
    content["features"][0]["geometry"]["coordinates"] = [[10, 45], [11, 45]]
    folder = shutil.copytree(written, tmp_path / "odd")
    opened, shown = corridor.load_results(folder), []
    for path, odd in changed(content):
        (folder / "candidates.geojson").write_text(json.dumps(odd))
        # opened anew but for its tables, which are the same each time: candidates are read when they are asked for
        fresh = replace(opened)
        assert "candidates" not in vars(fresh)
        shown.append(one_line(lambda fresh=fresh: fresh.explore().get_root().render()))
        assert path
    assert {bool(said) for said in shown} == {False, True}
    (folder / "candidates.geojson").unlink()
    assert len(corridor.load_results(folder).candidates) == 5  # from the GeoParquet beside it
    (folder / "candidates.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    with pytest.raises(SourceError, match=r"candidates\.parquet: isn't a layer"):
        _ = corridor.load_results(folder).candidates
    (folder / "findings.json").write_text('[{"candidate_id": 3}]')
    with pytest.raises(SourceError, match=r"findings\.json: isn't what"):
        _ = corridor.load_results(folder).findings


def test_what_holds_no_results_is_said(tmp_path, monkeypatch, capsys):
    code, _, said = run_command(monkeypatch, capsys, "diff", tmp_path, tmp_path / "none")
    assert code == 2
    assert "has no manifest.json; give the folder that `corridor run` wrote" in said
    with pytest.raises(SourceError, match="diff: int holds no results"):
        corridor.diff(3, tmp_path)
