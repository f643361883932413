"""Draw where a command of this package spends its processor time, as one flame graph.

python scripts/profile_run.py --out profile.svg run syunik --quiet --out results
python scripts/profile_run.py --out profile.svg run --osm region.osm.pbf --out results

What called what is looked at every few milliseconds of processor time. Each box is a function, as wide as its share of
the time with all that it called, on top of what called it; a pointer on a box shows its seconds.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from xml.sax.saxutils import escape, quoteattr

EVERY_S = 0.005
_WIDTH, _ROW, _LETTER = 1200.0, 16, 6.3
NARROWEST = 0.5
"""Width below which a box is left out, of the picture's 1,200."""
_COLOURS = ("#e8a15c", "#e3b778", "#d98f5f", "#efc38b")
Stack = tuple[str, ...]


def sample(job: Callable[[], object], every_s: float = EVERY_S) -> tuple[Counter[Stack], float]:
    """How often each stack of functions was met while a job ran, and its seconds of processor time."""
    stacks: Counter[Stack] = Counter()

    def take(_: int, frame: FrameType | None) -> None:
        stacks[stack_of(frame)] += 1

    before = signal.signal(signal.SIGPROF, take)
    begin = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, every_s, every_s)
    try:
        job()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)
    return stacks, time.process_time() - begin


def stack_of(frame: FrameType | None) -> Stack:
    """The functions that stand on a frame, the outermost first; each with its file under the package or library."""
    names = []
    while frame is not None:
        code = frame.f_code
        path = code.co_filename.rsplit("site-packages/", 1)[-1]
        names.append(f"{'/'.join(Path(path).parts[-2:])}: {code.co_name}")
        frame = frame.f_back
    return tuple(reversed(names))


@dataclass
class Box:
    """A function on top of those that called it: how often it was met there, and what it called."""

    count: int = 0
    calls: dict[str, Box] = field(default_factory=dict)


def gather(stacks: Counter[Stack]) -> Box:
    """Stacks as boxes on boxes."""
    root = Box()
    for stack, count in stacks.items():
        at = root
        at.count += count
        for name in stack:
            at = at.calls.setdefault(name, Box())
            at.count += count
    return root


def draw(root: Box, seconds: float, title: str, narrowest: float = NARROWEST) -> str:
    """The flame graph as SVG, the outermost function at the bottom and the widest first."""
    shapes: list[str] = []
    height = (_depth(root) + 2) * _ROW
    scale = _WIDTH / max(root.count, 1)

    def put(name: str, box: Box, left: float, level: int) -> None:
        width = box.count * scale
        if width < narrowest:
            return
        top = height - (level + 1) * _ROW
        share = box.count / root.count
        said = escape(f"{name}: {share * seconds:.2f} s, {share:.1%}")
        letters = int(width / _LETTER)
        text = name if len(name) <= letters else name[: letters - 1] + "…" if letters > 4 else ""
        colour = _COLOURS[sum(name.encode()) % len(_COLOURS)]
        shapes.append(
            f'<g><title>{said}</title><rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}"'
            f' fill="{colour}"/><text x="{left + 3:.1f}" y="{top + 11}">{escape(text)}</text></g>'
        )
        for inner, called in sorted(box.calls.items(), key=lambda item: (-item[1].count, item[0])):
            put(inner, called, left, level + 1)
            left += called.count * scale

    put("all", root, 0.0, 0)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH:.0f} {height}" role="img"'
        f" aria-label={quoteattr(title)} font-family='monospace' font-size='10'>"
        f"<title>{escape(title)}</title>{''.join(shapes)}</svg>\n"
    )


def _depth(box: Box) -> int:
    return 1 + max((_depth(called) for called in box.calls.values()), default=0)


def main(words: Sequence[str] | None = None) -> int:
    about, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="profile_run.py", description=about, epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("profile.svg"), metavar="FILE", help="default: profile.svg")
    parser.add_argument(
        "--narrowest",
        type=float,
        default=NARROWEST,
        metavar="PX",
        help=f"least width of a box; default: {NARROWEST}",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, help="a command of corridor with its options")
    asked = parser.parse_args(words)
    if not asked.command:
        parser.error("name a command of corridor, such as: run --quiet --out results")

    def job() -> None:
        from corridor.cli import main as corridor

        corridor()

    ended: object = 0
    sys.argv = ["corridor", *asked.command]

    def run() -> None:
        nonlocal ended
        try:
            job()
        except SystemExit as end:
            ended = end.code

    stacks, seconds = sample(run)
    title = f"corridor {' '.join(asked.command)}: {seconds:.1f} s of processor time"
    asked.out.write_text(draw(gather(stacks), seconds, title, asked.narrowest), encoding="utf-8", newline="\n")
    print(asked.out, file=sys.stderr)
    return int(ended or 0) if isinstance(ended, int | None) else 1


if __name__ == "__main__":
    sys.exit(main())
