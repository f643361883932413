"""Hold two folders of results against each other, number for number, and say what differs.

Every table, GIS file, page and manifest is read as cells: a row's key, a column, a value. Numbers agree within a
relative tolerance, everything else must be equal. A column that is gone while a new one holds the same values is
called renamed. Exit code 0 if nothing differs but what is allowed, 1 if something does, 2 if a folder can't be read.

The file of intended differences is TOML; names of files and columns may hold ``*`` and ``?``::

    [files]                               # files that may come or go
    added = ["severance.csv"]
    removed = ["strip.csv"]
    renamed = { "strip.csv" = "severance.csv" }

    [renamed."metrics.csv"]               # columns that are read under their new name; their values must agree
    strip_area_km2 = "severed_area_km2"

    [values."metrics.csv".strip_status]   # words that were replaced, in keys too
    not_supported = "no_data"

    [columns]                             # columns that may come or go, and those whose cells may change
    added = { "metrics.csv" = ["vikor_*"] }
    removed = { "*" = ["old_column"] }
    changed = { "findings.json" = ["text"] }

    [rows]                                # files whose rows may come or go
    added = ["data_dictionary.csv"]
    removed = []
"""

from __future__ import annotations

import argparse
import difflib
import json
import math
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pyogrio

from corridor.report.i18n import clean_line

sys.path.insert(0, str(Path(__file__).resolve().parent))

from result_tables import Key, Table, read_tables

RELATIVE = 1e-9
"""Numbers agree if they differ by no more than this share of the larger one; files hold ten significant digits."""
ABSOLUTE = 1e-12


@dataclass
class Allowed:
    """Differences that are intended, and which of them were met."""

    spec: dict[str, Any] = field(default_factory=dict)
    met: set[tuple[str, ...]] = field(default_factory=set)

    def has(self, kind: tuple[str, str], file: str, column: str | None = None) -> bool:
        """Whether a difference of a kind in a file (and column) is intended."""
        listed = self.spec.get(kind[0], {}).get(kind[1], {})
        if column is None:
            patterns = [(p,) for p in (listed if isinstance(listed, list) else []) if fnmatchcase(file, p)]
        else:
            patterns = [
                (f, c)
                for f, columns in listed.items()
                if fnmatchcase(file, f)
                for c in columns
                if fnmatchcase(column, c)
            ]
        self.met.update((*kind, *pattern) for pattern in patterns)
        return bool(patterns)

    def file_names(self) -> dict[str, str]:
        """New names of files by their old ones."""
        return dict(self.spec.get("files", {}).get("renamed", {}))

    def column_names(self, file: str) -> dict[str, str]:
        """New names of a file's columns by their old ones."""
        return {old: new for f, names in self.spec.get("renamed", {}).items() if fnmatchcase(file, f)
                for old, new in names.items()}  # fmt: skip

    def words(self, file: str) -> dict[str, dict[str, Any]]:
        """What replaced which word, by column."""
        return {column: words for f, columns in self.spec.get("values", {}).items() if fnmatchcase(file, f)
                for column, words in columns.items()}  # fmt: skip

    def unmet(self) -> Iterator[str]:
        """Allowances of files, columns and rows that met nothing."""
        for kind in ("files", "columns", "rows"):
            for what, listed in self.spec.get(kind, {}).items():
                if isinstance(listed, list):
                    met = [((kind, what, p), f"{kind}.{what}: {p}") for p in listed]
                elif kind == "columns":
                    met = [((kind, what, f, c), f"{kind}.{what}: {f}: {c}") for f, cs in listed.items() for c in cs]
                else:
                    continue
                yield from (text for key, text in met if key not in self.met)


def load_allowed(path: Path | None) -> Allowed:
    """Read the file of intended differences; no file allows none."""
    if path is None:
        return Allowed()
    try:
        spec = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ValueError(f"{path}: can't be read ({error.strerror}); name a TOML file of differences") from error
    except ValueError as error:  # no text, or no TOML
        raise ValueError(f"{path}: is no TOML file ({error})") from error
    unknown = sorted(set(spec) - {"files", "renamed", "values", "columns", "rows"})
    if unknown:
        raise ValueError(f"{path}: '{unknown[0]}' is unknown; it may hold files, renamed, values, columns and rows")
    return Allowed(spec)


@dataclass
class Report:
    """Differences in words; those that nobody allowed are counted."""

    show: int
    differences: int = 0
    lines: list[str] = field(default_factory=list)

    def say(self, allowed: bool, text: str) -> None:
        """Note one difference."""
        self.differences += not allowed
        self.lines.append(f"{'allowed  ' if allowed else 'DIFFERENT'} {text}")


