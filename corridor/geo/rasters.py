"""The one door for rasters of heights, and rasters moved between grids."""

from __future__ import annotations

import gzip
import re
import warnings
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray
from scipy.sparse import csr_array

from corridor.errors import SourceError
from corridor.files import require_file
from corridor.geo.geodesy import WGS84
from corridor.schema.fields import Grid

Floats = NDArray[np.float64]
Floats32 = NDArray[np.float32]

WEB_MERCATOR = "EPSG:3857"

_WARPING = Lock()
"""rasterio silences a warning of its own for the whole process while it warps: two at a time undo each other's."""


def warp(values: NDArray[np.floating], grid: Grid, target: Grid, *, smooth: bool = False) -> Floats32:
    """Values of one grid on another, NaN where the source has none; shape is ``target.shape``.

    Bilinear, or with ``smooth`` by cubic splines, for drawing on a finer grid.

    Args:
        values: of the pixels of ``grid``, NaN where there is none; shape is ``grid.shape``.
        grid: where they lie.
        target: where they are wanted, in any reference system.
        smooth: by uniform cubic B-splines over 4 x 4 pixels.
    """
    from rasterio.enums import Resampling
    from rasterio.warp import reproject

    if smooth and np.isfinite(values).all() and (index := _parallel_index(grid, target)):
        return _resample_by_splines(values, *index)
    # What lies beyond the source keeps NaN, so that no height is made up there.
    out = np.full(target.shape, np.nan, dtype=np.float32)
    # In one thread: GDAL keeps others for the next warp, and a copy of a process that warped, which believes that it
    # has them too, would wait for them for ever.
    with _WARPING:
        reproject(
            source=values.astype(np.float32),
            destination=out,
            src_transform=grid.transform,
            src_crs=grid.crs,
            src_nodata=np.nan,
            dst_transform=target.transform,
            dst_crs=target.crs,
            dst_nodata=np.nan,
            resampling=Resampling.cubic_spline if smooth else Resampling.bilinear,
            num_threads=1,
        )
    return out


def _parallel_index(grid: Grid, target: Grid) -> tuple[Floats, Floats] | None:
    """Where the target's rows and columns lie among the grid's: fractional indices, shapes (rows,) and (columns,).

    None unless rows are rows in both, as in degrees and their Mercator projection, and the target's pixels are no
    larger than the grid's.
    """
    from pyproj import Transformer

    if grid.crs != target.crs and (grid.crs, target.crs) != (WGS84, WEB_MERCATOR):
        return None
    # One point stands for a row and a column alike: x and y don't depend on each other.
    diagonal = np.arange(float(max(target.shape)))
    x, y = target.centres(diagonal, diagonal)
    x, y = Transformer.from_crs(target.crs, grid.crs, always_xy=True).transform(x, y)
    rows, cols = (at[:count] for at, count in zip(grid.fractional_index(x, y), target.shape, strict=True))
    finer = all(np.diff(at).max(initial=0.0) <= 1.0 for at in (rows, cols))
    return (rows, cols) if finer else None


def _resample_by_splines(values: NDArray[np.floating], rows: Floats, cols: Floats) -> Floats32:
    """Values at fractional indices (rows,) by (cols,), one direction after the other; what GDAL gives, sooner."""
    across = (_spline_weights(cols, values.shape[1]) @ values.T.astype(float)).T
    moved: Floats32 = (_spline_weights(rows, values.shape[0]) @ np.ascontiguousarray(across)).astype(np.float32)
    return moved


def _spline_weights(at: Floats, count: int) -> csr_array:
    """What each of ``count`` pixels in a row adds at each fractional index, shape (len(at), count).

    Pixels beyond the ends add nothing, and the others what these would have; an index beyond the ends has NaN.
    """
    first = np.floor(at)
    t = (at - first)[:, None]
    weights = np.hstack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3])
    pixels = first.astype(np.int64)[:, None] + np.arange(-1, 3)
    weights[(pixels < 0) | (pixels >= count)] = 0.0
    weights[(at < -0.5) | (at > count - 0.5)] = np.nan
    weights /= weights.sum(axis=1, keepdims=True)
    ends = np.arange(0, weights.size + 1, 4)
    return csr_array((weights.ravel(), pixels.clip(0, count - 1).ravel(), ends), shape=(len(at), count))


