"""Fuzzing of what reads files from others, in two ways that both keep the input of what they find.

``python scripts/fuzz.py READER SECONDS``, with READER such as toml, csv or pbf, is guided by coverage: it starts from
the small sound files of the tests, and stops at the first find. It needs the extra ``fuzz``.

``python scripts/fuzz.py mutate COUNT [SEED]`` tries COUNT changed files in all, shared out over every kind of file that
the tool reads, each in its turn; the same seed gives the same files. It goes on after a find and exits with 1 at its
end. ``run`` is a kind too: a whole ``corridor run`` on a folder of which one file is changed, over earlier results,
which must stay as they are or be replaced whole.

A reader may give a result or raise a CorridorError of one line. Anything else, an input that takes over ten seconds,
and one for which memory grows by over 1 GB is a find.
"""

from __future__ import annotations

import contextlib
import faulthandler
import hashlib
import io
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

LIMIT_S, LIMIT_BYTES = 10, 1_000_000_000
RUN_LIMIT_S = 60
KEPT = Path("fuzz-finds")


def main() -> None:
    words = sys.argv[1:]
    if words[:1] == ["mutate"] and len(words) in {2, 3} and all(word.isdigit() for word in words[1:]):
        sys.exit(mutate(int(words[1]), int(words[2]) if len(words) == 3 else 0))
    from tests.hostile.readers import READERS

    if len(words) != 2 or words[0] not in READERS or not words[1].isdigit():
        sys.exit(f"usage: fuzz.py mutate COUNT [SEED], or fuzz.py READER SECONDS: one of {', '.join(READERS)}")
    guided(*words)


def guided(kind: str, seconds: str) -> None:
    """Fuzz one reader by coverage for some seconds."""
    import atheris

    with atheris.instrument_imports(
        include=["corridor.schema.study", "corridor.files", "corridor.io.read", "corridor.mcda"]
    ):
        from tests.hostile.readers import outcome, samples
        from tests.synthetic import build
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


