"""Coverage-guided fuzzing of one reader: `python scripts/fuzz.py READER SECONDS`, with READER such as toml, csv or pbf.

It starts from the small sound files of the tests. A reader may give a result or raise a CorridorError; anything else,
or an input that takes over ten seconds or 4 GB, stops the run with the input kept as crash-* in the current folder.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import atheris

with atheris.instrument_imports(
    include=["corridor.schema.study", "corridor.safe_toml", "corridor.io.read", "corridor.mcda"]
):
    from tests.hostile.readers import READERS, outcome, samples
    from tests.synthetic import build


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in READERS or not sys.argv[2].isdigit():
        sys.exit(f"usage: fuzz.py READER SECONDS, with READER one of {', '.join(READERS)}")
    kind, seconds = sys.argv[1], sys.argv[2]
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        study = build(Path(folder) / "midland")
        name, content = samples(study)[kind]
        corpus = Path(folder) / "corpus"
        corpus.mkdir()
        (corpus / "sound").write_bytes(content)
        path = study.parent / name

        def one(data: bytes) -> None:
            path.write_bytes(data)
            said = outcome(kind, path)
            if "\n" in said:
                raise AssertionError(f"more than one line: {said!r}")

        limits = ["-timeout=10", "-rss_limit_mb=4096", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup([sys.argv[0], f"-max_total_time={seconds}", f"-max_len={2 * len(content) + 4096}", *limits,
                       str(corpus)], one)  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