def grid_over(grid: Grid, crs: str, resolution: float | None = None) -> Grid:
    """The grid in another CRS that covers ``grid``, of a resolution in units of ``crs`` or of about the same pixels.

    Args:
        grid: what is to be covered.
        crs: of the new grid.
        resolution: side of its pixels in units of ``crs``; about that of the old ones if left out.
    """
    from rasterio.warp import calculate_default_transform

    rows, cols = grid.shape
    west, south, east, north = grid.bounds
    transform, width, height = calculate_default_transform(
        grid.crs, crs, cols, rows, left=west, bottom=south, right=east, top=north, resolution=resolution
    )
    return Grid(crs, Affine(*transform[:6]), (int(height), int(width)))


# --- Virtual rasters (GDAL VRT): which files one names, and that it asks for nothing but files beside it ---

_MAX_BYTES = 50_000_000
_ELEMENTS = frozenset(
    (
        "VRTDataset", "SRS", "GeoTransform", "Metadata", "MDI", "BlockXSize", "BlockYSize", "VRTRasterBand",
        "Description", "NoDataValue", "HideNoDataValue", "ColorInterp", "UnitType", "Offset", "Scale", "SimpleSource",
        "ComplexSource", "SourceFilename", "SourceBand", "SourceProperties", "SrcRect", "DstRect", "NODATA",
    )
)  # fmt: skip
_ATTRIBUTES = frozenset(
    (
        "rasterXSize", "rasterYSize", "dataType", "band", "blockXSize", "blockYSize", "key", "relativeToVRT", "shared",
        "RasterXSize", "RasterYSize", "DataType", "BlockXSize", "BlockYSize", "xOff", "yOff", "xSize", "ySize",
        "dataAxisToSRSAxisMapping", "coordinateEpoch", "resampling",
    )
)  # fmt: skip
"""What gdalbuildvrt and gdal_translate write. GDAL takes attributes for elements, so both are listed."""
_TIFF = (b"II*\0", b"II+\0", b"MM\0*", b"MM\0+")
_MARKUP = re.compile(rb"<[A-Za-z?!]{3}")


def is_tiff(path: Path) -> bool:
    """Whether a file's first bytes are those of a TIFF.

    Args:
        path: A file that is there.
    """
    with path.open("rb") as stream:
        return stream.read(4) in _TIFF


def vrt_sources(path: Path) -> tuple[Path, ...]:
    """Files that a virtual raster takes its heights from, each once, in its order.

    GDAL opens them by itself, with every driver it has, also those for addresses. So a virtual raster may hold only
    what tools write that join files, and name only GeoTIFF and HGT files in its own folder or below.

    Args:
        path: The virtual raster.

    Raises:
        SourceError: it is no such file, or asks for anything else.
    """
    folder = path.resolve().parent
    found: dict[Path, None] = {}
    for element in _parse(path).iter():
        odd = [name for name in element.attrib if name not in _ATTRIBUTES]
        odd += [element.tag] if element.tag not in _ELEMENTS else []
        if odd:
            raise _refused(path, f"it asks for '{odd[0][:40]}', which is more than to join files")
        if element.tag == "SourceFilename":
            name = (element.text or "").strip()
            # A name that GDAL would take for something else than a file, or that leads out of the folder.
            if element.get("relativeToVRT") != "1" and not name.startswith("/"):
                raise _refused(path, f"its source '{name[:80]}' isn't said to lie beside it")
            source = folder / name
            if not name or source.is_symlink() or not source.resolve().is_relative_to(folder):
                raise _refused(path, f"its source '{name[:80]}' doesn't lie beside it")
            found[source] = None
    if not found:
        raise _refused(path, "it names no file")
    for source in found:
        _require_plain(path, source)
    return tuple(found)


def _parse(path: Path) -> ET.Element:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _refused(path, f"it is larger than {_MAX_BYTES / 1e6:.0f} MB")
        text = path.read_bytes()
        # Comments, entities and document types are read otherwise by GDAL than here.
        if b"<!" in text or b"\0" in text:
            raise _refused(path, "it holds a comment or a document type")
        root = ET.fromstring(text)  # noqa: S314  # without document types nothing is expanded or fetched
    except (OSError, ET.ParseError, ValueError, LookupError, RecursionError) as fault:
        if isinstance(fault, SourceError):
            raise
        raise _refused(path, f"it is no virtual raster: {str(fault)[:100]}") from fault
    if root.tag != "VRTDataset":
        raise _refused(path, "it is no virtual raster")
    return root


