"""The page of a study file's keys, from the models that check it."""

from __future__ import annotations

import dataclasses
import re
from enum import Enum
from html import escape
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from corridor.io.fetch.elevation import all_providers
from corridor.io.fetch.fetch_inputs import settings_model
from corridor.schema import settings, study
from corridor.schema.column import Criterion
from corridor.schema.faults import PATTERN_WORDS
from corridor.schema.settings import LiveSettings, ReportSettings
from docs.tools.study_words import WORDS

_MODULES = (study.__name__, settings.__name__, Criterion.__module__, ReportSettings.__module__)
HEAD = """# Study file

A study is one TOML file. This page is made from the models that check it, so the keys and limits are those of this
version. Unknown keys are refused. All faults of a file are reported at once, each with its field.

Paths are taken from the study file's own folder; `package:NAME` means a file that ships with the toolkit.
The bundled studies are in `data/studies`, with comments.

A file that begins with `extends = "syunik"` says only what differs from that bundled study. Its keys replace the same
keys there, and its candidates are added.

"""

# Where each model's table stands in the file, in the order of the page.
TABLES: dict[str, tuple[str, ...]] = {
    "Study": ("top of the file",),
    "Focus": ("[focus]",),
    "Place": ("origin, destination, border_crossing, capital", "impact.centres"),
    "Files": ("[sources]",),
    "Elevation": ("[elevation]",),
    "ReportSettings": ("[report]",),
    "LiveSettings": ("[live]",),
    "Baseline": ("[[baselines]]",),
    "ReferenceCandidate": ('[[candidates]] with family = "reference"',),
    "ExistingCandidates": ('[[candidates]] with family = "existing"',),
    "NewBuildCandidate": ('[[candidates]] with family = "new-build"',),
    "ViaCandidate": ('[[candidates]] with family = "via"',),
    "DrawnCandidate": ('[[candidates]] with family = "drawn"',),
    "PackageCandidate": ('[[candidates]] with family = "package"',),
    "AttributedAlias": ("aliases of a candidate",),
    "CrossingSpec": ("[[crossings]]",),
    "Criterion": ("[[criteria]]",),
    "Check": ("[[checks]]",),
    "ImpactSpec": ("[impact]",),
    "StageSpec": ("stages of [impact]",),
    "AxisSpec": ("[[impact.axes]]",),
    "TimeSpec": ("[[times]]",),
}

# What stands in for keys that a model needs, before it checks them.
FILLED: dict[tuple[str, str], str] = {
    ("Study", "focus"): "the whole area",
    ("Study", "baselines"): "one, of the study's `as_of`",
    ("Study", "baseline"): "that one; needed with `baselines`",
    ("Criterion", "direction"): "`min`",
}


def models() -> dict[str, type[BaseModel]]:
    """The models of a study by name: those that have a table on this page, then any that lacks one."""
    found = {
        name: kind
        for name, kind in vars(study).items()
        if isinstance(kind, type) and (kind is Criterion or issubclass(kind, BaseModel)) and kind.__module__ in _MODULES
        and not name.startswith("_")
    }  # fmt: skip
    return {name: found[name] for name in [*TABLES, *(n for n in found if n not in TABLES)] if name in found}


def render() -> str:
    """The page as Markdown."""
    return HEAD + "\n".join(_table(name, kind) for name, kind in models().items())


def _table(name: str, kind: type[BaseModel]) -> str:
    title = " and ".join(TABLES.get(name, (name,)))
    doc = re.sub(r":class:`[\w.]*?(\w+)`", r"`\1`", " ".join((kind.__doc__ or "").replace("``", "`").split()))
    words = WORDS.get(name, {})
    fields = fields_of(kind)
    if kind is LiveSettings:  # sources of elevation add keys of their own
        fields = settings_model().model_fields
        words = words | {key: setting.meaning for source in all_providers() for key, setting in source.settings.items()}
    rows = [
        f"| `{key}` | {words.get(key, '')} | {_type(field)} | {FILLED.get((name, key)) or _default(field)} |"
        for key, field in fields.items()
        if (name, key) != ("Study", "folder")
    ]
    head = f"## {escape(title, quote=False)} {{ #{name.lower()} }}\n\n{doc}\n"
    return "\n".join([head, "| key | what | value | if left out |", "|---|---|---|---|", *rows, ""])


def fields_of(kind: type) -> dict[str, FieldInfo]:
    """The fields of a model, or of a dataclass that a study holds, by the keys that people write."""
    if issubclass(kind, BaseModel):
        return kind.model_fields
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in dataclasses.fields(kind):
        given = FieldInfo.from_annotation(hints[field.name])
        if field.default is not dataclasses.MISSING:
            given = FieldInfo.from_annotated_attribute(hints[field.name], field.default)
        found[given.alias or field.name] = given
    return found


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return "the defaults of its keys"
    if isinstance(value, tuple) and value:
        return ", ".join(f"`{each}`" for each in value)
    if not value and not isinstance(value, int | float):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(field: FieldInfo) -> str:
    said, limits = _say(field.annotation), _limits(field.metadata)
    return (said.removesuffix(limits) + limits).replace("|", "\\|")


def _limits(metadata: list[Any]) -> str:
    words = []
    for item in metadata:
        for kind, text in ((Ge, "at least"), (Gt, "above"), (Le, "at most"), (Lt, "below")):
            if isinstance(item, kind):
                bound = (
                    next(iter(vars(item).values()))
                    if hasattr(item, "__dict__")
                    else getattr(item, kind.__name__.lower())
                )
                words.append(f"{text} {bound:g}")
        if isinstance(item, MinLen) and item.min_length > 0:
            words.append("not empty" if item.min_length == 1 else f"at least {item.min_length}")
        for inner in getattr(item, "metadata", ()) if isinstance(item, FieldInfo) else ():
            words.append(_limits([inner]).removeprefix(", "))
        pattern = getattr(item, "pattern", None)
        if pattern:
            words.append(PATTERN_WORDS[pattern])
    return "".join(f", {word}" for word in words if word)


def _say(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _say(parts[0]) + _limits(list(parts[1:]))
    if origin is Literal:
        return " or ".join(f"`{part}`" for part in parts)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return " or ".join(f"`{member.value}`" for member in kind)
    if origin in {Union, UnionType}:
        return " or ".join(_say(part) for part in parts if part is not type(None))
    if origin is tuple:
        if len(parts) == 2 and parts[1] is Ellipsis:
            return f"list of {_say(parts[0])}"
        return f"{len(parts)} numbers" if all(p is not str for p in parts) else "list"
    if origin is dict:
        return "table"
    if isinstance(kind, type) and (kind is Criterion or issubclass(kind, BaseModel)):
        return f"[table](#{kind.__name__.lower()})"
    return {str: "text", float: "number", int: "whole number", bool: "`true` or `false`"}.get(kind, str(kind))
