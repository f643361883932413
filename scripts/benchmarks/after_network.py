"""Print the processor seconds of a comparison of the bundled study; run by the code of any commit.

``python after_network.py [FILE.osm.pbf]`` gives JSON: ``all`` and, from when the routes stand on the network on,
``after_network``: all regimes x candidates, what decides, ranks, without writing. Long-distance flows count to
``all`` alone: commits before them have none.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from types import FrameType

import corridor

FIRST = "finding what the routes meet"
APART = ("/corridor/flows/", "/corridor/metrics/flows.py")
EVERY_S = 0.005


class Clock:
    """Processor seconds from when it is started, without those spent in files of the long-distance flows.

    Steps are computed when something needs them, so their names don't say whose time it is; what is being run does.
    """

    def __init__(self) -> None:
        self.started = False
        self.seconds = 0.0
        self._last = time.process_time()

    def look(self, _: int, frame: FrameType | None) -> None:
        """Count what was spent since the last look to what is being run."""
        now = time.process_time()
        if self.started and not self._apart(frame):
            self.seconds += now - self._last
        self._last = now

    def _apart(self, frame: FrameType | None) -> bool:
        while frame is not None:
            if any(part in frame.f_code.co_filename for part in APART):
                return True
            frame = frame.f_back
        return False


def main(extract: str | None) -> dict[str, float]:
    """Seconds of all, and once the network stands.

    Args:
        extract: an OpenStreetMap file; the bundled data alone if None.
    """
    clock = Clock()

    def say(step: str) -> None:
        clock.started |= step == FIRST

    signal.signal(signal.SIGPROF, clock.look)
    signal.setitimer(signal.ITIMER_PROF, EVERY_S, EVERY_S)
    begin = time.process_time()
    corridor.compare(corridor.Study.bundled("syunik"), osm=extract, progress=say)
    signal.setitimer(signal.ITIMER_PROF, 0.0)
    clock.look(signal.SIGPROF, None)
    return {"all": time.process_time() - begin, "after_network": clock.seconds}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1] if len(sys.argv) > 1 else None)))