def _require_plain(path: Path, source: Path) -> None:
    """Refuse a source that isn't a GeoTIFF or HGT file by its content."""
    name = source.name[:80]
    if not source.is_file():
        raise _refused(path, f"its source '{name}' is missing")
    if is_tiff(source):
        return
    with source.open("rb") as stream:
        first = stream.read(4096)
    # HGT has no mark of its own; what GDAL takes for another format than heights begins with markup.
    if not name.lower().endswith(".hgt") or _MARKUP.search(first):
        raise _refused(path, f"its source '{name}' is neither a GeoTIFF nor an HGT tile")


def _refused(path: Path, why: str) -> SourceError:
    return SourceError(
        f"{path}: not readable as an elevation raster ({why}); write it with gdalbuildvrt in the folder of its tiles, "
        "or make a GeoTIFF with gdal_translate"
    )


# --- The one door for rasters of heights: opened by content, without network, refused where they can't be heights ---
# A raster on this machine comes in by :func:`open_heights`; one from a server passes :func:`refuse_unfit` once it is
# open. :func:`clean_heights` is for the values of either.

LOW_M, HIGH_M = -500.0, 9000.0
"""No ground on Earth is lower or higher."""
_DEGREE_M, _LEAST_PIXEL_M = 111_000.0, 0.01
_HGT_SIDES = (1201, 3601)
_HGT_NAMES = (".hgt", ".hgt.gz", ".hgt.zip")
_TILE_NAME = re.compile(r"[NS]\d{2}[EW]\d{3}[\w.]{0,40}\.hgt", re.IGNORECASE)
_FILLS = (-32768.0, -32767.0, 32767.0, 65535.0, -9999.0, -99999.0)
"""What stands for unknown in files that don't say so."""
_ASCII_GRID = re.compile(rb"\s*(ncols|nrows|xll|yll|cellsize|dx|dy|nodata)", re.IGNORECASE)
_LONGEST_NUMBER = 100
_GRID_SIZE = re.compile(rb"(ncols|nrows)\s+(\d{1,9})\b", re.IGNORECASE)
_MAX_BLOCK_BYTES = 256_000_000
_METRES = frozenset(("", "m", "metre", "metres", "meter", "meters"))
_FEET = frozenset(("ft", "us-ft", "ftus", "[ft_us]", "ft_us", "sft", "foot", "feet"))
_SINGLE_FILES = ("HFA", "DTED", "USGSDEM", "JP2OpenJPEG", "netCDF")
_WITH_HEADERS = ("AAIGrid", "EHdr", "ENVI")
_NO_NETWORK = {
    "CPL_VSIL_CURL_ALLOWED_FILENAME": "none",
    "GDAL_HTTP_MAX_RETRY": "0",
    "GDAL_HTTP_TIMEOUT": "1",
    "GDAL_HTTP_CONNECTTIMEOUT": "1",
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_VRT_ENABLE_RAWRASTERBAND": "NO",
    "GDAL_PAM_ENABLED": "NO",
}
"""Settings of GDAL under which a file on this machine leads to no other machine and runs nothing."""


@contextmanager
def open_heights(path: Path, *, cache_mb: int | None = None) -> Iterator[Any]:
    """Open a raster of heights on this machine; everything that is read from it is read inside the ``with`` block.

    A GeoTIFF, HGT tile (also packed with gzip or zip) or one of a few other formats, known by its content and not by
    its name; a virtual raster must be called ``.vrt`` and name files beside it. What lies beside a file (a mask,
    overviews, an ``.aux.xml``) counts for nothing, but for the headers of formats that have them.

    Args:
        path: The file.
        cache_mb: Size of GDAL's cache of blocks, megabytes; its own if left out.

    Yields:
        The raster, open in rasterio.

    Raises:
        SourceError: it isn't a raster, or can't be heights in metres.
    """
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    require_file(path, "elevation raster")
    refuse_wrong_hgt(path)
    drivers, alone = _drivers(path)
    # Inside an environment of its own, what GDAL says becomes an exception and not a line on stderr.
    settings: dict[str, Any] = dict(_NO_NETWORK)
    if alone:
        settings["GDAL_DISABLE_READDIR_ON_OPEN"] = "EMPTY_DIR"
    if cache_mb is not None:
        settings["GDAL_CACHEMAX"] = cache_mb
    name = str(path.absolute())
    if name.startswith("/vsi"):
        raise SourceError(f"{path}: has a name that GDAL takes for an address; give the file another folder")
    packed = _unpacked_hgt(path)
    with rasterio.Env(**settings), ExitStack() as held:
        try:
            if packed is not None:
                # Unpacked here and held in memory: GDAL's own unpacking trusts what an archive says of its sizes.
                tile, content = packed
                name = held.enter_context(rasterio.MemoryFile(content, filename=tile)).name
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # such rasters are refused
                # Overviews may lie at an address that the file names; no reader here needs them.
                raster = rasterio.io.DatasetReader(name, driver=list(drivers), OVERVIEW_LEVEL="NONE")
        except (RasterioError, ValueError, OSError, ArithmeticError, MemoryError) as fault:
            raise unreadable(path, fault) from fault
        with raster:
            refuse_unfit(raster, str(path))
            yield raster


