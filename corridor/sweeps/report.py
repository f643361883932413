"""What a sweep says: how often each candidate wins, and which of the varied inputs that hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import stats

from corridor.errors import SweepError
from corridor.files import unwritable
from corridor.report.i18n import read_asset
from corridor.report.tables import write_csv
from corridor.sweeps.dataset import SweepFolder, write_whole
from corridor.theme import css_theme

FILES = ("report.html", "wins.csv", "drivers.csv")
_KEYS = ["regime_id", "panel", "perspective"]
_LEAST_PER_FACTOR = 16
"""Points that a sample needs for each factor before shares are told: in fewer, one input passes for another."""
_NAMED = ("dem-error",)
"""Kinds of factor whose numbers are names: a draw is no more than another."""

BEST_POSSIBLE = (
    "Where figures aren't known a route counts with the best place that they leave possible: it may be no better than "
    "others, and routes that may all be first share the first place. What is left for sure stands beside it."
)
"""What every reader of places in a sweep is told."""


@dataclass(frozen=True)
class SweepReport:
    """The tables of a sweep.

    ``wins``: a row per regime, panel, perspective and candidate, with ``points`` (comparisons in which the panel was
    ranked), ``win_share`` (a shared first place counts in part), ``sure_share`` (the part of it that hangs on no figure
    that isn't known), ``ranked_share``, ``mean_rank``, ``score_p05``, ``score_median`` and ``score_p95``. Where metrics
    are undetermined a rank is the best that they leave possible: every route that can be first has its part of the
    first place. ``drivers``: for each of these candidates that was ranked in every point a row per factor, with the
    ``share`` of the variance of its lead over the best other
    candidate, and its ``rank_correlation`` with that lead. ``faults``: why points could not be compared, with how many.
    """

    manifest: dict[str, Any]
    results: pd.DataFrame

    @property
    def design(self) -> str:
        """How points were chosen."""
        return str(self.manifest["vary"]["design"])

    @property
    def points(self) -> int:
        """Points of the plan that are done."""
        return int(self.results["task"].nunique())

    @property
    def perspectives(self) -> list[str]:
        """Perspectives ranked under, the study's own first."""
        names = [c.removeprefix("rank:") for c in self.results.columns if c.startswith("rank:")]
        own = self.manifest["default_perspective"]
        return sorted(names, key=lambda name: name != own)

    @cached_property
    def faults(self) -> pd.DataFrame:
        """Columns ``fault`` and ``points``."""
        wrong = self.results[self.results["fault"] != ""]
        return wrong.groupby("fault", sort=False)["task"].nunique().rename("points").reset_index()

    @cached_property
    def _long(self) -> pd.DataFrame:
        """A row per point, regime, panel, perspective and candidate, with rank and score."""
        good = self.results[self.results["fault"] == ""]
        tables = [
            good[["task", "regime_id", "panel", "candidate_id"]].assign(
                perspective=name, rank=good[f"rank:{name}"], sure=good[f"sure:{name}"], score=good[f"score:{name}"]
            )
            for name in self.perspectives
        ]
        long = pd.concat(tables, ignore_index=True)
        # Candidates that share the first rank share the win, so that the wins of a point sum up to one.
        firsts = (long["rank"] == 1).groupby([long[key] for key in ["task", *_KEYS]]).transform("sum")
        long["win"] = np.where((long["rank"] == 1) & (firsts > 0), 1 / firsts.clip(lower=1), 0.0)
        long["surely"] = long["win"] * long["sure"].fillna(0.0)
        long["judged"] = long["rank"].notna().groupby([long[key] for key in ["task", *_KEYS]]).transform("any")
        return long[long["judged"]]

    @cached_property
    def wins(self) -> pd.DataFrame:
        """See the class."""
        long = self._long
        points = long.groupby(_KEYS, sort=False)["task"].nunique().rename("points")
        by = long.groupby([*_KEYS, "candidate_id"], sort=False)
        table = pd.DataFrame(
            {
                "ranked": by["rank"].count(),
                "won": by["win"].sum(),
                "sure": by["surely"].sum(),
                "mean_rank": by["rank"].mean(),
                "score_p05": by["score"].quantile(0.05),
                "score_median": by["score"].median(),
                "score_p95": by["score"].quantile(0.95),
            }
        ).reset_index()
        table = table.merge(points.reset_index(), on=_KEYS)
        table["ranked_share"] = table.pop("ranked") / table["points"]
        table["win_share"] = table.pop("won") / table["points"]
        table["sure_share"] = table.pop("sure") / table["points"]
        first = [*_KEYS, "candidate_id", "points", "win_share", "sure_share", "ranked_share"]
        table = table[[*first, *(c for c in table.columns if c not in first)]]
        order = {name: place for place, name in enumerate(self.perspectives)}
        table["order"] = table["perspective"].map(order)
        table = table.sort_values(
            ["order", "regime_id", "panel", "win_share", "mean_rank"],
            ascending=[True, True, False, False, True],
            kind="stable",
            ignore_index=True,
        )
        return table.drop(columns="order")

    @cached_property
    def drivers(self) -> pd.DataFrame:
        """See the class."""
        factors = {c.removeprefix("factor:"): c for c in self.results.columns if c.startswith("factor:")}
        points = self.results.drop_duplicates("task").set_index("task")
        rows: list[dict[str, Any]] = []
        for key, group in self._long.groupby(_KEYS, sort=False):
            scores = group.pivot(index="task", columns="candidate_id", values="score")
            # A lead needs scores at every point: who lacks one anywhere is left out.
            scores = scores.loc[:, scores.notna().all()]
            if scores.shape[1] < 2:
                continue
            for candidate in scores.columns:
                lead = (scores[candidate] - scores.drop(columns=candidate).max(axis=1)).to_numpy(dtype=float)
                for name, column in factors.items():
                    values = points.loc[scores.index, column]
                    rows.append(
                        dict(zip(_KEYS, key, strict=True))
                        | {
                            "candidate_id": candidate,
                            "factor": name,
                            "share": self._share(name, values, lead),
                            "rank_correlation": self._correlation(name, values, lead),
                        }
                    )
        columns = [*_KEYS, "candidate_id", "factor", "share", "rank_correlation"]
        return pd.DataFrame(rows, columns=columns)

    def _share(self, name: str, values: pd.Series, lead: np.ndarray[Any, Any]) -> float:
        if self.design != "product" and len(lead) < _LEAST_PER_FACTOR * len(self.manifest["vary"]["factors"]):
            return float("nan")
        return variance_share(values, lead, balanced=self._is_balanced(name, len(lead)))

    def _is_balanced(self, name: str, points: int) -> bool:
        """Whether the other inputs are spread alike over every group of this one: then group means are its effect."""
        factors = self.manifest["vary"]["factors"]
        regimes = [f for f in factors.values() if f["kind"] == "regime"]
        whole = points == self.manifest["tasks"] // (len(regimes[0]["values"]) if regimes else 1)
        even = self.design == "product" or (self.design == "sobol" and factors[name]["kind"] not in _NAMED)
        return whole and even

    def _correlation(self, name: str, values: pd.Series, lead: np.ndarray[Any, Any]) -> float:
        kind = self.manifest["vary"]["factors"][name]["kind"]
        return float("nan") if kind in _NAMED else rank_correlation(values, lead)

    def panels(self, perspective: str) -> list[dict[str, Any]]:
        """For one perspective, each regime and panel in words: ``title``, ``points``, ``wins`` and ``drivers``.

        The drivers are those of the candidate that wins most often, the strongest first.
        """
        found = []
        chosen = self.wins[self.wins["perspective"] == perspective]
        for (regime, panel), wins in chosen.groupby(["regime_id", "panel"], sort=False):
            leader = wins["candidate_id"].iloc[0]
            same = self.drivers[
                (self.drivers[_KEYS] == [regime, panel, perspective]).all(axis=1)
                & (self.drivers["candidate_id"] == leader)
            ]
            found.append(
                {
                    "title": f"{str(panel).capitalize()} routes" + (f" under {regime}" if regime else ""),
                    "points": int(wins["points"].iloc[0]),
                    "leader": leader,
                    "wins": wins.to_dict("records"),
                    "drivers": same.sort_values("share", ascending=False, kind="stable").to_dict("records"),
                    "rest": max(0.0, 1 - float(same["share"].sum())) if len(same) else None,
                }
            )
        return found


def load_report(folder: str | Path) -> SweepReport:
    """Read a sweep's folder, finished or not.

    Raises:
        SweepError: it holds no sweep, nothing is done yet, or no point could be compared.
    """
    place = SweepFolder(Path(folder))
    report = SweepReport(place.manifest(), place.read())
    _refuse_strange(report, place.path)
    if (report.results["fault"] != "").all():
        reason = report.faults["fault"].iloc[0]
        raise SweepError(f"{place.path}: none of its {report.points} points could be compared: {reason}")
    return report


def _refuse_strange(report: SweepReport, folder: Path) -> None:
    """Refuse results that don't have what their sweep says that it varied and ranked.

    Raises:
        SweepError: names a column.
    """
    ranked = [f"{word}:{name}" for name in report.perspectives for word in ("rank", "sure", "score")]
    if report.results.empty:
        raise SweepError(f"{folder}: none of its results belongs to its plan; run the sweep again")
    wanted = {"fault", "regime_id", "panel", "candidate_id", *ranked}
    factors = {name.removeprefix("factor:") for name in report.results.columns if name.startswith("factor:")}
    odd = sorted(wanted - set(report.results.columns)) + sorted(factors - set(report.manifest["vary"]["factors"]))
    if odd or not report.perspectives:
        what = f"column '{odd[0]}'" if odd else "a ranking"
        raise SweepError(
            f"{folder}: its results and its sweep.json don't belong together ({what}); run the sweep again"
        )
    good = report.results[report.results["fault"] == ""]
    if good.duplicated(["task", "regime_id", "panel", "candidate_id"]).any():
        raise SweepError(f"{folder}: its results have a candidate twice in one point; run the sweep again")


def write_report(report: SweepReport, folder: str | Path) -> Path:
    """Write report.html, wins.csv and drivers.csv into a folder; gives the page's path.

    Raises:
        OutputError: the folder can't be written.
    """
    target = Path(folder)
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    theme = Markup(css_theme())  # noqa: S704  (the package's own)
    page = environment.from_string(read_asset("sweep.html.j2")).render(
        report=report, theme=theme, best_possible=f"A route that shares the first place counts in part. {BEST_POSSIBLE}"
    )
    try:
        write_csv(report.wins, target / "wins.csv")
        write_csv(report.drivers, target / "drivers.csv")
        write_whole(target / FILES[0], page.encode())
    except OSError as fault:
        raise unwritable(target, fault, "allow it, or copy the sweep's folder to where it can be") from fault
    return target / FILES[0]


Floats = NDArray[np.float64]
_LEAST_IN_GROUP = 4


def variance_share(values: pd.Series, answer: Floats, *, balanced: bool) -> float:
    """Share of an answer's variance that one input explains by itself, 0 to 1: its first-order index.

    The answer's means over groups of like input are compared with its variance (correlation ratio); numbers with many
    values are grouped by quantile. In a ``balanced`` product that is exact for the values taken, and
    nearly so in Sobol points, whose groups lie evenly over the other inputs; else what groups would explain by chance
    is taken off (Kelley 1935, doi:10.1073/pnas.21.9.554; for indices from given data
    see Plischke, Borgonovo and Smith 2013, doi:10.1016/j.ejor.2012.11.047). 0 where the answer never changes, NaN
    where there are too few points.

    Args:
        values: of the input, one per point.
        answer: of the model, one per point.
        balanced: whether all combinations of inputs were taken.

    >>> variance_share(pd.Series(["a", "a", "b", "b"]), np.array([0.0, 1.0, 2.0, 3.0]), balanced=True)
    0.8
    """
    groups = _groups(values)
    count, kinds = len(answer), int(groups.max(initial=-1)) + 1
    if count < 2 or (not balanced and count <= kinds):
        return float("nan")
    total = float(((answer - answer.mean()) ** 2).sum())
    # Differences that are rounding alone are no variance.
    if total <= 1e-24 * max(1.0, float((answer**2).sum())):
        return 0.0
    sizes = np.bincount(groups, minlength=kinds)
    means = np.bincount(groups, answer, minlength=kinds) / sizes
    within = float(((answer - means[groups]) ** 2).sum())
    between = total - within
    if not balanced:
        # Groups of random points differ by chance: the variance that this would give is taken off.
        between -= (kinds - 1) * within / (count - kinds)
    return float(np.clip(between / total, 0.0, 1.0))


def _groups(values: pd.Series) -> NDArray[np.int64]:
    """Number of the group that each value belongs to, from 0."""
    if 2 * values.nunique() <= len(values) or not pd.api.types.is_numeric_dtype(values):
        return np.asarray(pd.factorize(values)[0], dtype=np.int64)
    # as many groups as balance what each hides inside against how well its mean is known
    count = min(max(2, round(1.5 * len(values) ** (1 / 3))), max(2, len(values) // _LEAST_IN_GROUP))
    order = stats.rankdata(values, method="ordinal") - 1
    return np.asarray(order * count // len(values), dtype=np.int64)


def rank_correlation(values: pd.Series, answer: Floats) -> float:
    """Spearman's rank correlation, -1 to 1; NaN for inputs that are no numbers and where either never changes."""
    if not pd.api.types.is_numeric_dtype(values) or values.nunique() < 2 or np.ptp(answer) == 0:
        return float("nan")
    return float(stats.spearmanr(values, answer).statistic)
