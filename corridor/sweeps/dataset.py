"""A sweep's folder: what was asked, the plan, and one file of results per task, written as they come.

::

    sweep.json                        what was asked, of which data (hashes), and the columns
    plan.parquet                      task, key, and the value of each factor
    results/shard=ab/<key>.parquet    one task's rows; a key begins with its shard
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import corridor
from corridor.errors import OutputError, SourceError, SweepError
from corridor.files import read_json, require_file, unwritable
from corridor.pipeline.ahead import map_path
from corridor.report.i18n import clean_text
from corridor.schema.fields import file_sha256
from corridor.schema.study import Study
from corridor.sweeps.plan import Task, Vary, build_vary, plan_table

MANIFEST = "sweep.json"
PLAN = "plan.parquet"
RESULTS = "results"
_FORMAT = 2
_MAX_MANIFEST_BYTES, _MAX_TABLE_BYTES, _MAX_CELLS = 20_000_000, 1_000_000_000, 100_000_000
_FIELDS: dict[str, type] = {
    "study": str, "title": str, "default_perspective": str, "tasks": int, "vary": dict, "inputs": dict,
}  # fmt: skip
_KINDS = {str: "a text", int: "a whole number", dict: "a table"}


class SweepFolder:
    """The folder of one sweep, which may be stopped and gone on with at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()

    def open(self, manifest: Mapping[str, Any], tasks: Iterable[Task], *, restart: bool = False) -> set[str]:
        """Make the folder ready and give the keys of the tasks whose results it has.

        A folder of the same sweep goes on; so does one whose sample has grown, or whose lists of values have.

        Args:
            manifest: what the sweep asks.
            tasks: all that are planned.
            restart: take out what an earlier sweep left, and begin anew.

        Raises:
            SweepError: the folder has another sweep: says what differs.
            OutputError: it is a file, holds something else, or can't be written.
        """
        tasks = tuple(tasks)
        try:
            self._refuse_others()
            if restart:
                self._clear()
            self._refuse_other_sweep(manifest)
            done = self.done()
            # Results of no planned task mean that the sweep asks something else: mixing the two would falsify its
            # shares.
            if strange := done - {task.key for task in tasks}:
                raise SweepError(
                    f"{self.path}: {len(strange)} of its {len(done)} results belong to none of the planned tasks: the "
                    f"sweep's file has changed in more than a longer sample; give another --out, or --restart"
                )
            self.path.mkdir(parents=True, exist_ok=True)
            (self.path / RESULTS).mkdir(exist_ok=True)
            write_whole(self.path / MANIFEST, (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode())
            write_table(self.path / PLAN, plan_table(tasks))
        except OSError as fault:
            if isinstance(fault, OutputError):
                raise
            raise unwritable(self.path, fault, "choose another --out") from fault
        return done

    def done(self) -> set[str]:
        """Keys of the tasks that have results."""
        return {path.stem for path in (self.path / RESULTS).glob("shard=*/*.parquet")}

    def write(self, key: str, values: Mapping[str, Any], table: pd.DataFrame) -> None:
        """Put down one task's rows, whole or not at all; the same rows give the same bytes.

        Args:
            key: of the task.
            values: of its factors.
            table: its rows.

        Raises:
            OutputError: the disk is full or the folder can't be written.
        """
        # Each file says what it is of, so that a folder can be read without its plan.
        named = {"key": key} | {f"factor:{name}": value for name, value in values.items()}
        rows = pd.DataFrame({name: [value] * len(table) for name, value in named.items()})
        folder = self.path / RESULTS / f"shard={key[:2]}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_table(folder / f"{key}.parquet", pd.concat([rows, table.reset_index(drop=True)], axis=1))
        except OSError as fault:
            raise unwritable(folder, fault, "mend that and give the same command again") from fault

    def manifest(self) -> dict[str, Any]:
        """What was asked.

        Raises:
            SweepError: the folder holds no sweep.
        """
        path = self.path / MANIFEST
        if not path.exists():
            raise SweepError(f"{self.path}: holds no sweep; give the --out folder of `corridor sweep`")
        try:
            found = read_json(path, "description of a sweep", _MAX_MANIFEST_BYTES)
        except SourceError as fault:
            raise SweepError(str(fault)) from fault
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise SweepError(f"{path}: is of another version of the toolkit; run the sweep again into a new folder")
        for name, kind in _FIELDS.items():
            if not isinstance(found.get(name), kind) or isinstance(found[name], bool):
                raise SweepError(f"{path}: {name}: is missing or isn't {_KINDS[kind]}; run the sweep into a new folder")
        if not all(isinstance(value, str) for value in found["inputs"].values()) or found["tasks"] < 1:
            raise SweepError(f"{path}: inputs or tasks: isn't what a sweep writes; run the sweep into a new folder")
        build_vary(found["vary"], f"{path}: vary")
        return found

    def plan(self) -> pd.DataFrame:
        """The tasks: task, key and a column per factor."""
        return _read(self.path / PLAN, ("task", "key"))

    def read(self) -> pd.DataFrame:
        """All results so far, by task: ``task``, key, factors, then the columns of a task.

        Points that occur twice in the plan occur twice here.

        Raises:
            SweepError: there are none, or a file is damaged.
        """
        self.manifest()
        plan = self.plan()[["task", "key"]]
        paths = sorted((self.path / RESULTS).glob("shard=*/*.parquet"))
        if not paths:
            raise SweepError(f"{self.path}: no task is done yet; run `corridor sweep` first")
        rows = pd.concat([_read(path, ("key",)) for path in paths], ignore_index=True)
        rows["row"] = rows.groupby("key").cumcount()
        found = plan.merge(rows, on="key", how="inner", validate="one_to_many")
        found = found.sort_values(["task", "row"], kind="stable", ignore_index=True)
        return found.drop(columns="row")

    def _refuse_others(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise OutputError(f"{self.path}: is a file; name a folder")
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / MANIFEST).is_file():
            raise OutputError(f"{self.path}: holds other files and no sweep; name a new or an empty folder")

    def _refuse_other_sweep(self, manifest: Mapping[str, Any]) -> None:
        if not (self.path / MANIFEST).is_file():
            return
        before = self.manifest()
        old, new = before["inputs"], manifest["inputs"]
        changed = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
        if changed:
            raise SweepError(
                f"{self.path}: holds a sweep of other data ({', '.join(changed)} changed since); "
                f"give another --out, or --restart to begin anew"
            )

    def _clear(self) -> None:
        """Take out what sweeps write, and nothing else."""
        for path in (self.path / RESULTS).glob("shard=*/*.parquet"):
            path.unlink()
        for name in (MANIFEST, PLAN):
            (self.path / name).unlink(missing_ok=True)


def describe_inputs(study: Study, osm: Path | None, dem: Iterable[Path]) -> dict[str, str]:
    """Hashes of all that results hang on besides the sweep's own file, by a name that a person knows.

    Args:
        study: what is asked.
        osm: an OpenStreetMap file, if any.
        dem: elevation rasters given by hand.
    """
    parts = {"version": corridor.__version__, "study": _digest(study.model_dump(mode="json", exclude={"folder"}))}
    reference = study.path(study.sources.reference or "package:reference")
    parts |= {f"reference/{path.name}": file_sha256(path) for path in sorted(reference.glob("*.csv"))}
    files = {
        "borders": study.sources.borders,
        "places": study.sources.places,
        "perspectives": study.sources.perspectives,
    }
    if study.impact:
        files["regimes"] = study.impact.regimes
    parts |= {name: file_sha256(study.path(file)) for name, file in files.items() if file}
    heights = list(dem) or [study.path(name) for name in study.sources.elevation]
    parts["elevation"] = _digest([file_sha256(path) for path in heights])
    mapped = map_path(study, osm)
    if mapped is not None:
        parts["osm"] = file_sha256(mapped)
    return parts


def describe_sweep(study: Study, vary: Vary, inputs: Mapping[str, str], tasks: int) -> dict[str, Any]:
    """The manifest of a sweep.

    Args:
        study: what is asked.
        vary: which inputs vary.
        inputs: hashes by name.
        tasks: how many there are.
    """
    return {
        "format": _FORMAT,
        "study": study.id,
        "title": study.title,
        "default_perspective": study.default_perspective,
        "tasks": tasks,
        "vary": vary.model_dump(mode="json", exclude_none=True),
        "inputs": dict(inputs),
    }


def fingerprint(inputs: Mapping[str, str]) -> str:
    """One hash of all inputs."""
    return _digest(dict(inputs))


def _digest(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_table(path: Path, table: pd.DataFrame) -> None:
    """A table as Parquet, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    content = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(content, sink, compression="zstd")
    write_whole(path, sink.getvalue().to_pybytes())


def write_whole(path: Path, content: bytes) -> None:
    """Bytes under a hidden name first, which then takes the place of the wanted one."""
    # In the same folder, since only within one file system does the renaming happen at once.
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _read(path: Path, needs: tuple[str, ...]) -> pd.DataFrame:
    """A table that a sweep wrote, with columns that it must have; texts without what could direct a terminal.

    Raises:
        SweepError: it is no such table, or larger than any of ours.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    damaged = f"{path}: is damaged; delete it and give the same `corridor sweep` again"
    try:
        require_file(path, "table of a sweep", _MAX_TABLE_BYTES)
        file = pq.ParquetFile(path)
        # Packed, a table of nothing but one value takes no room until it is unpacked.
        if file.metadata.num_rows * file.metadata.num_columns > _MAX_CELLS:
            raise SweepError(damaged)
        table = file.read().to_pandas(ignore_metadata=True)
    except SourceError as fault:
        raise SweepError(str(fault)) from fault
    except (OSError, ValueError, TypeError, MemoryError, OverflowError, pa.ArrowException) as fault:
        raise SweepError(damaged) from fault
    if not set(needs) <= set(table.columns):
        raise SweepError(damaged)
    for column in table.columns:
        number = column == "task" or column.startswith(("rank:", "sure:", "score:"))
        text = column in {"key", "fault", "regime_id", "panel", "candidate_id"}
        kind = table[column].dtype
        if number and (pd.api.types.is_bool_dtype(kind) or not pd.api.types.is_numeric_dtype(kind)):
            raise SweepError(damaged)
        if column.startswith("factor:") and not all(isinstance(value, Hashable) for value in table[column]):
            raise SweepError(damaged)
        if text and not all(isinstance(value, str) for value in table[column]):
            raise SweepError(damaged)
        if text:
            table[column] = [clean_text(value) for value in table[column]]
    return table
