"""New lines between places of the bundled study, against what is known of the ground."""

from __future__ import annotations

import json
import sys

import pytest
import shapely

import corridor
from corridor.alignment.alternatives import overlap
from corridor.alignment.standards import unit_costs
from corridor.cli import main
from corridor.errors import AlignmentError, CatalogueError, CoverageError, SourceError, StudyError
from corridor.geo.geodesy import WGS84, line_lengths_m, project
from corridor.io.read.borders import read_borders
from corridor.pipeline.new_line import describe_new_line, find_new_line, write_new_line

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def study():
    return corridor.Study.bundled("syunik")


@pytest.fixture(scope="module")
def base_tunnel(study):
    return find_new_line(study, "Kapan", "38.9096,46.0227", "rail-12")


def test_kapan_ordubad_at_twelve_per_mille_is_a_base_tunnel_or_goes_round(base_tunnel):
    """At 35 million dollars a km of tunnel, near the 30 up to which it pays to bore through."""
    line = base_tunnel.alignment
    assert line.max_grade_pct <= 1.2 + 1e-6
    if line.longest_tunnel_km > 40:
        assert line.longest_tunnel_km == pytest.approx(46.5, abs=2)
    else:
        assert line.length_km > 100


def test_mincivan_julfa_keeps_to_the_aras(study):
    new = find_new_line(study, "Mincivan", "38.954,45.6296", "rail-25")
    assert new.alignment.length_km == pytest.approx(115, abs=8)
    features = json.loads((write_new_line(new, _folder(study))).read_text())["features"]
    line = shapely.geometry.shape(features[0]["geometry"])
    assert shapely.bounds(line)[1] == pytest.approx(38.84, abs=0.05)


def test_a_line_keeps_to_the_countries_that_it_may_pass(study):
    """On curves too, along a border that is a river."""
    new = find_new_line(study, "Mincivan", "38.954,45.6296", "rail-12", countries=["AM", "AZ"])
    line = new.alignment
    assert 1.0 <= line.search_price_musd / line.unconstrained_price_musd <= 1.06
    flat = project(shapely.linestrings(line.line[:, :2]), line.crs, WGS84)
    borders = read_borders(study.path(study.sources.borders))
    home = shapely.union_all([borders.polygon(code) for code in ("AM", "AZ")])
    abroad = shapely.difference(flat, home)
    assert line_lengths_m(shapely.get_parts(abroad)).sum() < 150 * line.length_km
    assert home.buffer(0.01).covers(flat)  # a cell: the border runs between nodes
    assert line.snapped_m == pytest.approx((0.0, 0.0), abs=1e-6)
    with pytest.raises(SourceError, match="no country 'QQ'"):
        find_new_line(study, "Mincivan", "38.954,45.6296", "rail-12", countries=["QQ"])


def _folder(study):
    import tempfile
    from pathlib import Path

    return Path(tempfile.mkdtemp()) / study.id


def test_files_hold_what_was_found(base_tunnel, tmp_path):
    path = write_new_line(base_tunnel, tmp_path / "new")
    facts = json.loads((tmp_path / "new" / "alignment.json").read_text())
    assert facts == json.loads(json.dumps(describe_new_line(base_tunnel)))
    parts = facts["cost_musd_by_kind"]
    for end in ("low", "mid", "high"):
        assert facts["cost_musd"][end] >= sum(part[end] for part in parts.values()) - 1e-6
    features = json.loads(path.read_text())["features"]
    assert {f["properties"]["kind"] for f in features} >= {"line"}
    assert all(len(point) == 3 for point in features[0]["geometry"]["coordinates"])
    assert "<svg" in (tmp_path / "new" / "profile.svg").read_text(encoding="utf-8")
    assert not list((tmp_path / "new").glob(".*"))


def test_bad_input_is_said(study):
    with pytest.raises(AlignmentError, match="rail-7"):
        find_new_line(study, "Kapan", "Ordubad", "rail-7")
    with pytest.raises(StudyError, match="did you mean Ordubad"):
        find_new_line(study, "Kapan", "Ordubat", "rail-18")
    with pytest.raises(CoverageError, match="FROM and TO"):
        find_new_line(study, "Kapan", "10.0,10.0", "rail-18")
    with pytest.raises(AlignmentError, match="no point on Earth"):
        find_new_line(study, "Kapan", "95.0,10.0", "rail-18")
    with pytest.raises(AlignmentError, match="under two cells"):
        find_new_line(study, "39.2076,46.4068", "39.2080,46.4070", "rail-18")
    with pytest.raises(AlignmentError, match="no row for rail surface, bridge, tunnel"):
        unit_costs([], "rail")


def test_the_command_sweeps_and_writes(monkeypatch, tmp_path, capsys):
    argv = ["corridor", "align", "Goris", "Sisian", "-s", "road-80", "--sweep", "tunnel-price", "--countries", "am"]
    argv += ["--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", argv)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 0
    assert "alignment.geojson" in capsys.readouterr().out
    rows = (tmp_path / "tradeoff.csv").read_text().splitlines()
    assert len(rows) == 7
    tunnels = [float(row.split(",")[rows[0].split(",").index("tunnel_km")]) for row in rows[1:]]
    assert tunnels[0] >= tunnels[-1]
    assert (tmp_path / "tradeoff.svg").read_text().startswith("<?xml")


def test_other_lines_draws_of_the_heights_and_an_old_formation(study, tmp_path):
    new = find_new_line(study, "Goris", "Sisian", "road-60", alternatives=1, draws=2)
    plain = find_new_line(study, "Goris", "Sisian", "road-60")
    assert new.alignment.price.total_musd == pytest.approx(plain.alignment.price.total_musd)
    for other in new.alternatives:
        assert 1.0 <= other.price.total_musd / new.alignment.price.total_musd <= 1.5
        assert overlap(other.line, new.alignment.line) <= 0.5
    spread = new.spread["cost_musd"]
    assert 0 < spread.low <= spread.median <= spread.high
    assert spread.found <= spread.draws == 2
    features = json.loads(write_new_line(new, tmp_path).read_text())["features"]
    assert [f["properties"]["kind"] for f in features].count("alternative") == len(new.alternatives)
    told = json.loads((tmp_path / "alignment.json").read_text())
    assert told["spread"]["cost_musd"]["draws"] == 2
    assert plain.alternatives == ()
    assert describe_new_line(plain)["spread"] == {}


def test_an_old_formation_is_taken_over_where_that_is_cheaper(study):
    plain = find_new_line(study, "Meghri", "38.9096,46.0227", "rail-18")
    reused = find_new_line(study, "Meghri", "38.9096,46.0227", "rail-18", reuse=["rail-meghri", "rail-border-ordubad"])
    assert plain.alignment.price.reused_km == 0
    assert reused.alignment.price.reused_km > 5
    assert reused.alignment.price.total_musd < plain.alignment.price.total_musd


def test_a_section_that_cant_be_taken_over_is_said(study):
    with pytest.raises(AlignmentError, match="reuse: section 'm2-tashtun-meghri' is a road, standard rail-18 isn't"):
        find_new_line(study, "Meghri", "38.9096,46.0227", "rail-18", reuse=["m2-tashtun-meghri"])
    with pytest.raises(CatalogueError, match="reuse: no section 'rail-megri'"):
        find_new_line(study, "Meghri", "38.9096,46.0227", "rail-18", reuse=["rail-megri"])
