"""The design standards of the reference data, and its prices as a search takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from corridor.errors import AlignmentError, CatalogueError
from corridor.packaged import data_root
from corridor.safe_toml import parse_toml
from corridor.schema.alignment import DesignStandard, PriceRange, UnitCosts
from corridor.schema.catalogue import UnitCost
from corridor.schema.vocabulary import Mode, WorkKind


def load_standards(path: Path | None = None) -> dict[str, DesignStandard]:
    """Read design standards by id; without a path those that ship with the package.

    Args:
        path: of a TOML file; the one that ships with the package if left out.

    Returns:
        Standards by id, in the file's order.

    Raises:
        CatalogueError: if the file can't be read or an entry is wrong; names the file, the entry and the field.
    """
    file = path or data_root() / "reference" / "standards.toml"
    content = parse_toml(file, "a file of design standards", CatalogueError)
    for name in ("standard", "defaults"):
        rows = content.get(name, {})
        if not isinstance(rows, dict) or not all(isinstance(row, dict) for row in rows.values()):
            raise CatalogueError(f"{file.name}: {name}: must be tables such as [{name}.rail-18]")
    return {
        name: _standard(file.name, name, entry, content.get("defaults", {}))
        for name, entry in content.get("standard", {}).items()
    }


def _standard(file: str, name: str, entry: dict[str, Any], defaults: dict[str, Any]) -> DesignStandard:
    """One entry, with the defaults of its mode."""
    if entry.get("mode") not in tuple(Mode):
        raise CatalogueError(f"{file}: standard {name}: field mode must be rail or road")
    values = {**defaults.get(entry["mode"], {}), **entry, "standard_id": name}
    values["note"] = values.pop("source", "")
    grade = values.pop("max_grade_pct", None)
    if grade is not None:
        values.setdefault("max_grade_up_pct", grade)
        values.setdefault("max_grade_down_pct", grade)
    known = {f.name: f for f in fields(DesignStandard)}
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CatalogueError(f"{file}: standard {name}: unknown field {', '.join(unknown)}")
    for key, value in values.items():
        wanted = (int, float) if key.endswith(("_m", "_pct", "_kmh", "_doubles")) else (str,)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise CatalogueError(
                f"{file}: standard {name}: field {key} must be a {'number' if float in wanted else 'text'}"
            )
    try:
        return DesignStandard(**values)
    except TypeError as fault:
        raise CatalogueError(f"{file}: standard {name}: a field is missing ({fault})") from fault
    except AlignmentError as fault:
        raise CatalogueError(f"{file}: {fault}") from fault


def find_standard(name: str, path: Path | None = None) -> DesignStandard:
    """One standard by id.

    Raises:
        AlignmentError: if there is none of that name; lists those that there are.
    """
    standards = load_standards(path)
    if name not in standards:
        raise AlignmentError(f"standard {name!r} is not known; choose one of {', '.join(standards)}")
    return standards[name]


def unit_costs(table: Sequence[UnitCost], mode: str) -> UnitCosts:
    """The catalogue's prices of one mode as the search takes them.

    Raises:
        AlignmentError: the catalogue lacks one that the search needs.
    """
    prices = {
        c.kind: PriceRange(c.cost_musd_per_km.low, c.cost_musd_per_km.mid, c.cost_musd_per_km.high)
        for c in table
        if c.mode == mode
    }
    missing = [kind for kind in (WorkKind.SURFACE, WorkKind.BRIDGE, WorkKind.TUNNEL) if kind not in prices]
    if missing:
        raise AlignmentError(f"unit_costs.csv: no row for {mode} {', '.join(missing)}; add one for each")
    upgrade = prices.get(WorkKind.UPGRADE, PriceRange(0, 0, 0))
    return UnitCosts(prices[WorkKind.SURFACE], prices[WorkKind.BRIDGE], prices[WorkKind.TUNNEL], upgrade)


def choose_standard(
    named: str | DesignStandard, grade_permille: float | None = None, radius_m: float | None = None
) -> DesignStandard:
    """A standard, with a ruling grade and a least radius of its own where they are given.

    Args:
        named: a standard, or its id.
        grade_permille: ruling grade up and down, per mille.
        radius_m: least radius of curves, metres.

    Returns:
        The standard; its label says the limits that were changed.

    Raises:
        AlignmentError: there is none of that id, or a limit is out of all bounds.
    """
    standard = find_standard(named) if isinstance(named, str) else named
    own = []
    if grade_permille is not None:
        standard = standard.with_grade(require_within("grade", grade_permille, 0.1, 300.0, "per mille") / 10)
        own.append(f"{grade_permille:g} per mille")
    if radius_m is not None:
        standard = replace(standard, min_radius_m=require_within("radius", radius_m, 0.0, 100_000.0, "m"))
        own.append(f"R {radius_m:g} m")
    # A sheet then says the limits that were asked for, not those that the name promises.
    return replace(standard, label=f"{standard.mode}, {', '.join(own)}") if own else standard


def choose_prices(
    costs: UnitCosts, tunnel_musd_per_km: float | None = None, bridge_musd_per_km: float | None = None
) -> UnitCosts:
    """Prices with another middle price of tunnels or bridges, in million USD per km; their ranges scale along.

    Args:
        costs: the prices.
        tunnel_musd_per_km: of a tunnel; as it is if left out.
        bridge_musd_per_km: of a bridge likewise.

    Returns:
        The changed prices.

    Raises:
        AlignmentError: a price is out of all bounds.
    """
    unit = "million USD per km"
    if tunnel_musd_per_km is not None:
        costs = costs.with_tunnel(require_within("tunnel price", tunnel_musd_per_km, 0.01, 10_000.0, unit))
    if bridge_musd_per_km is not None:
        costs = costs.with_bridge(require_within("bridge price", bridge_musd_per_km, 0.01, 10_000.0, unit))
    return costs


def require_within(what: str, value: float, low: float, high: float, unit: str) -> float:
    """A number inside its range; infinities and what isn't a number are refused.

    Raises:
        AlignmentError: it isn't.
    """
    if not low <= value <= high:
        raise AlignmentError(f"{what}: must be between {low:g} and {high:g} {unit}, not {value:g}")
    return float(value)