def unreadable(path: Path, fault: BaseException) -> SourceError:
    """The error of a file that can't be read as a raster, with the deepest reason that there is.

    Args:
        path: The file.
        fault: What reading it raised.
    """
    while fault.__cause__ is not None:  # rasterio's own words only point there
        fault = fault.__cause__
    reason = " ".join(str(fault).split())[:200] or "unreadable"
    if "not recognized as being in a supported file format" in reason:
        return SourceError(
            f"{path}: not readable as an elevation raster (its format isn't read here; GeoTIFF, HGT and VRT are); "
            "convert it with gdal_translate -of GTiff, or fetch it again"
        )
    return SourceError(f"{path}: not readable as an elevation raster ({reason}); fetch the file again")


def heights_files(path: Path) -> tuple[Path, ...]:
    """Every file that the heights of a raster come from: itself, its headers, and what a virtual raster names.

    Args:
        path: A raster that can be opened.

    Returns:
        The raster first.
    """
    if path.name.lower().endswith((".zip", ".gz")):
        return (path,)
    with open_heights(path) as raster:
        beside = [Path(name) for name in raster.files]
    named = vrt_sources(path) if path.suffix.lower() == ".vrt" else ()
    others = {other.resolve() for other in (*beside, *named)} - {path.resolve()}
    return (path, *sorted(other for other in others if other.is_file()))


def _drivers(path: Path) -> tuple[tuple[str, ...], bool]:
    """GDAL's drivers that may open a file, and whether it needs nothing that lies beside it."""
    name = path.name.lower()
    if name.endswith(".vrt"):
        vrt_sources(path)
        return ("VRT",), True
    if is_tiff(path):
        return ("GTiff",), True
    if name.endswith(_HGT_NAMES):
        return ("SRTMHGT",), True
    _refuse_odd_grid(path)
    if path.with_name(f"{path.name}.msk").exists():
        raise SourceError(f"{path}: has a mask beside it; write both into one GeoTIFF with gdal_translate")
    return (*_SINGLE_FILES, *_WITH_HEADERS), False


def _refuse_odd_grid(path: Path) -> None:
    """Refuse an ASCII grid with a NUL or an endless word in it, or with too few numbers: GDAL then reads for ever."""
    with path.open("rb") as stream:
        head = stream.read(4096)
        if not _ASCII_GRID.match(head):
            return
        said = {key.lower(): int(number) for key, number in _GRID_SIZE.findall(head)}
        stream.seek(0)
        words, tail = 0, b""
        while piece := stream.read(1 << 20):
            if b"\0" in piece:
                raise SourceError(f"{path}: isn't text, as an ASCII grid is; fetch the file again")
            # The last word of a piece may go on in the next one.
            found = (tail + piece).split()
            tail = found.pop() if found and not piece[-1:].isspace() else b""
            words += len(found)
            if len(max(found, key=len, default=b"")) > _LONGEST_NUMBER or len(tail) > _LONGEST_NUMBER:
                raise SourceError(f"{path}: holds a word that is no height; fetch the file again")
    if words + bool(tail) < said.get(b"ncols", 0) * said.get(b"nrows", 0):
        raise SourceError(
            f"{path}: has fewer heights than its {said[b'nrows']:,} rows of {said[b'ncols']:,} need; fetch it again"
        )


