"""Compare the routes of several studies and put all into one CSV table.

One row per candidate route: the study, every metric with its unit in the name, and the rank under a perspective.

python scripts/compare_routes.py syunik my-study.toml --out routes.csv
python scripts/compare_routes.py syunik --osm 2021.osm.pbf --perspective transit-time --out routes-2021.csv
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from corridor.cli.common import load_study
from corridor.comparison import Comparison, compare
from corridor.errors import CorridorError, StudyError
from corridor.files import require_place_for, write_whole
from corridor.report.i18n import clean_line
from corridor.report.tables import write_csv
from corridor.schema.study import Study


def parse_arguments(words: Sequence[str] | None) -> argparse.Namespace:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="compare_routes.py",
        description=about,
        epilog=examples.replace("\npython", "\n  python").replace("\n\n  python", "\n\nexamples:\n  python"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("studies", nargs="+", metavar="STUDY", help="study files, or names of bundled studies")
    parser.add_argument("--osm", type=Path, metavar="FILE", help="OpenStreetMap file for all of them")
    parser.add_argument(
        "--dem", type=Path, metavar="FILE", action="append", default=[], help="elevation raster; again for more"
    )
    parser.add_argument("--perspective", help="whose interest ranks them (default: each study's own)")
    parser.add_argument("--out", type=Path, metavar="FILE", default=Path("routes.csv"), help="default: routes.csv")
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    asked = parse_arguments(words)
    try:
        require_place_for(asked.out, "table")
        studies = load_studies(asked.studies)
        tables = [measure(study, asked) for study in studies]
        table = pd.concat(tables, ignore_index=True)
        write_whole(asked.out, lambda path: write_csv(table, path))
    except CorridorError as fault:
        print(clean_line(f"compare_routes: {' '.join(str(fault).split())}"), file=sys.stderr)
        return 2
    print(clean_line(asked.out))
    return 0


def load_studies(names: Sequence[str]) -> list[Study]:
    """All studies, so that a fault in the last is known before the first is computed."""
    studies = [load_study(name) for name in names]
    ids = [study.id for study in studies]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise StudyError(f"two studies have the id '{twice[0]}': the table couldn't tell them apart")
    return studies


def measure(study: Study, asked: argparse.Namespace) -> pd.DataFrame:
    """Metrics and rank of one study's routes."""

    def say(step: str) -> None:
        if not asked.quiet:
            print(clean_line(f"{study.id}: {step}"), file=sys.stderr)

    try:
        return tabulate(compare(study, osm=asked.osm, dem=asked.dem, progress=say), asked.perspective)
    except CorridorError as fault:
        raise StudyError(f"study '{study.id}': {fault}") from fault


def tabulate(comparison: Comparison, perspective: str | None) -> pd.DataFrame:
    """The metric table with study, date and baseline before it and the rank behind it (empty where not ranked)."""
    metrics = comparison.metrics
    ranks = comparison.rank(perspective)
    keys = [key for key in ("candidate_id", "regime_id") if key in metrics.columns and key in ranks.columns]
    found = metrics.merge(ranks[[*keys, "rank", "score"]], how="left", on=keys, validate="one_to_one")
    found["perspective"] = perspective or comparison.study.default_perspective
    results = comparison.results
    for place, (name, value) in enumerate(
        (("study", results.study_id), ("as_of", results.as_of), ("baseline", results.baseline))
    ):
        found.insert(place, name, value)
    return found


if __name__ == "__main__":
    sys.exit(main())