def agree(old: Any, new: Any, relative: float = RELATIVE) -> bool:
    """Whether two values are the same; numbers within the tolerance, lists item by item."""
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(agree(a, b, relative) for a, b in zip(old, new, strict=True))
    if isinstance(old, dict) and isinstance(new, dict):
        return old.keys() == new.keys() and all(agree(old[k], new[k], relative) for k in old)
    if _is_number(old) and _is_number(new):
        return math.isclose(old, new, rel_tol=relative, abs_tol=ABSOLUTE)
    return bool(type(old) is type(new) and old == new)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def compare_tables(file: str, old: Table, new: Table, allowed: Allowed, report: Report, relative: float) -> None:
    """Note which rows and columns came, went or were renamed, and which cells changed."""
    gone_rows, new_rows = [k for k in old if k not in new], [k for k in new if k not in old]
    for what, keys in (("removed", gone_rows), ("added", new_rows)):
        if keys:
            told = "; ".join("/".join(key) for key in keys[: report.show])
            more = f" and {len(keys) - report.show} more" if len(keys) > report.show else ""
            report.say(allowed.has(("rows", what), file), f"{file}: rows {what}: {len(keys)}: {told}{more}")
    both = [key for key in old if key in new]
    # Rows that are in one folder alone would make every column of theirs look new.
    was, now = _columns(old[key] for key in both), _columns(new[key] for key in both)
    gone, fresh = [c for c in was if c not in now], [c for c in now if c not in was]
    for column in list(gone):
        twin = next((c for c in fresh if _same_column(both, old, new, column, c, relative)), None)
        if twin:
            gone.remove(column)
            fresh.remove(twin)
            fine = allowed.has(("columns", "removed"), file, column) & allowed.has(("columns", "added"), file, twin)
            report.say(fine, f"{file}: column {column} is now {twin}, values as before")
    for what, columns in (("removed", gone), ("added", fresh)):
        for column in columns:
            report.say(allowed.has(("columns", what), file, column), f"{file}: column {what}: {column}")
    for column in was:
        if column in now:
            cells = [(k, old[k].get(column), new[k].get(column)) for k in both if column in old[k] or column in new[k]]
            _compare_column(file, column, cells, allowed, report, relative)


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _same_column(keys: list[Key], old: Table, new: Table, was: str, now: str, relative: float) -> bool:
    """Whether two columns hold the same values, and more than blanks."""
    pairs = [(old[key].get(was), new[key].get(now)) for key in keys]
    return any(a is not None for a, _ in pairs) and all(agree(a, b, relative) for a, b in pairs)


def _compare_column(
    file: str, column: str, cells: list[tuple[Key, Any, Any]], allowed: Allowed, report: Report, relative: float
) -> None:
    changed = [(key, old, new) for key, old, new in cells if not agree(old, new, relative)]
    if not changed:
        return
    far = [abs(a - b) / max(abs(a), abs(b)) for _, a, b in changed if _is_number(a) and _is_number(b)]
    by = f", by up to {max(far):.2g} of the value" if far else ""
    fine = allowed.has(("columns", "changed"), file, column)
    report.say(fine, f"{file}: {column}: {len(changed)} of {len(cells)} cells changed{by}")
    for key, old, new in changed[: report.show]:
        for line in _difference(old, new, report.show):
            report.lines.append(f"            {'/'.join(key)}{': ' if key else ''}{line}")


def _difference(old: Any, new: Any, show: int) -> list[str]:
    """Two values side by side; of long lists only the items that differ."""
    if not (isinstance(old, list) and isinstance(new, list)):
        return [f"{_short(old)} -> {_short(new)}"]
    texts = [[_short(item) for item in items] for items in (old, new)]
    lines = [line for line in difflib.unified_diff(*texts, n=0, lineterm="") if line[:2] not in ("@@", "--", "++")]
    return lines[: 2 * show] or [f"list of {len(old)} -> list of {len(new)}"]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 160 else f"{text[:157]}..."


def compare_folders(old: Path, new: Path, allowed: Allowed, relative: float = RELATIVE, show: int = 3) -> Report:
    """Compare every file of two folders, subfolders too.

    Args:
        old: the folder of before.
        new: the folder of after.
        allowed: differences that are intended.
        relative: numbers agree if they differ by no more than this share of the larger one.
        show: how many rows and cells of each difference are printed.

    Raises:
        OSError: a folder or file can't be read.
        ValueError: a file isn't what its name says.
    """
    report = Report(show)
    renames = allowed.file_names()
    was = {renames.get(name, name): path for name, path in _files(old).items()}
    now = _files(new)
    for what, names in (("removed", [n for n in was if n not in now]), ("added", [n for n in now if n not in was])):
        for name in names:
            report.say(allowed.has(("files", what), name), f"{name}: file {what}")
    none = Allowed()
    for name, path in was.items():
        if name in now:
            before, after = read_tables(path, name), read_tables(now[name], name)
            for part in dict.fromkeys([*before, *after]):
                if part in before and part in after:
                    compare_tables(part, before[part](allowed), after[part](none), allowed, report, relative)
                else:
                    what = "removed" if part in before else "added"
                    report.say(allowed.has(("files", what), part), f"{part}: part {what}")
    return report


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder}: is no folder of results")
    return {str(p.relative_to(folder)): p for p in sorted(folder.rglob("*")) if p.is_file()}


def main(arguments: list[str] | None = None) -> int:
    """Compare and print; gives the exit code."""
    parser = argparse.ArgumentParser(
        prog="compare_results",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="example: python scripts/compare_results.py results-before results-after --allow intended.toml",
    )
    parser.add_argument("old", type=Path, help="folder that `corridor run` wrote before")
    parser.add_argument("new", type=Path, help="folder that it wrote after")
    parser.add_argument("--allow", type=Path, metavar="FILE", help="TOML file of intended differences")
    parser.add_argument("--tolerance", type=float, default=RELATIVE, metavar="SHARE", help=f"relative; {RELATIVE:g}")
    parser.add_argument("--show", type=int, default=3, metavar="N", help="rows and cells printed of each difference")
    asked = parser.parse_args(arguments)
    try:
        allowed = load_allowed(asked.allow)
        report = compare_folders(asked.old, asked.new, allowed, asked.tolerance, asked.show)
    except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
        print(clean_line(f"compare_results: {' '.join(str(error).split())}"), file=sys.stderr)
        return 2
    for line in report.lines:
        print(clean_line(line))
    for text in allowed.unmet():
        print(clean_line(f"note      allowed, and not met: {text}"))
    print(f"differences: {report.differences}" if report.differences else "the same, within what is allowed")
    return 1 if report.differences else 0


if __name__ == "__main__":
    sys.exit(main())
