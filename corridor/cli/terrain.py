"""Command for terrain rasters: terrain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from corridor.cli.common import (
    QuietOption,
    plain_path,
    print_error,
    print_plain,
    show_progress,
)


def terrain(
    dem: Annotated[Path, typer.Argument(metavar="DEM", help="Elevation raster, of any size (GeoTIFF, HGT, VRT).")],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FILE", callback=plain_path, help="GeoTIFF (.tif) to write; it appears when it is whole."
        ),
    ],
    measure: Annotated[
        Literal["slope", "ruggedness", "relief", "cost"],
        typer.Option("--measure", help="Degrees; metres; metres; a multiple of the price on level ground."),
    ] = "slope",
    radius: Annotated[int, typer.Option("--radius", metavar="PIXELS", help="Of relief, 1 to 256.")] = 8,
    quiet: QuietOption = False,
) -> None:
    """Write slope, ruggedness, relief or building cost of a whole elevation raster, block by block.

    Needs about half a gigabyte of memory however large the raster is; the values don't depend on the blocks.

    **Examples**

    `corridor terrain N39E046.hgt --out slope.tif`

    `corridor terrain caucasus.vrt --measure relief --radius 16 --out relief.tif`
    """
    from corridor.terrain.surface import write_terrain

    with show_progress(quiet) as say:
        written = write_terrain(dem, out, measure, radius_px=radius, progress=say, remark=print_error)
    print_plain(written)
