"""What an earlier run measured of candidates under regimes, as long-distance cases take it."""

from __future__ import annotations

import csv
import math
from pathlib import Path

from corridor.errors import SourceError
from corridor.flows.changes import Measures
from corridor.input_files import require_file

_MAX_BYTES = 50_000_000


def read_measured(path: Path) -> dict[tuple[str, str], Measures]:
    """Read rows of ``metrics.csv`` by candidate and regime.

    Args:
        path: The table that ``corridor run`` wrote.

    Returns:
        Columns by candidate and regime: numbers where a cell is one, text elsewhere, None where it is empty.

    Raises:
        SourceError: there is no such file, or it has no column ``candidate_id`` or no rows.
    """
    require_file(path, "table of metrics", _MAX_BYTES)
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (UnicodeDecodeError, csv.Error) as fault:
        raise SourceError(f"{path}: is not a UTF-8 table with commas ({fault})") from fault
    if not rows or "candidate_id" not in rows[0]:
        raise SourceError(f"{path}: has no column candidate_id or no rows; give metrics.csv of `corridor run`")
    return {
        (row.get("candidate_id") or "", row.get("regime_id") or ""): {
            name: _value(cell) for name, cell in row.items() if isinstance(name, str)
        }
        for row in rows
    }


def _value(cell: object) -> float | str | None:
    text = cell.strip() if isinstance(cell, str) else ""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
