"""Virtual rasters (GDAL VRT): which files one names, and that it asks for nothing but files beside it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from corridor.errors import SourceError

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
