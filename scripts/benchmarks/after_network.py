"""Print the processor seconds of a comparison of the bundled study by stage; run by the code of any commit.

``python after_network.py [FILE.osm.pbf]`` gives JSON: ``all`` and, from when the routes stand on the network on,
``after_network``: all regimes x candidates, what decides, ranks, without writing. Long-distance flows count to
``all`` alone: commits before them have none.
"""

from __future__ import annotations

import json
import sys
import time

import corridor

FIRST = "finding what the routes meet"
APART = "measuring long-distance flows"


def main(extract: str | None) -> dict[str, float]:
    """Seconds by stage.

    Args:
        extract: an OpenStreetMap file; the bundled data alone if None.
    """
    marks: list[tuple[str, float]] = []
    begin = time.process_time()
    corridor.compare(
        corridor.Study.bundled("syunik"), osm=extract, progress=lambda step: marks.append((step, time.process_time()))
    )
    ends = [at for _, at in marks[1:]] + [time.process_time()]
    spent = [(step, end - at) for (step, at), end in zip(marks, ends, strict=True)]
    first = [step for step, _ in spent].index(FIRST)
    after = sum(seconds for step, seconds in spent[first:] if not step.startswith(APART))
    return {"all": ends[-1] - begin, "after_network": after}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1] if len(sys.argv) > 1 else None)))
