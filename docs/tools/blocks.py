"""Run the code that stands in a Markdown page, and hold what it says against what the page says it says.

A page's blocks run in order, in one scratch folder and one Python session:

- ``console``: lines after ``$`` are commands; what follows is their output (standard error isn't shown). ``corridor``
  and the scripts of the checkout, also before a pipe, are called in this process; a shell runs whatever else is asked.
- ``python`` with ``>>>`` is run as a doctest; without, as a script.
- a block with ``title="FILE"``, in whichever language, writes that file; with ``title="FILE (add at the end)"`` it adds
  to it.

A comment ``<!-- after: PAGE -->`` starts where another page of the same documentation ended. The checkout's ``scripts``
stand in the folder too. White space counts once, and a line ``...`` stands for any lines. The scratch folder is shown
as ``/home/you``. A comment ``<!-- not run: REASON -->`` before a block leaves it out.

Run as a script to write the outputs anew:

    python -m docs.tools.blocks docs/tutorial.md
"""

from __future__ import annotations

import contextlib
import doctest
import io
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

ROOT = Path(__file__).resolve().parents[2]
HOME = "/home/you"
_FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<body>.*?)^(?P=indent)```[ ]*$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"<!-- not run: [^>]+-->\s*$")
_AFTER = re.compile(r"<!-- after: (\S+) -->")
_ADD = " (add at the end)"
_OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
_WIDTH = "100"


class BlockError(AssertionError):
    """A block failed, or says what isn't so."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, file title, text without indent, line in the page and place of its body."""

    language: str
    title: str
    text: str
    line: int
    span: tuple[int, int]
    indent: str


def find_blocks(page: str) -> list[Block]:
    """The blocks of a page that can be run, in order."""
    found = []
    for match in _FENCE.finditer(page):
        if _NOT_RUN.search(page[: match.start()]):
            continue
        info = match["info"].strip()
        title = re.search(r'title="([^"]*)"', info)
        indent = match["indent"]
        body = "".join(line.removeprefix(indent) for line in match["body"].splitlines(keepends=True))
        language = info.split()[0] if info else ""
        line = page.count("\n", 0, match.start()) + 1
        found.append(Block(language, title[1] if title else "", body, line, match.span("body"), indent))
    return [b for b in found if b.language in {"console", "python"} or b.title]


def page_before(path: Path) -> Path | None:
    """The page whose folder a page starts from, if it names one."""
    found = _AFTER.search(path.read_text(encoding="utf-8"))
    return ROOT / "docs" / found[1] if found else None


def run_page(path: Path, folder: Path, before: Path | None = None) -> str:
    """Run a page's blocks in a folder, on a copy of the folder ``before``; gives the page with its outputs as they are.

    Raises:
        BlockError: a command, a script or an example failed; names page and line.
    """
    page = path.read_text(encoding="utf-8")
    if before is not None:
        shutil.copytree(before, folder, dirs_exist_ok=True, symlinks=True)
    if not (folder / "scripts").exists():
        (folder / "scripts").symlink_to(ROOT / "scripts")
    names: dict[str, Any] = {"__name__": "__main__"}
    fresh: list[tuple[tuple[int, int], str]] = []
    for block in find_blocks(page):
        where = f"{path.name}:{block.line}"
        if block.title:
            text = _write(block, folder)
        elif block.language == "console":
            text = "".join(_answer(command, shown, folder, where) for command, shown in split_console(block.text))
        else:
            text = _python(block.text, names, folder, where)
        fresh.append((block.span, "".join(block.indent + row for row in text.splitlines(keepends=True))))
    for (start, end), text in reversed(fresh):
        page = page[:start] + text + page[end:]
    return page


def same(told: str, true: str) -> bool:
    """Whether an output says the same: white space counts once, a line ``...`` stands for any lines."""
    checker = doctest.OutputChecker()
    told, true = (re.sub(r"[─━]+", "-", text) for text in (told, true))
    return checker.check_output(told, true, _OPTIONS)


def split_console(text: str) -> list[tuple[str, str]]:
    """Commands with the output shown under each; a command goes on after a backslash."""
    found: list[tuple[str, str]] = []
    for piece in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, shown = re.match(r"((?:[^\n]*\\\n)*[^\n]*\n?)(.*)", piece, re.DOTALL).groups()  # type: ignore[union-attr]
        found.append((command.rstrip("\n"), shown))
    return found


def _answer(command: str, shown: str, folder: Path, where: str) -> str:
    """A command with its output: the one that is shown where it says the same, else the new one."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {"COLUMNS": _WIDTH, "PYTHONPATH": str(ROOT), "HOME": str(folder), "PATH": path}
    first, pipe, rest = command.partition("|")
    with contextlib.chdir(folder), patch.dict(os.environ, env):
        if not _OURS.fullmatch(_ERRORS.sub("", first)):
            done = _shell(command)
        else:
            done = _call(first)
            done = _shell(rest, done.stdout) if pipe else done
    if done.returncode not in (0, 1) or (done.returncode == 1 and not done.stdout):
        raise BlockError(f"{where}: `{command}` failed: {done.stderr.strip() or done.stdout.strip()}")
    true = done.stdout.replace(str(folder), HOME)
    return f"$ {command}\n" + (shown if same(shown, true) else "\n".join(r.rstrip() for r in true.split("\n")))


_OURS = re.compile(r"(corridor|python scripts/\w+\.py)( [^$;<>&`*\n]*)?")
"""A command of this package whose words need no shell."""
_ERRORS = re.compile(r" 2>(&1|/dev/null)")


