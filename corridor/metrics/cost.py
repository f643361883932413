"""Cost of what of a candidate is still to be built or put back into use, line by line, and what that takes to keep."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pandas as pd

from corridor.errors import CatalogueError
from corridor.metrics.distance import total
from corridor.metrics.registry import Subject, Values, derived, metric
from corridor.schema.candidate import Candidate, DesignedWork, Part
from corridor.schema.catalogue import ZERO, Costing, Estimate, UnitCost
from corridor.schema.column import Column, Kind, Shown, Unit
from corridor.schema.vocabulary import BedRoad, LineKind, Mode, StructureKind, WorkKind, Works

ENDS = "ends"
"""Kind of a line for portals and abutments of a new line, which are priced by the piece."""
_KEPT_AS = {
    LineKind.TUNNEL: WorkKind.TUNNEL,
    LineKind.GALLERY: WorkKind.TUNNEL,
    LineKind.BRIDGE: WorkKind.BRIDGE,
    LineKind.HALF_BRIDGE: WorkKind.BRIDGE,
}
"""Whose rate of upkeep the kinds of a designed line have; the others that of open line."""
_PRICE_COLUMNS = ("cost_musd", "cost_spent_musd", "cost_remaining_musd", "upkeep_musd")


@dataclass(frozen=True, slots=True)
class CostLine:
    """A line of a candidate's bill: one kind of work on one part; money in millions of US dollars.

    ``whole_musd`` is the price of all ``km``, ``spent_musd`` what of it is built, ``remaining_musd`` what is left:
    exact progress gives ``spent + remaining = whole`` at all three values, unknown progress (None) at the middle, and
    at crossed ends. ``upkeep_musd`` is the present value of keeping it over the years of the parameters.
    """

    section_id: str
    part: str
    country: str
    mode: Mode
    works: Works
    kind: str
    km: Estimate
    whole_musd: Estimate
    spent_musd: Estimate
    remaining_musd: Estimate
    upkeep_musd: Estimate
    progress_pct: float | None
    progress_as_of: str
    price_year: str


@derived
def cost_bill(
    candidate: Candidate, unit_costs: Sequence[UnitCost], costing: Costing, bed_road: BedRoad
) -> tuple[CostLine, ...]:
    """Lines of the bill for what is still to be built or put back into use, part by part and kind by kind.

    Planned, unfinished and missing stretches are priced as surface, and their tunnels and bridges by their own prices
    unless the price of the surface holds them. Closed, disused and abandoned ones are put back into use whole, with
    their structures. What was designed here has the prices of its design. Where a railway takes a bed on which a road
    lies, another road is priced in its place, unless a road of the same package stands in for it; where it leaves the
    bed to another route of its package, it is built anew beside it.

    Raises:
        CatalogueError: a kind of construction has no unit cost, or no rate of upkeep.
    """
    book = _PriceBook(candidate.candidate_id, unit_costs, costing)
    lines: list[CostLine] = []
    off_bed, stood_in = candidate.off_bed, candidate.old_bed is not None and candidate.old_bed.road_by != ""
    for part in (part for part in candidate.parts if part.works is not Works.NONE):
        bed = part.documented_works.road_on_bed_km if part.mode is Mode.RAIL else None
        if bed is not None and part in off_bed:
            lines += _lines_beside_bed(part, bed, book)
            continue
        lines += _lines_of(part, book)
        if bed is not None and bed_road is BedRoad.REPLACED and not stood_in:
            lines.append(book.line(part, Mode.ROAD, Works.REPLACEMENT, WorkKind.SURFACE, bed, ZERO))
    return tuple(lines)


def _lines_beside_bed(part: Part, bed: Estimate, book: _PriceBook) -> list[CostLine]:
    """Lines for a railway that is put back into use, but for the kilometres of its bed where the road stays."""
    if part.works is not Works.UPGRADE:
        return _lines_of(part, book)
    length = part.length_km
    rest = Estimate(max(length.low - bed.high, 0.0), max(length.mid - bed.mid, 0.0), max(length.high - bed.low, 0.0))
    kept = book.line(part, part.mode, part.works, WorkKind.UPGRADE, rest, ZERO)
    return [kept, book.line(part, part.mode, Works.NEW, WorkKind.SURFACE, bed, ZERO)]


def _lines_of(part: Part, book: _PriceBook) -> list[CostLine]:
    """Lines for what is to be done to a part itself, each with its progress."""
    documented = part.documented_works.progress_pct
    if documented is not None:
        built = Estimate.exact(documented)
    else:
        built = book.costing.unknown_progress_pct if part.works is Works.UNFINISHED else ZERO
    if part.works is Works.UPGRADE:
        return [book.line(part, part.mode, part.works, WorkKind.UPGRADE, part.length_km, built)]
    if part.design:
        lines = [book.designed(part, work, built) for work in part.design.works]
        return [*lines, book.ends(part, part.design.ends_musd)]
    held = book.price(part.mode, WorkKind.SURFACE).includes
    apart = [
        (WorkKind(kind), km)
        for kind, km in ((StructureKind.TUNNEL, part.tunnel_km), (StructureKind.BRIDGE, part.bridge_km))
        if kind not in held and km > 0
    ]
    # Structures may add up to more than the least length: then no open line is left, not a negative one.
    structures = sum(km for _, km in apart)
    length = part.length_km
    surface = Estimate(
        max(length.low - structures, 0), max(length.mid - structures, 0), max(length.high - structures, 0)
    )
    kinds = [(WorkKind.SURFACE, surface), *((kind, Estimate.exact(km)) for kind, km in apart)]
    return [book.line(part, part.mode, part.works, kind, km, built) for kind, km in kinds]


class _PriceBook:
    """Prices and rates of upkeep by mode and kind, as one candidate asks for them."""

    def __init__(self, candidate_id: str, unit_costs: Sequence[UnitCost], costing: Costing) -> None:
        self.costing = costing
        self._candidate_id = candidate_id
        self._prices = {(cost.mode, cost.kind): cost for cost in unit_costs}
        self._upkeep = {(rate.mode, rate.kind): rate.musd_per_km_year for rate in costing.upkeep}
        self._years = _annuity_years(costing)

    def price(self, mode: Mode, kind: WorkKind) -> UnitCost:
        """The price of a kind of work.

        Raises:
            CatalogueError: there is none.
        """
        if (mode, kind) not in self._prices:
            raise CatalogueError(f"unit_costs.csv: no row for {mode} {kind}; candidate '{self._candidate_id}' needs it")
        return self._prices[mode, kind]

    def _kept(self, km: Estimate, mode: Mode, kind: WorkKind) -> Estimate:
        """What keeping some kilometres costs over the years, in today's money.

        Raises:
            CatalogueError: there is no rate: what isn't known to cost anything isn't free.
        """
        if (mode, kind) not in self._upkeep:
            raise CatalogueError(f"upkeep.csv: no row for {mode} {kind}; candidate '{self._candidate_id}' needs it")
        return _product(_product(km, self._upkeep[mode, kind]), self._years)

    def line(self, part: Part, mode: Mode, works: Works, kind: WorkKind, km: Estimate, built_pct: Estimate) -> CostLine:
        """A line of the bill: kilometres at their price, of which a share (percent) is built."""
        price = self.price(mode, kind)
        own = works is not Works.REPLACEMENT
        return self._line(
            part, mode, works, kind, km,
            whole=_product(km, price.cost_musd_per_km),
            built_pct=built_pct,
            upkeep=self._kept(km, mode, kind) if own else ZERO,
            price_year=price.price_year,
        )  # fmt: skip

    def designed(self, part: Part, work: DesignedWork, built_pct: Estimate) -> CostLine:
        """A line of the bill for what a designed part is built of, at the price of its design."""
        km, kept_as = Estimate.exact(work.km), _KEPT_AS.get(work.kind, WorkKind.SURFACE)
        return self._line(
            part, part.mode, part.works, work.kind, km,
            whole=work.musd,
            built_pct=built_pct,
            upkeep=self._kept(km, part.mode, kept_as),
            price_year=self.price(part.mode, WorkKind.SURFACE).price_year,
        )  # fmt: skip

    def ends(self, part: Part, price: Estimate) -> CostLine:
        """A line for the portals and abutments of a designed part."""
        year = self.price(part.mode, WorkKind.SURFACE).price_year
        return self._line(part, part.mode, part.works, ENDS, ZERO, price, ZERO, ZERO, year)

    def _line(
        self, part: Part, mode: Mode, works: Works, kind: str, km: Estimate, whole: Estimate, built_pct: Estimate,
        upkeep: Estimate, price_year: str,
    ) -> CostLine:  # fmt: skip
        documented = part.documented_works
        known = works is not Works.REPLACEMENT and documented.progress_pct is not None
        begun = works is Works.UNFINISHED
        return CostLine(
            section_id=part.section_id,
            part=part.name,
            country=part.country,
            mode=mode,
            works=works,
            kind=kind,
            km=km,
            whole_musd=whole,
            spent_musd=_product(whole, built_pct.scaled(0.01)),
            # most is left where least is built
            remaining_musd=Estimate(
                whole.low * (1 - built_pct.high / 100),
                whole.mid * (1 - built_pct.mid / 100),
                whole.high * (1 - built_pct.low / 100),
            ),
            upkeep_musd=upkeep,
            progress_pct=documented.progress_pct if known else None if begun else 0.0,
            progress_as_of=documented.progress_as_of if known else "",
            price_year=price_year,
        )


def _product(a: Estimate, b: Estimate) -> Estimate:
    return Estimate(a.low * b.low, a.mid * b.mid, a.high * b.high)


def _annuity_years(costing: Costing) -> Estimate:
    """Years of upkeep in today's money: ``(1 - (1 + r)^-n) / r``, most at the least rate of discount.

    >>> from corridor.schema.catalogue import Costing, Estimate
    >>> year = Estimate(30, 30, 30)
    >>> round(_annuity_years(Costing(Estimate(0, 0, 90), year, Estimate(0, 5, 9))).mid, 3)
    15.372
    """

    def present(years: float, rate_pct: float) -> float:
        rate = rate_pct / 100
        # Without a discount each year counts in full; the formula would divide by zero.
        return float((1 - (1 + rate) ** -years) / rate) if rate else years

    years, rate = costing.upkeep_years, costing.discount_rate_pct
    # The fewest years at the highest rate are worth least today, so the ends of the rate change places.
    return Estimate(present(years.low, rate.high), present(years.mid, rate.mid), present(years.high, rate.low))


@metric(
    Subject.COST,
    Column(
        "cost_remaining_musd", Unit.MUSD, "price of what is left to be built or put back into use",
        "cost_musd x (1 - documented progress); unknown progress widens the range", interval=True,
    ),
    Column(
        "cost_spent_musd", Unit.MUSD, "price of what is built of unfinished parts", "cost_musd x documented progress",
        interval=True,
    ),
    Column(
        "cost_musd", Unit.MUSD, "price of all that isn't open today, built or not: new and unfinished ways, upgrades, "
        "gaps, replaced roads", "km by kind x unit_costs.csv", interval=True,
    ),
    Column(
        "cost_remaining_musd_{country}", Unit.MUSD, "the same within a country", "sum of its lines", interval=True,
        shown=Shown.FILES, absent=0.0,
    ),
    Column(
        "upkeep_musd", Unit.MUSD, "what it takes to keep all that isn't open today, discounted",
        "km by kind x upkeep.csv over the years of costing.csv", interval=True,
    ),
    Column(
        "cost_progress_unknown_km", Unit.KM, "length under construction of which no document says the progress",
        "sum of parts", shown=Shown.FILES,
    ),
    Column(
        "cost_structures_unknown_km", Unit.KM,
        "length to be built of which no document says how much lies in tunnels or on bridges that the price of open "
        "line doesn't hold: none of these is in the price",
        "sum of schematic parts that are built anew", shown=Shown.FILES,
    ),
    Column("cost_price_year", Unit.NONE, "year of the prices", "unit_costs.csv", kind=Kind.TEXT, shown=Shown.FILES),
    status="cost_status",
)  # fmt: skip
def measure_cost(candidate: Candidate, cost_bill: Sequence[CostLine], unit_costs: Sequence[UnitCost]) -> Values:
    """Price of the works, what of it is spent and left, by country, and upkeep: sums of the lines of the bill."""
    held = {price.mode: price.includes for price in unit_costs if price.kind is WorkKind.SURFACE}
    built = [part for part in candidate.parts if part.works not in (Works.NONE, Works.UPGRADE) and not part.design]
    unknown = [part for part in candidate.parts if part.works is Works.UNFINISHED and _progress(part) is None]
    return {
        "cost_musd": total(line.whole_musd for line in cost_bill),
        "cost_spent_musd": total(line.spent_musd for line in cost_bill),
        "cost_remaining_musd": total(line.remaining_musd for line in cost_bill),
        **{
            f"cost_remaining_musd_{country.lower()}": total(
                line.remaining_musd for line in cost_bill if line.country == country
            )
            for country in sorted({part.country for part in candidate.parts} - {""})  # one unknown has no column
        },
        "upkeep_musd": total(line.upkeep_musd for line in cost_bill),
        "cost_progress_unknown_km": sum(part.length_km.mid for part in unknown),
        "cost_structures_unknown_km": sum(
            part.length_km.mid for part in built if part.not_quoted - held.get(part.mode, frozenset())
        ),
        "cost_price_year": price_years(cost_bill),
    }


def _progress(part: Part) -> float | None:
    return part.documented_works.progress_pct


def price_years(lines: Iterable[CostLine]) -> str:
    """Years of the prices of some lines, each once: ``2024``, ``2019, 2024``; empty where there is no line."""
    return ", ".join(sorted({line.price_year for line in lines if line.price_year}))


def breakdown_table(lines: dict[str, Sequence[CostLine]]) -> pd.DataFrame:
    """The bills of candidates as a table: a row per line, figures with their ends.

    Args:
        lines: by candidate.

    Returns:
        Rows of ``cost_breakdown.csv``.
    """
    rows = []
    for candidate_id, own in lines.items():
        for line in own:
            row: dict[str, object] = {
                "candidate_id": candidate_id, "section_id": line.section_id, "part_name": line.part,
                "country": line.country, "mode": line.mode, "works": line.works, "kind": line.kind,
            }  # fmt: skip
            figures = (line.km, line.whole_musd, line.spent_musd, line.remaining_musd, line.upkeep_musd)
            for name, value in zip(("works_km", *_PRICE_COLUMNS), figures, strict=True):
                row |= {name: value.mid, f"{name}_low": value.low, f"{name}_high": value.high}
            row |= {
                "progress_pct": line.progress_pct, "progress_as_of": line.progress_as_of,
                "price_year": line.price_year,
            }  # fmt: skip
            rows.append(row)
    return pd.DataFrame(rows)
