"""Ways to spoil the made-up study, each with what the one line of the refusal must say."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

from corridor.io.read.border_delays import COLUMNS
from tests.synthetic.ground import write_dem
from tests.synthetic.osm import STREETS, WAYS, write_osm
from tests.synthetic.study import IMPACT, NAME, OPENED, RIDGE, STUDY, write_study

# Spoils the study in a folder and gives the words to add to the command line.
Change = Callable[[Path], list[str]]


def osm(name: str, content: bytes | None) -> Change:
    """Give the command an OpenStreetMap file of these bytes; None gives it none."""

    def change(folder: Path) -> list[str]:
        if content is not None:
            (folder / name).write_bytes(content)
        return ["--osm", str(folder / name)]

    return change


def truncated(name: str) -> Change:
    """Give it the first half of a sound file in the format of the name's ending."""

    def change(folder: Path) -> list[str]:
        import osmium

        path = folder / name
        with osmium.SimpleWriter(str(path)) as writer:
            for item in osmium.FileProcessor(str(folder / "map.osm")):
                writer.add(item)
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return ["--osm", str(path)]

    return change


def ways(points: list) -> Change:
    return lambda folder: ["--osm", str(write_osm(folder / "other.osm", points))]


def perspective(groups: str) -> Change:
    """A file of perspectives with one alone, the study's default."""
    return file("perspectives.toml", f'[equal]\nlabel = "x"\nweights_from = "y"\ngroups = {groups}\n'.encode())


def dem(**options: object) -> Change:
    return lambda folder: ["--dem", str(write_dem(folder / "other.tif", **options))]


def dem_bytes(content: bytes) -> Change:
    def change(folder: Path) -> list[str]:
        (folder / "other.tif").write_bytes(content)
        return ["--dem", str(folder / "other.tif")]

    return change


def far_dem(folder: Path) -> list[str]:
    """Heights of another continent."""
    import numpy as np
    import rasterio

    path = folder / "far.tif"
    transform = rasterio.Affine(0.01, 0, 100.0, 0, -0.01, 10.0)
    options = {"driver": "GTiff", "dtype": "float32", "count": 1, "height": 9, "width": 9, "crs": "EPSG:4326"}
    with rasterio.open(path, "w", transform=transform, **options) as raster:
        raster.write(np.ones((9, 9), np.float32), 1)
    return ["--dem", str(path)]


def study(*pairs: tuple[str, str]) -> Change:
    """Replace pieces of the study's text."""

    def change(folder: Path) -> list[str]:
        write_study(folder, dict(pairs))
        return []

    return change


def file(name: str, content: bytes | None) -> Change:
    """Put another content into one of the study's files, or take it away."""

    def change(folder: Path) -> list[str]:
        if content is None:
            (folder / name).unlink()
        else:
            (folder / name).write_bytes(content)
        return []

    return change


def table(name: str, *pairs: tuple[str, str]) -> Change:
    """Replace pieces of one of the catalogue's tables."""

    def change(folder: Path) -> list[str]:
        path = folder / "reference" / f"{name}.csv"
        text = path.read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")
        return []

    return change


def regime(old: str, new: str) -> Change:
    """Replace a piece of the regimes' text in a study that measures impacts; ``{}`` stands for any minutes."""

    def change(folder: Path) -> list[str]:
        path = folder / "regimes.toml"
        text = path.read_text(encoding="utf-8")
        pattern = re.escape(old).replace(r"\{\}", r"\{[^}\n]*\}")
        text, count = re.subn(pattern, lambda _: new, text, count=1)
        if not count:
            raise ValueError(f"the regimes say nothing like {old!r}")
        path.write_text(text, encoding="utf-8")
        return impact("[impact]", "[impact]")(folder)

    return change


def length(km: str) -> Change:
    """Document the length of the first section, which is drawn with 23.4 km from end to end."""
    return several(*(cell("sections.csv", f"length_km_{end}", km) for end in ("low", "mid", "high")))