def mutate(count: int, seed: int) -> int:
    """Try changed files of every kind; gives the exit code."""
    from tests.hostile.readers import MORE_READERS, READERS

    KEPT.mkdir(exist_ok=True)
    kinds = [*READERS, *MORE_READERS]
    share = -(-count // (len(kinds) + 3))
    with tempfile.TemporaryDirectory() as place:
        study = Path(place) / "midland" / "midland.toml"
        # In a process of its own: threads of libraries don't live on in those that are forked from here.
        child = os.fork()
        if not child:
            os._exit(_prepare(study, kinds))
        if os.waitpid(child, 0)[1]:
            return 1
        names = json.loads((Path(place) / "names.json").read_text())
        finds = sum(
            _in_turns(kind, share, seed, study, names[kind], (study.parent / names[kind]).read_bytes())
            for kind in kinds
        )
        # Whole runs take a second or more each: as many as three kinds of reader.
        finds += _in_turns("run", 3 * share, seed, study, "", b"")
    print(f"{(len(kinds) + 3) * share:,} inputs of {len(kinds) + 1} kinds, seed {seed}: {finds} finds", flush=True)
    return int(finds > 0)


def _prepare(study: Path, kinds: list[str]) -> int:
    """Write sound files of all kinds, and their names; each must be read, else its reader would find nothing."""
    from tests.hostile.readers import more_samples, outcome, samples
    from tests.synthetic import build

    build(study.parent)
    files = samples(study) | more_samples(study)
    files["toml"] = study.name, study.read_bytes()
    for name, content in files.values():
        (study.parent / name).write_bytes(content)
    refused = [f"{kind}: {said}" for kind in kinds if (said := outcome(kind, study.parent / files[kind][0]))]
    refused += [_command("run", study, "--osm", study.parent / "map.osm", "--out", study.parent / "out", "--quiet")]
    if any(refused):
        print(f"sound files are refused: {'; '.join(filter(None, refused))}", flush=True)
        return 1
    (study.parent.parent / "names.json").write_text(json.dumps({kind: name for kind, (name, _) in files.items()}))
    return 0


def _in_turns(kind: str, count: int, seed: int, study: Path, name: str, content: bytes) -> int:
    """Try the inputs of a kind in a process of its own, begun anew after one that killed it; gives the finds."""
    finds, begin, most, refused = 0, 0, 0, 0
    while begin < count:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            # whatever happens, a child ends here: it must not run on and take away its parent's folder
            try:
                with os.fdopen(writing, "w") as report, Path(os.devnull).open("w") as nowhere:
                    os.dup2(nowhere.fileno(), 1)
                    _try_all(kind, range(begin, count), seed, study, (name, content), report)
                os._exit(0)
            except BaseException:  # noqa: BLE001  # told, and the exit code tells too
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(writing)
        with os.fdopen(reading) as lines:
            for line in lines:
                said = json.loads(line)
                begin, most = said["number"] + 1, max(most, said["mb"])
                refused += said["refused"]
                if said["find"]:
                    finds += 1
                    print(f"{kind} {said['number']}: {said['find']}", flush=True)
        _, state = os.waitpid(child, 0)
        if state:
            finds += 1
            print(
                f"{kind} {begin}: ended by {'signal' if os.WIFSIGNALED(state) else 'time'}, state {state}", flush=True
            )
            begin += 1
    print(f"{kind}: {count} inputs, {refused} refused, {finds} finds, memory up to {most} MB", flush=True)
    return finds


def _try_all(kind: str, numbers: range, seed: int, study: Path, file: tuple[str, bytes], report: io.TextIOBase) -> None:
    """In the child: each input in its turn, a line of JSON for each."""
    warnings.simplefilter("ignore")
    attempt = _run_whole if kind == "run" else _read_one
    for number in numbers:
        chance = random.Random(f"{kind} {seed} {number}")
        with tempfile.TemporaryDirectory() as place:
            faulthandler.dump_traceback_later(RUN_LIMIT_S if kind == "run" else LIMIT_S, exit=True)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            said, kept = attempt(kind, chance, study, file, Path(place), number)
            faulthandler.cancel_dump_traceback_later()
            most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        find = said if said.startswith("!") else ""
        if most - before > LIMIT_BYTES / 1024:
            find = find or f"! memory grew by {(most - before) / 1e3:,.0f} MB"
        if not find:
            for path in kept:
                path.unlink(missing_ok=True)
        row = {"number": number, "find": find, "mb": most // 1024, "refused": bool(said)}
        report.write(json.dumps(row) + "\n")
        report.flush()


def _keep(kind: str, number: int, name: str, data: bytes) -> Path:
    """Put an input where it is found if it kills this process; it is taken away if it does no harm."""
    path = KEPT / f"{kind}-{number}-{Path(name).name}"
    path.write_bytes(data)
    return path


def _read_one(
    kind: str, chance: random.Random, study: Path, file: tuple[str, bytes], place: Path, number: int
) -> tuple[str, list[Path]]:
    from tests.hostile.mutations import change
    from tests.hostile.readers import outcome

    del place
    name, content = file
    data = change(content, chance)
    kept = [_keep(kind, number, name, data)]
    path = study.parent / name
    path.write_bytes(data)
    said = _guarded(lambda: outcome(kind, path))
    path.write_bytes(content)
    return said, kept


def _run_whole(
    kind: str, chance: random.Random, study: Path, file: tuple[str, bytes], place: Path, number: int
) -> tuple[str, list[Path]]:
    """`corridor run` on a copy of the study in which one file is changed, over results of an earlier run."""
    from tests.hostile.mutations import change

    del file
    folder, out = place / "study", place / "out"
    shutil.copytree(study.parent, folder, ignore=shutil.ignore_patterns("sw", "tables", "cache", "out", "other"))
    shutil.copytree(study.parent / "out", out)
    names = [study.name, "regimes.toml", "perspectives.toml", "places.csv", "borders.geojson", "map.osm", "heights.tif"]
    names += [f"reference/{path.name}" for path in sorted((folder / "reference").iterdir())]
    name = chance.choice(names)
    data = change((folder / name).read_bytes(), chance)
    kept = [_keep(kind, number, name, data)]
    (folder / name).write_bytes(data)
    before = _content(out)
    said = _guarded(lambda: _command("run", folder / study.name, "--osm", folder / "map.osm", "--out", out, "--quiet"))
    after = _content(out)
    if said and not said.startswith("!") and after != before:
        said = f"! refused ({said}), and yet the earlier results are changed"
    if not said:
        written = json.loads((out / "manifest.json").read_text())["files"]
        if {key: after.get(key) for key in written} != written:
            said = "! results that aren't what their manifest says"
    return said, kept


def _content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _command(*words: object) -> str:
    """The command line in this process: '' if it works, else the line that it says."""
    from corridor.cli import common
    from corridor.cli import main as command

    sys.argv = ["corridor", *map(str, words)]
    said = io.StringIO()
    common.err_console.file = said
    with contextlib.redirect_stderr(said):
        try:
            command()
        except SystemExit as end:
            if end.code in {0, None}:
                return ""
            if end.code != 2:
                return f"! exit code {end.code}: {said.getvalue()[-300:]}"
    lines = said.getvalue().strip()
    return f"! {len(lines.splitlines())} lines: {lines[:300]}" if "\n" in lines else lines or "! exit code 2, no word"


def _guarded(use: Callable[[], str]) -> str:
    """What an attempt says; a find, which begins with an exclamation mark, if it raises anything."""
    try:
        said = use()
    except BaseException as fault:  # noqa: BLE001  # whatever it is, it is what is looked for
        where = traceback.extract_tb(fault.__traceback__)[-1]
        ours = [frame for frame in traceback.extract_tb(fault.__traceback__) if "/corridor/" in frame.filename][-1:]
        at = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in (where, *ours))
        return f"! {type(fault).__name__}: {str(fault)[:200]} [{at}]"
    if "\n" in said or len(said) > 4000 or "Traceback" in said:
        return f"! more than a line: {said[:200]!r}"
    return said


if __name__ == "__main__":
    main()
