"""The command that finds new lines: align."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from corridor.cli.common import (
    DEFAULT_STUDY,
    DemOption,
    QuietOption,
    load_study,
    plain_path,
    print_line,
    print_plain,
    print_table,
    show_progress,
)
from corridor.wording import format_millions

if TYPE_CHECKING:
    from corridor.pipeline.new_line import NewLine


def align(
    start: Annotated[str, typer.Argument(metavar="FROM", help="lat,lon, or a place of the study.")],
    end: Annotated[str, typer.Argument(metavar="TO", help="lat,lon, or a place of the study.")],
    standard: Annotated[
        str, typer.Option("--standard", "-s", help="rail-12 ... rail-30, road-30 ... road-120.")
    ] = "rail-18",
    grade: Annotated[
        float | None,
        typer.Option("--grade", metavar="PER_MILLE", help="Ruling grade both ways, instead of the standard's."),
    ] = None,
    radius: Annotated[
        float | None, typer.Option("--radius", metavar="M", help="Least radius of curves, instead of the standard's.")
    ] = None,
    prices: Annotated[
        str,
        typer.Option("--prices", metavar="BOOK", help="Price book: today, or of another time, such as 1870-1910."),
    ] = "today",
    tunnel_price: Annotated[
        float | None,
        typer.Option("--tunnel-price", metavar="MUSD_PER_KM", help="Price of a tunnel, instead of the catalogue's."),
    ] = None,
    bridge_price: Annotated[
        float | None,
        typer.Option("--bridge-price", metavar="MUSD_PER_KM", help="Price of a bridge, instead of the catalogue's."),
    ] = None,
    via: Annotated[
        list[str] | None,
        typer.Option(
            "--via", metavar="PLACE", help="A station that it passes, as FROM and TO; may be given again, in order."
        ),
    ] = None,
    cell: Annotated[
        float | None,
        typer.Option(
            "--cell",
            metavar="M",
            help="Side of the search's cells; the DEM's own if that is coarser. 250 m without a study.",
        ),
    ] = None,
    spirals: Annotated[
        int,
        typer.Option(
            "--spirals", metavar="N", min=0, max=9, help="Full circles that it may turn in one place to climb."
        ),
    ] = 0,
    certify: Annotated[
        bool, typer.Option("--certify", help="Search all of the ground, however large, to prove how good the line is.")
    ] = False,
    lakes: Annotated[
        Literal["shut", "bridge", "open"],
        typer.Option(
            "--lakes",
            help="How it passes lakes (large patches of one height): under them alone, on bridges too, or as "
            "level ground, whose water has no price.",
        ),
    ] = "shut",
    sweep: Annotated[
        Literal["grade", "tunnel-price"] | None, typer.Option("--sweep", help="Also vary this and draw the trade-off.")
    ] = None,
    countries: Annotated[
        str, typer.Option("--countries", metavar="AA,BB", help="The only countries that the line may pass; else any.")
    ] = "",
    alternatives: Annotated[
        int, typer.Option("--alternatives", metavar="N", min=0, max=9, help="Also so many lines that run elsewhere.")
    ] = 0,
    draws: Annotated[
        int, typer.Option("--draws", metavar="N", min=0, max=1000, help="Also on so many draws of the heights' error.")
    ] = 0,
    reuse: Annotated[
        list[str] | None,
        typer.Option(
            "--reuse", metavar="SECTION", help="A section whose formation it may take over; may be given again."
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            help="Whose data, places and prices: a study file or a bundled one. Without one FROM and TO are lat,lon "
            f"and --dem is given; else it is {DEFAULT_STUDY}.",
        ),
    ] = None,
    dem: DemOption = None,
    borders: Annotated[
        Path | None,
        typer.Option("--borders", metavar="FILE", help="Country polygons for --countries, instead of the study's."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", callback=plain_path, help="Folder for the files.")
    ] = Path("out/alignment"),
    quiet: QuietOption = False,
) -> None:
    """Find the cheapest new road or railway between two places, with tunnels and bridges, under a design standard.

    Works anywhere: between two points on elevation rasters of your own, without a study.

    Writes alignment.geojson (3-D line and structures), alignment.json (price by kind, lengths, grade, radius),
    profile.svg (plan and long section), chainage.csv (heights, cut and fill by station) and earthworks.csv (volumes by
    kilometre), and with --sweep tradeoff.csv and a chart. Where there is no way, it says which limit closes it and what
    would open it.

    **Examples**

    `corridor align 46.8196,8.6505 46.3525,8.9725 --grade 27 --radius 300 --dem N46E008.SRTMGL3.hgt.zip`

    `corridor align 46.6990,9.4403 46.5335,9.8726 --grade 35 --radius 100 --spirals 2 --dem N46E009.SRTMGL3.hgt.zip`

    `corridor align Mincivan Julfa --standard rail-18`

    `corridor align Mincivan Julfa -s rail-18 --countries AM,AZ`

    `corridor align Mincivan Julfa --alternatives 2 --draws 10 --reuse rail-meghri`

    `corridor align 39.2076,46.4068 38.9096,46.0227 --standard rail-12 --sweep grade --dem N39E046.hgt`
    """
    from corridor.pipeline.new_line import find_new_line, parse_point

    named = any(parse_point(text, which) is None for text, which in ((start, "FROM"), (end, "TO")))
    if study is None and (named or not dem):
        study = DEFAULT_STUDY
    codes = [code.strip().upper() for code in countries.split(",") if code.strip()]
    with show_progress(quiet) as say:
        new = find_new_line(
            start,
            end,
            standard,
            study=None if study is None else load_study(study),
            dem=dem or [],
            via=via or [],
            grade_permille=grade,
            radius_m=radius,
            prices=prices,
            tunnel_musd_per_km=tunnel_price,
            bridge_musd_per_km=bridge_price,
            cell_m=cell,
            spirals=spirals,
            certify=certify,
            lakes=lakes,
            countries=codes,
            borders=borders,
            sweep=sweep,
            alternatives=alternatives,
            draws=draws,
            reuse=reuse or [],
            progress=say,
        )
        path = new.write(out)
    _print_line(new, new.standard.label if (grade, radius) != (None, None) else standard, alternatives)
    print_plain(path)


_ALONG_SLOPES = {"bench": "on benches with walls", "gallery": "in galleries", "half_bridge": "on half-bridges"}


def _print_line(new: NewLine, asked: str, alternatives: int) -> None:
    """The line's figures as a table, then what was asked beside it: other lines, draws of the heights, notes.

    Args:
        new: what was found.
        asked: the standard in words.
        alternatives: how many other lines were asked for.
    """
    from corridor.alignment.files import say_certificate

    facts = new.describe()
    low, mid, high = (format_millions(facts["cost_musd"][end]) for end in ("low", "mid", "high"))
    circles = [["spirals", f"{facts['spiral_count']} full circles"]] if facts["spirals"] else []
    rows = [
        ["length", f"{facts['length_km']:.1f} km"],
        ["in tunnels", f"{facts['tunnel_km']:.1f} km, the longest {facts['longest_tunnel_km']:.1f} km"],
        ["on bridges", f"{facts['bridge_km']:.1f} km"],
        *circles,
        ["steepest grade", f"{facts['max_grade_pct']:.2f} %"],
        ["price", f"{mid} million USD ({low}-{high})"],
    ]
    rows.append(["certificate", say_certificate(new.alignment)])
    slopes = [f"{facts[f'{k}_km']:.1f} km {words}" for k, words in _ALONG_SLOPES.items() if facts[f"{k}_km"] >= 0.05]
    if slopes:
        rows.insert(3, ["along slopes", ", ".join(slopes)])
    print_table(f"{new.start.name} - {new.end.name}, {asked}", ["what", "value"], rows)
    for number, other in enumerate(facts["alternatives"], 1):
        print_line(
            f"- alternative {number}: {other['length_km']:.1f} km, {other['tunnel_km']:.1f} km in tunnels, "
            f"{format_millions(other['cost_musd'])} million USD"
        )
    if len(facts["alternatives"]) < alternatives:
        print_line("- no further line that runs elsewhere costs at most half as much again")
    if facts["spread"]:
        told = facts["spread"]["cost_musd"]
        print_line(
            f"- on {told['found']} of {told['draws']} draws of the heights' error there is a line, for "
            f"{format_millions(told['low'])} to {format_millions(told['high'])} million USD "
            f"(middle {format_millions(told['median'])})"
        )
    for note in facts["notes"]:
        print_line(f"- {note}")