def _unpacked_hgt(path: Path) -> tuple[str, bytes] | None:
    """Name and content of the tile in a packed HGT file that :func:`refuse_wrong_hgt` has let pass; None for others."""
    name = path.name.lower()
    try:
        if name.endswith(".hgt.gz"):
            with gzip.open(path, "rb") as stream:
                return path.name[:-3], stream.read(2 * max(_HGT_SIDES) ** 2)
        if name.endswith(".hgt.zip"):
            with zipfile.ZipFile(path) as archive:
                tile = _packed_hgt(path)
                return tile.filename, archive.read(tile)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zlib.error) as fault:
        raise SourceError(f"{path}: is a broken packed file ({fault}); fetch the elevation tile again") from fault
    return None


def refuse_wrong_hgt(path: Path) -> None:
    """Refuse an HGT file (packed or not) that isn't a square of 1201 or 3601 two-byte heights or isn't named as a tile.

    It says neither its size nor where it lies itself.

    Args:
        path: Any raster; other formats pass.

    Raises:
        SourceError: as said, with the size found.
    """
    name = path.name.lower()
    if not name.endswith(_HGT_NAMES):
        return
    sizes = [2 * side * side for side in _HGT_SIDES]
    if name.endswith(".hgt"):
        size = path.stat().st_size
    elif name.endswith(".zip"):
        size = _packed_hgt(path).file_size
    else:
        try:
            with gzip.open(path, "rb") as stream:
                size = len(stream.read(max(sizes) + 1))
        except (OSError, EOFError, zlib.error) as fault:
            raise SourceError(f"{path}: is a broken gzip file ({fault}); fetch the elevation tile again") from fault
    if size not in sizes:
        wanted = " or ".join(f"{size:,}" for size in sizes)
        raise SourceError(f"{path}: has {size:,} bytes of heights, an HGT tile has {wanted}; fetch the tile again")
    # The name of the tile in an archive has been looked at.
    if not name.endswith(".zip") and not _TILE_NAME.fullmatch(path.name.removesuffix(".gz")):
        raise SourceError(f"{path}: an HGT tile says by its name alone where it lies; name it like N46E008.hgt")


def _packed_hgt(path: Path) -> zipfile.ZipInfo:
    """The one tile in a zip archive, as NASA packs them.

    Raises:
        SourceError: it is no archive, or doesn't hold just one tile under a plain name such as N46E008.hgt.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tiles = [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as fault:
        raise SourceError(f"{path}: is a broken zip file ({fault}); fetch the elevation tile again") from fault
    # The tile's own name says where it lies; a path in the archive could lead GDAL elsewhere.
    if len(tiles) != 1 or not _TILE_NAME.fullmatch(tiles[0].filename):
        raise SourceError(f"{path}: doesn't hold one tile such as N46E008.hgt; unzip it and give the tile")
    return tiles[0]


def refuse_unfit(raster: Any, name: str) -> None:
    """Refuse an open raster that isn't one band of heights in metres above the sea, north up, in a stated system.

    Args:
        raster: Open in rasterio.
        name: The file's name or its address, for an error's words.

    Raises:
        SourceError: says which of these it isn't and what to do.
    """
    t = raster.transform
    if raster.crs is None:
        raise SourceError(f"{name}: has no coordinate reference system; set one, for instance with gdal_edit -a_srs")
    if not (raster.crs.is_geographic or raster.crs.is_projected):
        raise SourceError(
            f"{name}: not readable as an elevation raster (its reference system is neither in degrees nor projected); "
            "warp it, for instance with gdalwarp"
        )
    if not np.isfinite(t[:6]).all() or t.b or t.d or t.e >= 0 or t.a <= 0:
        raise SourceError(f"{name}: isn't a north-up raster; warp it, for instance with gdalwarp")
    pixel_m = min(t.a, -t.e) * (_DEGREE_M if raster.crs.is_geographic else 1)
    if pixel_m < _LEAST_PIXEL_M:
        raise SourceError(f"{name}: its pixels are {pixel_m:.1g} m wide or high; correct where it lies with gdal_edit")
    if not raster.count:
        raise SourceError(f"{name}: has no band of its own; take the one with heights out with gdal_translate")
    if raster.dtypes[0].startswith("complex"):
        raise SourceError(f"{name}: holds complex numbers, not heights")
    if raster.dtypes[0] in {"uint8", "int8"}:
        raise SourceError(f"{name}: holds numbers of 8 bits, as pictures do, not heights in metres; use the heights")
    if raster.count > 1:
        raise SourceError(
            f"{name}: has {raster.count} bands; take the one with heights out, for instance with gdal_translate -b 1"
        )
    if raster.scales[0] != 1 or raster.offsets[0] != 0:
        raise SourceError(f"{name}: stores scaled heights; write them plainly with gdal_translate -unscale")
    _refuse_vertical(raster, name)
    _refuse_big_blocks(raster, name)


def _refuse_vertical(raster: Any, name: str) -> None:
    """Refuse heights in anything but metres, or above the ellipsoid: by the band's unit, else by a vertical system."""
    import pyproj

    unit = str(raster.units[0]).strip().lower() if raster.units and raster.units[0] else ""
    try:
        system = pyproj.CRS.from_user_input(raster.crs.to_wkt(version="WKT2_2019"))
    except (pyproj.exceptions.CRSError, ValueError) as fault:
        raise SourceError(
            f"{name}: not readable as an elevation raster (its reference system is unknown: {str(fault)[:100]}); "
            "set one, for instance with gdal_edit -a_srs"
        ) from fault
    up = [axis for axis in system.axis_info if axis.direction in {"up", "down"}]
    unit = unit or (up[0].unit_name.strip().lower() if up else "")
    if unit in _FEET or "foot" in unit or "feet" in unit:
        raise SourceError(
            f"{name}: says that its heights are in feet; convert them to metres, for instance with "
            "gdal_calc.py --calc='A*0.3048'"
        )
    if unit not in _METRES:
        raise SourceError(
            f"{name}: says that its heights are in '{unit[:40]}', not in metres; convert them, for instance with "
            "gdal_calc.py, or correct the band's unit"
        )
    if up and up[0].direction == "down":
        raise SourceError(f"{name}: holds depths, not heights, by its vertical reference system; turn their sign")
    words = " ".join((up[0].name, *(part.name for part in system.sub_crs_list))) if up else ""
    if "ellipsoid" in words.lower():
        raise SourceError(
            f"{name}: holds heights above the ellipsoid ({system.name[:60]}), which may lie tens of metres off those "
            "above the sea; turn them into heights above the sea, for instance with gdalwarp -t_srs EPSG:4326+5773"
        )


