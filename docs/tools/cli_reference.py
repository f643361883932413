"""The page of commands, from the functions that are the commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from html import escape
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from corridor.cli import app

HEAD = """# Commands

Made from the program itself while these pages are built. `corridor COMMAND --help` says the same.

Bad input gives one line on standard error that names the file, the field and the remedy, and exit code 2. Progress
goes to standard error, results to standard output.

| exit code | means |
|---|---|
| 0 | done |
| 1 | `check`: a way differs from its document; `cache verify`: a file from its record; `diff --exit-code`: results |
| 2 | the command, the study or the data can't be used; nothing was written |
| 129, 130, 143 | ended from outside: by a closed terminal, by Ctrl-C, by SIGTERM; nothing was half written |
| 141 | who read the standard output ended |
"""


def commands(group: typer.Typer = app, before: str = "") -> dict[str, Callable[..., Any]]:
    """Every command's function by name; those of a group as ``group command``."""
    found = {
        f"{before}{info.name or info.callback.__name__.replace('_', '-')}": info.callback
        for info in group.registered_commands
        if info.callback is not None and not info.hidden
    }
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            name = inner.name or inner.typer_instance.info.name
            found |= commands(inner.typer_instance, f"{before}{name} ")
    return found


def render() -> str:
    """The page as Markdown."""
    return HEAD + "".join(_section(name, function) for name, function in commands().items())


def _section(name: str, function: Callable[..., Any]) -> str:
    rows, words = [], []
    hints = get_type_hints(function, include_extras=True)
    for key, parameter in inspect.signature(function).parameters.items():
        kind, info = _split(hints[key])
        needed = parameter.default is inspect.Parameter.empty
        if isinstance(info, typer.models.ArgumentInfo):
            word = (info.metavar or key).strip("[]").upper()
            words.append(word if needed else f"[{word}]")
            shown = f"`{words[-1]}`"
        else:
            first = (info.default,) if isinstance(info.default, str) and info.default.startswith("-") else ()
            flags = (*first, *(info.param_decls or ())) or (f"--{key.replace('_', '-')}",)
            shown = ", ".join(f"`{flag}`" for flag in flags)
            value = "" if kind is bool else info.metavar or _kind(kind)
            shown += f" `{_cell(value)}`" if value else ""
        rows.append(f"| {shown} | {_cell(info.help or '')} | {_default(parameter.default, kind, needed)} |")
    usage = " ".join(["corridor", name, *words, "[OPTIONS]"])
    table = "\n".join(["| word | what | if left out |", "|---|---|---|", *rows, ""]) if rows else ""
    return f"\n## corridor {name}\n\n{_help(function)}\n\n```text\n{usage}\n```\n\n{table}"


def _help(function: Callable[..., Any]) -> str:
    """The function's text as Markdown, lines of a paragraph joined."""
    text = inspect.getdoc(function) or ""
    return "\n\n".join(re.sub(r"\s*\n\s*", " ", part) for part in re.split(r"\n\s*\n", text))


def _split(hint: Any) -> tuple[Any, Any]:
    """A parameter's type, without None and lists, and what typer knows of it."""
    kind, info = get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, typer.Option())
    if get_origin(kind) in {Union, UnionType}:
        kind = next(part for part in get_args(kind) if part is not type(None))
    if get_origin(kind) is list:
        kind = get_args(kind)[0]
    return kind, info


def _kind(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "|".join(map(str, get_args(kind)))
    return {int: "NUMBER", float: "NUMBER", Path: "PATH"}.get(kind, "TEXT")


def _default(value: Any, kind: Any, needed: bool) -> str:
    if needed:
        return "needed"
    if kind is bool:
        return "on" if value else "off"
    return "" if value is None or value == [] else f"`{_cell(str(value))}`"


def _cell(text: str) -> str:
    return escape(" ".join(text.split()), quote=False).replace("|", "\\|")
