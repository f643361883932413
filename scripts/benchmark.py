"""Measure how fast parts of the package are on this machine; nothing here is needed to use it.

python scripts/benchmark.py mcda
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version

COMMANDS: dict[str, Callable[[], None]] = {}


def command(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    """Put a benchmark on the list of commands."""

    def keep(function: Callable[[], None]) -> Callable[[], None]:
        COMMANDS[name] = function
        return function

    return keep


def seconds(job: Callable[[], object], repeats: int) -> list[float]:
    """Run times of a job, after one run that isn't counted."""
    job()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        job()
        times.append(time.perf_counter() - start)
    return times


@command("mcda")
def mcda() -> None:
    """SMAA with TOPSIS: 10,000 weight draws x 24 alternatives x 12 criteria, against a loop through pymcdm."""
    import numpy as np
    from pymcdm.helpers import rankdata
    from pymcdm.methods import TOPSIS

    from corridor.model.criterion import Criterion
    from corridor.scoring.draws import WeightSpace, draw_weights
    from corridor.scoring.matrix import Panel
    from corridor.scoring.robustness import measure_robustness

    draws, count, width = 10_000, 24, 12
    metrics = np.random.default_rng(1).random((count, width))
    # Both ends present in every column: then the anchors are the min and max that pymcdm normalises by.
    metrics[0, ::2], metrics[1, ::2], metrics[0, 1::2], metrics[1, 1::2] = 0.0, 1.0, 1.0, 0.0
    criteria = tuple(Criterion(f"c{k}", f"C{k}", f"m{k}", "", "max", "all", 1.0, 0.0) for k in range(width))
    names = tuple(f"a{i}" for i in range(count))
    panel = Panel("", "through", names, names, criteria, metrics, metrics, metrics)
    weights = draw_weights(panel, WeightSpace(), draws, np.random.default_rng(0).spawn(3)[0])
    method, types = TOPSIS(), np.ones(width)

    def by_pymcdm() -> np.ndarray:
        counts = np.zeros((count, count))
        for row in weights:
            ranks = rankdata(method(metrics, row, types, validation=False), reverse=True)
            counts[np.arange(count), np.asarray(ranks, dtype=int) - 1] += 1
        return counts / draws

    ours = measure_robustness(panel, method="topsis", draws=draws, seed=0)
    start = time.perf_counter()
    theirs = by_pymcdm()
    slow = time.perf_counter() - start
    fast = seconds(lambda: measure_robustness(panel, method="topsis", draws=draws, seed=0), 15)
    middle = statistics.median(fast)
    print(f"SMAA with TOPSIS, {draws} draws x {count} alternatives x {width} criteria")
    print(f"  largest difference of a rank acceptability: {np.abs(ours.acceptability - theirs).max():.1e}")
    print(f"  loop through pymcdm {version('pymcdm')} (its input checks off): {slow:.3f} s")
    print(f"  corridor, with central weights, confidence and pairwise wins: {middle:.4f} s (median of {len(fast)})")
    print(f"  ratio: {slow / middle:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("name", choices=sorted(COMMANDS), help="which benchmark")
    COMMANDS[parser.parse_args().name]()


if __name__ == "__main__":
    main()