def _shell(command: str, given: str = "") -> subprocess.CompletedProcess[str]:
    words = ["bash", "-c", command]
    return subprocess.run(words, input=given, capture_output=True, text=True, timeout=300, check=False)


def _call(command: str) -> subprocess.CompletedProcess[str]:
    """The command, or a script of the checkout, without a process of its own, which would load all libraries anew."""
    from corridor.cli import main

    words = shlex.split(_ERRORS.sub("", command))
    script = words.pop(0) == "python"
    out, code = io.StringIO(), None
    err = out if "2>&1" in command else io.StringIO()
    try:
        with (
            patch.object(sys, "argv", words if script else ["corridor", *words]),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            runpy.run_path(words[0], run_name="__main__") if script else main()
    except SystemExit as end:
        code = end.code
    return subprocess.CompletedProcess(command, int(code or 0), out.getvalue(), err.getvalue())


def _python(text: str, names: dict[str, Any], folder: Path, where: str) -> str:
    """Run a script, or a doctest whose outputs are shown as they are where they say the same, else anew."""
    try:
        with contextlib.chdir(folder):
            if ">>>" not in text:
                exec(compile(text, where, "exec"), names)
                return text
            examples = doctest.DocTestParser().get_examples(text)
            runner = _Listener(optionflags=_OPTIONS)
            runner.run(doctest.DocTest(examples, names, where, where, 0, text), clear_globs=False)
        names.update(runner.test_globals)
        return "".join(_shown(example, runner.said[example]) for example in examples)
    except BlockError:
        raise
    except Exception as fault:
        raise BlockError(f"{where}: {type(fault).__name__}: {fault}") from fault


class _Listener(doctest.DocTestRunner):
    """Keeps what each example said."""

    def __init__(self, optionflags: int) -> None:
        super().__init__(verbose=False, optionflags=optionflags)
        self.said: dict[doctest.Example, str] = {}
        self.test_globals: dict[str, Any] = {}

    def report_start(self, out: Any, test: doctest.DocTest, example: doctest.Example) -> None:
        self.test_globals = test.globs

    def report_success(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        self.said[example] = got

    def report_failure(self, out: Any, test: doctest.DocTest, example: doctest.Example, got: str) -> None:
        self.said[example] = got

    def report_unexpected_exception(
        self, out: Any, test: doctest.DocTest, example: doctest.Example, exc_info: Any
    ) -> None:
        raise BlockError(f"{test.name}: `{example.source.strip()}`: {exc_info[0].__name__}: {exc_info[1]}")


def _shown(example: doctest.Example, got: str) -> str:
    lines = example.source.rstrip("\n").split("\n")
    source = "".join(f"{'>>> ' if at == 0 else '... '}{line}".rstrip() + "\n" for at, line in enumerate(lines))
    if doctest.OutputChecker().check_output(example.want, got, _OPTIONS | _flags(example)):
        return source + example.want
    return source + "".join(line.rstrip() + "\n" for line in got.splitlines())


def _flags(example: doctest.Example) -> int:
    return sum(flag for flag, on in example.options.items() if on)


def _write(block: Block, folder: Path) -> str:
    add = block.title.endswith(_ADD)
    path = folder / block.title.removesuffix(_ADD)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if add else "w", encoding="utf-8") as stream:
        stream.write(("\n" if add else "") + block.text)
    return block.text


def main(pages: list[str]) -> None:
    """Run pages and write their outputs into them."""
    if missing := [name for name in pages if not Path(name).is_file()]:
        sys.exit(f"{missing[0]}: no such page")
    with tempfile.TemporaryDirectory() as work:
        folders: dict[Path, Path] = {}
        for path in (Path(name).resolve() for name in pages):
            before = page_before(path)
            for page in [before, path] if before else [path]:
                if page not in folders:
                    folders[page] = Path(work).resolve() / str(len(folders))
                    folders[page].mkdir()
                    fresh = run_page(page, folders[page], folders[before] if before and page == path else None)
                    if fresh != page.read_text(encoding="utf-8"):
                        page.write_text(fresh, encoding="utf-8")
                        print(f"{page}: outputs written anew")


if __name__ == "__main__":
    main(sys.argv[1:])
