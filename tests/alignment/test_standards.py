"""The reference standards load, and wrong ones are refused by name."""

import pytest

from corridor.alignment.problem import find_standard, load_standards
from corridor.errors import AlignmentError, CatalogueError


def test_the_reference_file_has_the_grades_and_radii_of_its_sources():
    standards = load_standards()
    rail = {s.max_grade_up_pct for s in standards.values() if s.mode == "rail"}
    assert rail == {1.2, 1.5, 1.8, 2.0, 2.5, 3.0}
    road = {s.speed_kmh: (s.max_grade_up_pct, s.min_radius_m) for s in standards.values() if s.mode == "road"}
    assert road[120] == (4.0, 800)
    assert road[80] == (6.0, 300)
    assert road[30] == (10.0, 30)
    assert all(s.source_id and s.confidence in "HML" for s in standards.values())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[standard.x]\nmode = 'tram'", "mode must be rail or road"),
        ("[standard.x]\nmode = 'rail'\nlabel = 'x'\nmax_grade_pct = 'steep'", "must be a number"),
        ("[standard.x]\nmode = 'rail'\nspeed = 3", "unknown field speed"),
        ("[standard.x]\nmode = 'rail'\nlabel = 'x'", "a field is missing"),
        (
            "[standard.x]\nmode = 'rail'\nlabel = 'x'\nmax_grade_pct = -1\nmin_radius_m = 1\nvertical_radius_m = 1",
            "max_grade_up_pct must be above 0",
        ),
        ("[standard", "TOML"),
    ],
)
def test_faults_name_entry_and_field(tmp_path, text, message):
    file = tmp_path / "standards.toml"
    file.write_text(text)
    with pytest.raises(CatalogueError, match=message):
        load_standards(file)


def test_an_unknown_standard_lists_those_there_are():
    with pytest.raises(AlignmentError, match="rail-12"):
        find_standard("rail-99")