def several(*changes: Change) -> Change:
    """Do some changes one after another."""
    return lambda folder: [fault for change in changes for fault in change(folder)]


def cell(table: str, column: str, value: str) -> Change:
    """Put another value into the first row of one of the catalogue's tables."""

    def change(folder: Path) -> list[str]:
        path = folder / "reference" / table
        with path.open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream))
        rows[0][column] = value
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        return []

    return change


def again(name: str, old: str, new: str) -> Change:
    """Let the first row of one of the catalogue's tables stand a second time, with another figure."""

    def change(folder: Path) -> list[str]:
        path = folder / "reference" / f"{name}.csv"
        head, first, rest = path.read_text(encoding="utf-8").split("\n", 2)
        assert old in first
        path.write_text("\n".join((head, first, first.replace(old, new), rest)), encoding="utf-8")
        return []

    return change


def delays(**cells: str) -> Change:
    """Give the catalogue a table of border delays with one row."""
    row = dict.fromkeys(COLUMNS.split(), "") | {
        "point": "ridge-gate-west", "country": "XA", "direction": "both", "mode": "road", "year": "2020",
        "hours_mid": "4", "basis": "declared", "source_ids": "made-up", "as_of": "2020", "confidence": "L",
    } | cells  # fmt: skip

    def change(folder: Path) -> list[str]:
        if "hours_p95" in cells or "year" in cells:  # else the crossing has a delay of its own, too
            cell("crossings.csv", "delay_min_low", "")(folder)
            cell("crossings.csv", "delay_min_mid", "")(folder)
            cell("crossings.csv", "delay_min_high", "")(folder)
        with (folder / "reference" / "border_delays.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerow(row)
        return []

    return change


def impact(old: str, new: str) -> Change:
    """Let the study measure impacts, with a piece of what it says of them replaced."""

    def change(folder: Path) -> list[str]:
        if old not in IMPACT:
            raise ValueError(f"the study says nothing like {old!r} of impacts")
        (folder / NAME).write_text(STUDY + IMPACT.replace(old, new), encoding="utf-8")
        return []

    return change


def capital_abroad(folder: Path) -> list[str]:
    """Measure access to the study's destination, which lies beyond the focus."""
    path = folder / NAME
    path.write_text(path.read_text(encoding="utf-8").replace('capital = "Dalemoor"', 'capital = "Corvo"'), "utf-8")
    return []


ORIGIN = 'origin = { name = "Aster", lon = 10.1, lat = 45.5, country = "XA" }'
CASES: dict[str, tuple[Change, list[str]]] = {
    # OpenStreetMap files
    "missing pbf": (osm("none.osm.pbf", None), ["none.osm.pbf: no such file"]),
    "empty pbf": (osm("a.osm.pbf", b""), ["a.osm.pbf: is empty"]),
    "text named pbf": (osm("a.osm.pbf", b"hello, this is no map\n" * 50), ["a.osm.pbf: not readable as OpenStreetMap"]),
    "bytes named pbf": (osm("a.pbf", bytes(range(256)) * 9), ["a.pbf: not readable as OpenStreetMap"]),
    "truncated pbf": (truncated("half.osm.pbf"), ["half.osm.pbf: not readable as OpenStreetMap"]),
    "truncated xml": (truncated("half.osm"), ["half.osm: not readable as OpenStreetMap"]),
    "unknown ending": (osm("map.shp", b"x" * 99), ["map.shp: not readable as OpenStreetMap"]),
    "a folder": (lambda folder: ["--osm", str(folder)], ["is a folder"]),
    "no roads": (ways([([(10.1, 45.5), (10.2, 45.5)], {"barrier": "wall"})]), ["holds no road and no railway"]),
    "class without speed": (
        ways([*WAYS, *STREETS, ([(10.1, 45.5), (10.1, 45.6)], {"highway": "living_street"})]),
        ["speeds.csv: no speed for road living_street; add a row"],
    ),
    "other ground": (
        ways([([(10.05, 45.9), (10.9, 45.9)], {"highway": "primary"})]),
        ["origin Aster", "km off, the limit is 2 km"],
    ),
    # elevation
    "missing dem": (lambda folder: ["--dem", str(folder / "no.tif")], ["no.tif: no such file"]),
    "text named tif": (dem_bytes(b"hello\n" * 99), ["other.tif: not readable as an elevation raster"]),
    "truncated tif": (
        lambda folder: dem_bytes((folder / "heights.tif").read_bytes()[:9000])(folder),
        ["other.tif: not readable as an elevation raster"],
    ),
    "dem without crs": (dem(crs=None), ["other.tif: has no coordinate reference system; set one"]),
    "dem elsewhere": (far_dem, ["far.tif: doesn't reach the study area"]),
    "dem of half the area": (dem(east=10.6), ["other.tif: doesn't reach 45.", "candidate 'ridge'", "--dem"]),
    "nodata along a route": (dem(hole=True), ["other.tif: has no height at 45.500 N 10.5", "candidate 'ridge'"]),
    "no dem named": (study(('["heights.tif"]', "[]")), ["sources.elevation is empty and no --dem was given"]),
    # the study file
    "not toml": (file(NAME, b"this is = = not toml"), [f"{NAME}: is not valid TOML"]),
    "not text": (file(NAME, b"\xff\xfe\x00\x01"), [f"{NAME}: is not valid TOML"]),
    "no study": (file(NAME, None), [f"{NAME}: no such file"]),
    "many faults": (
        study(
            ('question = "Which way leads from Aster to Corvo?"\n', 'colour = "red"\n'),
            ("vertical_error_m = 10.0", "vertical_error_m = -1"),
            ("area = [10.0, 45.0, 11.0, 46.0]", "area = [11.0, 45.0, 10.0, 46.0]"),
            ('mode = "rail"', 'mode = "boat"'),
            ("worst = 150", 'worst = "far"'),
        ),
        ["question: is missing", "colour: unknown key", "elevation.vertical_error_m:", "area:", "candidates.2.mode:",
         "criteria.0.worst:"],
    ),
    "sources of other kinds": (
        study(('reference = "reference"', 'reference = 5\nosm = "https://example.org/map.osm"')),
        ["midland.toml: sources.reference: write a text in quotes (given: 5)",
         "sources.osm: 'https://example.org/map.osm' is an address; name a file, or"],
    ),
    "an area of five numbers": (
        study(("area = [", "area = [1, ")), ["midland.toml: area: has too many items (at most 4) (given: ["],
    ),
    "unknown place": (study(('"Corvo"', '"Corvu"')), ["destination: no place is called 'Corvu'; did you mean Corvo"]),
    "unknown places": (
        study(('"Dalemoor"', '"Dalmoor"'), ('"Corvo"', '"Nowhere"')),
        ["destination: no place is called 'Nowhere'; give", "capital: no place is called 'Dalmoor'; did you mean Dale"],
    ),
    "place outside the area": (
        study((ORIGIN, ORIGIN.replace("10.1", "12.1"))), ["origin: Aster (45.500 N 12.100 E) lies outside"],
    ),
    "origin the other way round": (
        study((ORIGIN, ORIGIN.replace("10.1", "x").replace("45.5", "10.1").replace("x", "45.5"))),
        ["origin: Aster (10.100 N 45.500 E) lies outside the study's area; are latitude and longitude swapped?"],
    ),
    "origin nowhere": (
        study((ORIGIN, ORIGIN.replace("10.1", "nan"))),
        ["midland.toml: origin.lon: must be a finite number (given: nan)\n"],
    ),
    "anchors as good as equal": (
        study(("best = 50\nworst = 150", "best = 0\nworst = 5e-324")),
        ["criteria.0: best and worst must differ (by 1e-09 at least)"],
    ),
    "origin is destination": (study(('"Corvo"', '"Aster"')), ["destination: is the origin"]),
    "origin is destination by place": (
        study((ORIGIN, ORIGIN.replace("Aster", "Elsewhere").replace("10.1", "10.9"))), ["destination: is the origin"],
    ),
    "no way": (
        study((f"assume_open = {OPENED}", "assume_open = []")),
        ["candidates 'driven': no open road from Aster to Corvo in XA, XB, XC", "gaps: 0.4 km at 45.300 N 10.645 E, 0"],
    ),
    "no way for want of a country": (
        study(('countries = ["XA", "XB", "XC"]', 'countries = ["XA", "XC"]')),
        ["no open road from Aster to Corvo in XA, XC; name a crossing or section in assume_open, or allow a country"],
    ),
    "no way but over closed borders": (
        lambda folder: study((f"assume_open = {OPENED}", "assume_open = []"))(folder)
        + table("sections", ("primary,planned", "primary,open"))(folder),
        ["no open road from Aster to Corvo in XA, XB, XC (closed borders alone are in the way)"],
    ),
    "unknown assumption": (
        study((f"assume_open = {OPENED}", 'assume_open = ["bridge-gap"]')),
        ["candidates 'driven': assume_open: 'bridge-gap' is neither a section nor a crossing"],
    ),
    "unknown section": (study((str(RIDGE), str(["ridge-west", "ridge-upp"]))), ["candidate 'ridge'", "'ridge-upp'"]),
    "unknown level section": (study(('["rail-west"]', '["rail-wast"]')), ["elevation.level_sections", "'rail-wast'"]),
    "gap in a chain": (
        study((str(RIDGE), str([key for key in RIDGE if key != "ridge-gap"]))),
        ["candidate 'ridge': gap between sections 'ridge-down' and 'ridge-end'"],
    ),
    "chain of another mode": (study(('mode = "rail"', 'mode = "road"')), ["candidate 'railway': sections of another"]),
    "chain that ends early": (
        study((str(RIDGE), str(RIDGE[:-1]))), ["candidate 'ridge': its sections end 15.6 km from Corvo"],
    ),
    "unknown focus country": (study(('country = "XB"\noutline', 'country = "XD"\noutline')), ["no country 'XD'"]),
    "focus elsewhere": (
        study(("[[10.3, 45.1], [10.8, 45.1], [10.8, 45.9], [10.3, 45.9]]", "[[20, 45], [21, 45], [21, 46]]")),
        ["focus.outline: lies wholly outside XB"],
    ),
    "unknown metric": (
        study(('metric = "ascent_m"', 'metric = "ascend_m"')),
        ["midland: criteria 'ascent': metric: there is no 'ascend_m' (did you mean 'ascent_m'?)"],
    ),
    "metric that is no figure": (
        study(('metric = "ascent_m"', 'metric = "places_status"')),
        ["midland: criteria 'ascent': metric: 'places_status' is no figure (status)"],
    ),
    "criterion in another unit": (
        study(('unit = "m"', 'unit = "km"')),
        ["criteria 'ascent': unit: is 'km', but ascent_m is in m, as its anchors must be"],
    ),
    "a month that isn't": (
        study(('question = "Which way leads from Aster to Corvo?"\nas_of = "2020-01"',
               'question = "Which?"\nas_of = "2020-13"')),
        ["midland.toml: as_of: '2020-13' is no date; write one of the calendar"],
    ),
    "a day that isn't": (
        study(('name = "as it is"\nas_of = "2020-01"', 'name = "as it is"\nas_of = "2020-02-30"')),
        ["midland.toml: baselines.0.as_of: '2020-02-30' is no date"],
    ),
    "a focus that crosses itself": (
        study(("[[10.3, 45.1], [10.8, 45.1], [10.8, 45.9], [10.3, 45.9]]",
               "[[10.3, 45.1], [10.8, 45.9], [10.8, 45.1], [10.3, 45.9]]")),
        ["focus.outline: crosses itself or encloses nothing"],
    ),
    "a text for a list": (
        study(('["heights.tif"]', '"heights.tif"')),
        ["sources.elevation: write a list in square brackets (given: 'heights.tif')"],
    ),
    "an id with capitals": (
        study(('id = "ridge"', 'id = "Ridge"')),
        ["candidates.0.id: use small letters, digits, hyphens (given: 'Ridge')"],
    ),
    "a crossing inside one country": (
        study(("[[baselines]]", '[[crossings]]\nid = "gate"\nname = "Gate"\nlon = 10.4\nlat = 45.5\n'
               'countries = ["XA", "XA"]\nstatus = "open"\n\n[[baselines]]')),
        ["crossings.0.countries: 'XA' stands twice; name the countries on both sides"],
    ),
    "check of an unknown node": (
        study(("[[baselines]]", '[[checks]]\nname = "x"\nmode = "road"\nfrom_node = "aster"\nto_node = "korvo"\n'
               'low_km = 1\nhigh_km = 2\nsource = "made-up"\n\n[[baselines]]')),
        ["checks 'x': 'korvo' is no node of the catalogue"],
    ),
    "path out of the package": (study(('"borders.geojson"', '"package:../../x"')), ["leads out of the packaged data"]),
    # what it measures for others
    "no regimes": (impact('"regimes.toml"', '"none.toml"'), ["none.toml: no such file"]),
    "regimes of other sources": (
        impact('regimes = "regimes.toml"\n', ""), ["impact.regimes: none are named", "name a file of regimes"],
    ),
    "unknown centre": (impact('["Dalemoor"]', '["Dalmoor"]'), ["impact.centres: no place is called 'Dalmoor'"]),
    "capital of another country": (
        several(impact("[impact]", "[impact]"), capital_abroad),
        ["midland: capital: Corvo lies in XC; name a place in focus.country, XB"],
    ),
    "axis twice": (
        impact(
            "[[impact.axes]]", '[[impact.axes]]\nid = "valley-axis"\nname = "x"\nsections = ["link"]\n[[impact.axes]]'
        ),
        ["midland.toml: impact.axes: id 'valley-axis' stands twice"],
    ),
    "unknown neighbour": (impact('"XA"', '"XD"'), ["no country 'XD'"]),
    "neighbour of itself": (
        impact('"XA"', '"XB"'), ["impact.neighbour: is XB like focus.country; name the country beyond"],
    ),
    "regime for nobody": (
        regime('{ through = ["XB"] }', '{ through = ["XC"], avoids = ["XB"] }'),
        ["regime 'free' applies to none of", "widen its applies_to"],
    ),
    "checks of no row": (
        regime('border_check_min = {}\n', 'checks = [{ countries = ["XB"], point = "ghost" }]\n'),
        ["regimes.toml: regimes.free.checks.0.point: 'ghost' is no point of border_delays.csv"],
    ),
    "a status in the future": (
        cell("sections.csv", "as_of", "2099-01"), ["sections.csv, ridge-west, as_of: 2099-01 lies in the future"],
    ),
    "a status of spring": (
        cell("sections.csv", "as_of", "spring"), ["sections.csv, row 2, as_of: 'spring' is no date; write one of the"],
    ),
    "a section without a date": (
        cell("sections.csv", "as_of", ""), ["sections.csv, row 2, as_of: is empty; fill it in"],
    ),
    "a crossing without a date": (
        cell("crossings.csv", "as_of", ""), ["crossings.csv, row 2, as_of: is empty; fill it in"],
    ),
    "open although closed": (
        cell("sections.csv", "closed", "2019-02"),
        ["sections.csv, row 2, closed: is 2019-02, but status is open; say in status what it is since"],
    ),
    "closed after it was opened again": (
        several(cell("sections.csv", "opened", "2015"), cell("sections.csv", "closed", "2019-02")),
        ["sections.csv, row 2, closed: is 2019-02, but status is open"],
    ),
    "closed although opened again": (
        several(cell("sections.csv", "status", "closed"), cell("sections.csv", "closed", "2015"),
                cell("sections.csv", "opened", "2019-02")),
        ["sections.csv, row 2, opened: is 2019-02, after closed, but status is closed; make status open"],
    ),
    "open before it was opened": (
        cell("sections.csv", "opened", "2020-02"),
        ["sections.csv, row 2, opened: is 2020-02, after as_of 2020-01, for which status is open; correct one of both"],
    ),
    "gone before it was closed": (
        several(cell("sections.csv", "status", "planned"), cell("sections.csv", "opened", "2031"),
                cell("sections.csv", "closed", "2021")),
        ["sections.csv, row 2, closed: is 2021, after as_of 2020-01, for which status is planned; correct one of both"],
    ),
    "closed before it was closed": (
        several(cell("sections.csv", "status", "closed"), cell("sections.csv", "closed", "2021")),
        ["sections.csv, row 2, closed: is 2021, after as_of 2020-01, for which status is closed; correct one of both"],
    ),
    "a crossing confirmed at no time": (
        study(("[[baselines]]", '[[crossings]]\nid = "gate"\nname = "Gate"\nlon = 10.4\nlat = 45.5\n'
               'countries = ["XA", "XB"]\nstatus = "open"\nconfirmed = true\n\n[[baselines]]')),
        ["midland.toml: crossings.0: as_of: is empty though confirmed"],
    ),
    "a closure on no day": (
        cell("sections.csv", "closed", "2019-02-29"), ["sections.csv, row 2, closed: '2019-02-29' is no date"],
    ),
    "a regime of no month": (
        regime('as_of = "2020-01"', 'as_of = "2020-21"'), ["regimes.free.as_of: '2020-21' is no date"],
    ),
    "a regime of the future": (
        regime('as_of = "2020-01"', 'as_of = "2099-01"'), ["regimes, free, as_of: 2099-01 lies in the future"],
    ),
    "progress of the future": (
        cell("sections.csv", "progress_as_of", "2099-01"),
        ["sections.csv, ridge-west, progress_as_of: 2099-01 lies in the future"],
    ),
    "progress over 100 %": (cell("sections.csv", "progress_pct", "130"), ["sections.csv", "progress_pct", "130"]),
    "tunnels longer than their section": (
        cell("sections.csv", "tunnel_km", "40"),
        ["row 2, tunnel_km/bridge_km: tunnels and bridges of 40 km are longer than the section of"],
    ),
    "a length under the beeline": (
        length("20"), ["row 2, length_km_high: 20 km is less than the 23.4 km from end to end as the crow flies"],
    ),
    "a length of several times the line": (
        length("90"), ["row 2, length_km_low: 90 km is over 3 times the 23.4 km of the line"],
    ),
    "a delay of the future": (
        delays(year="2099"), ["border_delays.csv, ridge-gate-west, year: 2099 lies in the future"],
    ),
    "delays with the 95th percentile below the mean": (
        delays(hours_p95="1"), ["border_delays.csv, row 2, hours_p95: is 1 at a mean of 4; it must lie from the mean"],
    ),
    "a delay told twice": (delays(), ["crossings.csv, ridge-gate-west, delay_min: border_delays.csv has rows of this"]),
    "unknown section of an axis": (
        impact('["valley-middle"]', '["valley-muddle"]'), ["impact.axes 'valley-axis': 'valley-muddle' is no section"],
    ),
    # the study's other files
    "no catalogue": (file("reference/sections.csv", None), ["sections.csv: no such file"]),
    "catalogue of other columns": (
        table("nodes", ("elevation_m", "height_m")),
        ["nodes.csv: columns missing: ['elevation_m'], unknown: ['height_m']"],
    ),
    "faults in several tables": (
        table("sections", ("ridge-up,Ridge up,,ridge-gate-west,", "ridge-up,Ridge up,,nowhere,"),
              ("primary,open", "primary,opened"), ("schematic,yes,made-up", "schematic,yes,hearsay")),
        ["sections.csv, row 3, from_node: 'nowhere' is not in nodes.csv", "status: is 'opened'; use one of",
         "'hearsay' is not in sources.csv"],
    ),
    "points with one number": (
        table("waypoints", ("ridge-west,1,", "ridge-west,0,")), ["waypoints.csv: 'ridge-west' has a seq twice; number"],
    ),
    "crossing of one country": (
        table("crossings", ("XA,XB", "XB,XB")), ["crossings.csv, row 2, country_b: is country_a again"],
    ),
    "catalogue with semicolons": (
        table("nodes", (",", ";")), ["nodes.csv: its cells are parted by semicolons; save it with commas"],
    ),
    "places with tabs": (
        file("places.csv", b"name\tlat\tlon\tcountry\tpopulation\nAster\t45\t10\tXA\t1\n"),
        ["places.csv: its cells are parted by tabs; save it with commas"],
    ),
    "number that is none": (table("nodes", ("45.5,10.1,", "45.5,ten,")), ["nodes.csv, row 2, lon: is 'ten'; a number"]),
    "not a number": (table("nodes", ("45.5,10.1,", "45.5,nan,")), ["nodes.csv, row 2, lon: is 'nan'; a number"]),
    "range upside down": (table("speeds", ("80.0,80.0,80.0", "90,80,70")), ["speeds.csv, row 2, speed_kmh_low/mid"]),
    "speed of nothing on land": (
        table("speeds", ("80.0,80.0,80.0", "1e-9,80,2000")),
        ["speeds.csv, row 2, speed_kmh_low: is '1e-9'; a number from 1 to 400", "speed_kmh_high: is '2000'; a number"],
    ),
    "speed twice": (again("speeds", "80.0", "10.0"), ["speeds.csv: mode, class 'road, primary' stands twice"]),
    "grade twice": (again("grades", "8.0", "1.0"), ["grades.csv: mode, class 'road, primary' stands twice"]),
    "price twice": (again("unit_costs", "3,5,8", "3,6,8"), ["unit_costs.csv: mode, kind 'road, surface' stands twice"]),
    "structure twice": (
        again("structures", "10.0", "9.0"), ["structures.csv: structure_id 'base-tunnel' stands twice"],
    ),
    "price of no year": (
        cell("unit_costs.csv", "price_year", "20a4"), ["unit_costs.csv, row 2, price_year: '20a4' is no date"],
    ),
    "countries by name": (
        several(cell("nodes.csv", "country", "xa"), cell("sections.csv", "country", "Midland"),
                cell("sections.csv", "control", "x"), cell("crossings.csv", "country_b", "XBX")),
        ["nodes.csv, row 2, country: is 'xa'; write two capital letters",
         "sections.csv, row 2, country: is 'Midland'; write", "sections.csv, row 2, control: is 'x'; write two",
         "crossings.csv, row 2, country_b: is 'XBX'; write two capital letters"],
    ),
    "a place in a country by name": (
        file("places.csv", b"name,lat,lon,country,population\nAster,45.5,10.1,xa,1\n"),
        ["places.csv: row 2: country is 'xa'; write two capital letters, or nothing"],
    ),
    "places with a column twice": (
        file("places.csv", b"name,lat,lon,country,population,lat\nAster,45.5,10.1,XA,1,46\n"),
        ["places.csv: column lat stands twice; keep one of each"],
    ),
    "id twice": (table("nodes", ("\nsummit,", "\ncorvo,")), ["node_id 'corvo' stands twice"]),
    "catalogue not utf-8": (file("reference/nodes.csv", b"node_id\n\xff\xfe\n"), ["nodes.csv"]),
    "catalogue with a nul": (
        lambda folder: file("reference/grades.csv", (folder / "reference/grades.csv").read_bytes() + b"\0,,\n")(folder),
        ["grades.csv"],
    ),
    "row too long": (
        table("grades", ("8.0,made-up,", "8.0,made-up,,extra")),
        ["grades.csv, row 2: has more or fewer cells than columns"],
    ),
    "no grade": (table("grades", ("road,primary,8.0", "road,tertiary,8.0")), ["grades.csv: no row for road primary"]),
    "no price": (table("unit_costs", ("rail,upgrade", "rail,surface")), ["unit_costs.csv"]),
    "places without columns": (file("places.csv", b"name,lat\nAster,45.5\n"), ["places.csv: columns missing: lon"]),
    "places off the globe": (
        file("places.csv", b"name,lat,lon,country,population\nAster,145.5,10,XA,1\n"),
        ["places.csv: row 2: lat is '145.5'; write a number from -90 to 90"],
    ),
    "place without a country": (
        file("places.csv", b"name,lat,lon,country,population\nDalemoor,45.31,10.5,,1\n"),
        ["capital: 'Dalemoor' has no two-letter country code"],
    ),
    "places not text": (file("places.csv", bytes(range(256)) * 4), ["places.csv: not readable as a table of places"]),
    "borders not a map": (file("borders.geojson", b"hello"), ["borders.geojson: not readable as a map of countries"]),
    "borders without codes": (
        file("borders.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},'
             b'"geometry":{"type":"Point","coordinates":[1,2]}}]}'),
        ["borders.geojson: has no column 'country'"],
    ),
    "borders elsewhere": (
        file("borders.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":'
             b'{"country":"XB"},"geometry":{"type":"Polygon","coordinates":[[[45,10.3],[46,10.3],[46,10.8],[45,10.3]]]}}]}'),
        ["borders.geojson: has no country in the study's area; name other borders (longitude comes first)"],
    ),
    "no borders": (file("borders.geojson", None), ["borders.geojson: no such file"]),
    "a perspective that weighs nothing": (
        perspective("{ distance = 0, terrain = 0 }"), ["perspective 'equal': groups: all weights are zero"],
    ),
    "a perspective of what isn't scored": (
        perspective("{ people = 1 }"), ["x: all the weight lies on criteria that take no part"],
    ),
    "two of one name": (
        study(('"Through the valley"', '"Over the ridge"')), ["candidates: name 'Over the ridge' stands twice"],
    ),
    "weights that are no numbers": (
        perspective('{ distance = "1", terrain = true }'),
        ["perspectives.toml: perspective 'equal': groups.distance: write a number (given: '1')",
         "groups.terrain: write a number (given: True)"],
    ),
    "two perspectives of one label": (
        file("perspectives.toml", b"".join(
            b'[%b]\nlabel = "x"\nweights_from = "y"\ngroups = { distance = 1 }\n' % key for key in (b"equal", b"other")
        )),
        ["midland: perspectives: label 'x' stands twice; readers couldn't tell the two apart"],
    ),
    "two regimes of one label": (
        regime('label = "Gated"', 'label = "Free"'), ["midland: regimes: label 'Free' stands twice; readers couldn't"],
    ),
    "two of one letter": (
        study(('id = "ridge"', 'letter = "R"\nid = "ridge"'), ('id = "valley"', 'letter = "R"\nid = "valley"')),
        ["candidates: letter 'R' stands twice"],
    ),
    "no perspectives": (file("perspectives.toml", None), ["perspectives.toml: no such file"]),
    "perspective of nothing": (
        perspective("{ distance = -1 }"),
        ["perspectives.toml: perspective 'equal'", "distance"],
    ),
}  # fmt: skip
