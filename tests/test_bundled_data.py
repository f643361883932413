"""The bundled files are what their papers say, and lie where the ground lies."""

import hashlib
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from pyproj import Geod
from scipy.ndimage import map_coordinates

from corridor.files import data_root

BUNDLED = data_root() / "bundled"
GEOD = Geod(ellps="WGS84")
PAPERS = {"file", "title", "publisher", "date", "licence", "package", "sha256", "note"}


@pytest.fixture(scope="module")
def provenance():
    return json.loads((BUNDLED / "provenance.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def borders():
    return gpd.read_file(BUNDLED / "borders.geojson").set_index("country")


@pytest.fixture(scope="module")
def places():
    return pd.read_csv(BUNDLED / "places.csv", keep_default_na=False, na_values=[""])


def test_all_files_together_stay_small():
    assert 1_000_000 < sum(p.stat().st_size for p in BUNDLED.iterdir()) < 3_000_000


def test_each_file_has_papers_and_the_bytes_they_name(provenance):
    assert {p["file"] for p in provenance} == {p.name for p in BUNDLED.iterdir()} - {"provenance.json"}
    for paper in provenance:
        assert set(paper) == PAPERS
        assert all(paper[key] for key in PAPERS - {"date"}), paper["file"]
        assert "==" in paper["package"]
        assert hashlib.sha256((BUNDLED / paper["file"]).read_bytes()).hexdigest() == paper["sha256"]


def test_notice_and_readme_name_each_file_and_its_licence(provenance):
    readme = (data_root() / "README.md").read_text(encoding="utf-8")
    for paper in provenance:
        assert f"`{paper['file']}`" in readme
    notice = (Path(__file__).parents[1] / "NOTICE").read_text(encoding="utf-8")
    for words in ("OpenStreetMap contributors", "Open Database License", "GeoNames", "CC BY 4.0", "GLOBE", "NOAA"):
        assert words in notice


def test_heights_stand_on_whole_multiples_of_30_arc_seconds():
    with rasterio.open(BUNDLED / "elevation_globe_30s.tif") as dem:
        assert (dem.crs.to_epsg(), dem.dtypes, dem.units) == (4326, ("int16",), ("metre",))
        first, last = dem.xy(0, 0), dem.xy(dem.height - 1, dem.width - 1)
        heights = dem.read(1)
    assert np.allclose([first, last], [(42.5, 41.75), (49.5, 38.0)], atol=1e-9)
    assert heights.shape == (3.75 * 120 + 1, 7 * 120 + 1)
    # Ararat, 5,137 m, stands in the window; a 30-arc-second cell shaves a peak. Sea reads 0, not the source's -500.
    assert heights.min() == 0
    assert 4_500 < heights.max() < 5_137


def registration_rmse(places, shift_cells):
    """Root mean square of GLOBE minus GeoNames in metres, had each height stood so many cells further south-east."""
    with rasterio.open(BUNDLED / "elevation_globe_30s.tif") as dem:
        heights, corner = dem.read(1).astype(float), dem.transform
    col = (places.lon.to_numpy() - corner.c) / corner.a
    row = (places.lat.to_numpy() - corner.f) / corner.e
    ground = map_coordinates(heights, [row - 0.5 - shift_cells, col - 0.5 - shift_cells], order=1)
    return float(np.sqrt(np.mean((ground - places.elevation_m) ** 2)))


@pytest.mark.parametrize("countries", [["AM"], ["AZ"], ["AM", "AZ"]])
def test_heights_agree_with_geonames_only_at_the_grid_nodes(places, countries):
    # The array looks like cells of 30 arc-seconds; read so, each height would stand half a cell too far south-east.
    inside = places.lat.between(38.02, 41.73) & places.lon.between(42.52, 49.48) & (places.elevation_m > 0)
    known = places[inside & places.country.isin(countries)]
    assert len(known) >= 100
    as_nodes = registration_rmse(known, 0.0)
    assert as_nodes < 25
    for other in (-0.5, 0.5):
        assert registration_rmse(known, other) > as_nodes + 10


@pytest.mark.parametrize(
    ("name", "lat", "lon", "country"),
    [
        ("Agarak", 38.8651, 46.1946, "AM"),
        ("Meghri", 38.9012, 46.2431, "AM"),
        ("Nrnadzor", 38.8942, 46.4789, "AM"),
        ("Kapan", 39.2076, 46.4068, "AM"),
        ("Goris", 39.5111, 46.3417, "AM"),
        ("Julfa", 38.9540, 45.6296, "AZ"),
        ("Ordubad", 38.9096, 46.0227, "AZ"),
        ("Nakhchivan", 39.2089, 45.4122, "AZ"),
        ("Horadiz", 39.4502, 47.3350, "AZ"),
        ("Jolfa", 38.9379, 45.6333, "IR"),
        ("Norduz, south of the river", 38.8400, 46.2050, "IR"),
        ("Igdir", 39.9237, 44.0450, "TR"),
        ("Bolnisi", 41.4479, 44.5384, "GE"),
        # As administered; data/README.md says so.
        ("Karki", 39.79, 44.95, "AM"),
        ("Artsvashen", 40.65, 45.51, "AZ"),
        ("Barkhudarli", 40.99, 45.215, "AM"),
        ("Sofulu", 41.00, 45.24, "AM"),
        ("Yukhari Askipara", 41.06, 45.02, "AM"),
    ],
)
def test_places_lie_in_the_country_that_the_readme_says(borders, name, lat, lon, country):
    assert borders.index[borders.contains(shapely.Point(lon, lat))].tolist() == [country], name


def test_borders_are_valid_and_share_every_vertex(borders):
    assert sorted(borders.index) == ["AM", "AZ", "GE", "IR", "TR"]
    assert borders.is_valid.all()
    shapes = borders.geometry
    for one, other in [
        ("AM", "IR"),
        ("AM", "AZ"),
        ("AZ", "IR"),
        ("AM", "TR"),
        ("AM", "GE"),
        ("AZ", "GE"),
        ("IR", "TR"),
    ]:
        assert shapes[one].intersection(shapes[other]).area == 0, (one, other)
    # Inside the ring of the five there is no sliver that belongs to nobody.
    whole = shapely.union_all(shapes.to_numpy())
    assert not [ring for part in shapely.get_parts(whole) for ring in part.interiors]


def test_border_length_is_that_of_the_full_vertices(borders):
    shared = borders.geometry["AM"].boundary.intersection(borders.geometry["IR"].boundary)
    assert 45 < GEOD.geometry_length(shared) / 1000 < 47
    # The same line drawn coarsely is kilometres shorter: full detail is what the figure rests on.
    coarse = shapely.line_merge(shared).simplify(0.01)
    assert GEOD.geometry_length(coarse) / 1000 < 41


def test_places_have_plain_names_and_no_invented_zeros(places):
    assert places.geonames_id.is_unique
    assert not (places.population == 0).any()
    assert all(name and name.isascii() for name in places.asciiname)
    assert places.lat.between(37.5, 42).all()
    assert places.lon.between(42, 50).all()
    by_name = places.set_index(["asciiname", "country"])
    for name in [
        ("Kapan", "AM"),
        ("Sisian", "AM"),
        ("Kajaran", "AM"),
        ("Julfa", "IR"),
        ("Julfa", "AZ"),
        ("Horadiz", "AZ"),
    ]:
        assert by_name.loc[name, "population"] > 1_000
    assert "Qafan" in by_name.loc[("Kapan", "AM"), "alternate_names"].split("|")
    assert "Berdzor" in by_name.loc[("Lacin", "AZ"), "alternate_names"].split("|")


def test_a_place_lies_in_its_own_country(places, borders):
    known = places[places.country.isin(borders.index)]
    points = gpd.GeoDataFrame(known, geometry=gpd.points_from_xy(known.lon, known.lat), crs=4326)
    joined = points.sjoin(borders[["geometry"]].rename_axis("lies_in"), predicate="within")
    assert len(joined) == len(known)
    assert (joined.country == joined.lies_in).all()