def _refuse_big_blocks(raster: Any, name: str) -> None:
    """Refuse a raster of which even one pixel would take a block of over 256 MB."""
    rows, columns = raster.block_shapes[0]
    size = rows * columns * np.dtype(raster.dtypes[0]).itemsize
    if size > _MAX_BLOCK_BYTES:
        raise SourceError(
            f"{name}: says that it is {raster.width:,} x {raster.height:,} pixels in blocks of {size / 1e6:,.0f} MB; "
            "if that is true, write it in tiles with gdal_translate -co TILED=YES"
        )


def try_reading(raster: Any) -> None:
    """Read three pixels, so that a file that lacks its data fails before memory is asked for.

    Args:
        raster: Open in rasterio.
    """
    from rasterio.windows import Window

    for down in (0.0, 0.5, 1.0):
        row, column = int(down * (raster.height - 1)), int(down * (raster.width - 1))
        raster.read(1, window=Window(column, row, 1, 1))


def clean_heights(values: NDArray[Any], name: str) -> Floats32:
    """Heights with NaN for what stands for unknown; perhaps none at all.

    Args:
        values: ``(rows, cols)`` as the file has them.
        name: For an error's words.

    Returns:
        ``(rows, cols)``, metres.

    Raises:
        SourceError: some are heights that no ground on Earth has.
    """
    heights = values.astype(np.float32)
    # Files often don't declare what stands for unknown, so that the customary values count as such anyway.
    heights[~np.isfinite(heights) | (np.abs(heights) > 1e6) | np.isin(heights, _FILLS)] = np.nan
    odd = (heights < LOW_M) | (heights > HIGH_M)
    if odd.any():
        raise SourceError(
            f"{name}: holds heights like {heights[odd][0]:g} ({odd.sum():,} of {odd.size:,} pixels), none may be under "
            f"{LOW_M:g} or over {HIGH_M:g} m; convert feet to metres, or declare what stands for unknown as nodata"
        )
    return heights


def no_heights(name: str) -> SourceError:
    """The error of a raster without any height.

    Args:
        name: For its words.
    """
    return SourceError(f"{name}: holds no height between {LOW_M:g} and {HIGH_M:g} m; are its heights in metres?")
