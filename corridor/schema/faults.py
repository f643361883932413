"""Faults that pydantic finds in what people wrote, in a person's words."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from corridor.schema.settings import ADDRESS, EXTRACT

PATTERN_WORDS = {
    r"^[a-z0-9][a-z0-9-]{0,63}$": "small letters, digits, hyphens",
    r"^[A-Z]{2}$": "two capital letters",
    r"^([A-Z]{2})?$": "two capital letters",
    r"^[A-Z]?$": "one capital letter",
    r"^(\d{4}(-\d{2}(-\d{2})?)?)?$": "YYYY, YYYY-MM or YYYY-MM-DD",
    r"^\d{4}(-\d{2}(-\d{2})?)?$": "YYYY, YYYY-MM or YYYY-MM-DD",
    r"^\d{4}-\d{2}(-\d{2})?$": "YYYY-MM or YYYY-MM-DD",
    r"^[\x20-\x7e]*$": "printable ASCII",
    r"^[a-z_]{1,40}$": "small letters, underscores",
    r"^[a-z][a-z0-9_]{0,31}$": "small letters, digits, underscores",
    r"^[a-z][a-z0-9_]{0,63}$": "small letters, digits, underscores",
    ADDRESS: "an address that begins with https://",
    EXTRACT: "small letters, digits, hyphens, slashes",
}
"""What the patterns of fields ask for, for messages and for the documentation."""
_TYPE_WORDS = {
    "tuple_type": "write a list in square brackets",
    "list_type": "write a list in square brackets",
    "dict_type": "write a table",
    "model_type": "write a table",
    "dataclass_type": "write a table",
    "string_type": "write a text in quotes",
    "float_type": "write a number",
    "int_type": "write a whole number",
    "int_from_float": "write a whole number",
    "bool_type": "write true or false",
}


_LIMIT_WORDS = {
    "greater_than_equal": "must be at least {ge:g}",
    "greater_than": "must be above {gt:g}",
    "less_than_equal": "must be at most {le:g}",
    "less_than": "must be below {lt:g}",
    "finite_number": "must be a finite number",
    "string_too_short": "has too few letters (at least {min_length})",
    "string_too_long": "has too many letters (at most {max_length})",
    "too_short": "has too few items (at least {min_length})",
    "too_long": "has too many items (at most {max_length})",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
}
"""What a limit asks for; the names in braces are the validator's."""

BRANCHES = frozenset(("Place", "constrained-str"))
"""What the validator calls the forms of a field that may be written in two: a place as a table, or its name."""


def root_faults(error: ValidationError) -> list[Any]:
    """The faults of a validation, without those that only follow.

    A list is too short where its items have faults; a field that may be a table or a text is no text where it is a
    table with faults.

    Args:
        error: of a model.
    """
    found = error.errors()
    places = [fault["loc"] for fault in found]
    # Fields written in one of their forms, with another fault than that it isn't the other form.
    meant = {
        fault["loc"][:at]
        for fault in found
        for at, part in enumerate(fault["loc"])
        if part in BRANCHES and fault["type"] not in _TYPE_WORDS
    }
    return [
        fault
        for fault in found
        if not (
            fault["type"] == "too_short"
            and any(place[: len(fault["loc"])] == fault["loc"] != place for place in places)
        )
        # a fault of the whole table has no place in it
        and not (
            fault["loc"]
            and fault["type"] in _TYPE_WORDS
            and fault["loc"][-1] in BRANCHES
            and fault["loc"][:-1] in meant
        )
    ]


def fault_words(fault: Any) -> str:
    """What is wrong and what was given, without the field.

    Args:
        fault: one of :meth:`pydantic.ValidationError.errors`.
    """
    kind = fault["type"]
    if kind == "missing":
        return "is missing"
    if kind == "value_error":  # the words of our own checks, which say what was given where it helps
        return str(fault["msg"]).removeprefix("Value error, ")
    words = _TYPE_WORDS.get(kind, fault["msg"])
    if kind in _LIMIT_WORDS:
        words = _LIMIT_WORDS[kind].format_map(fault.get("ctx", {}))
    elif kind == "string_pattern_mismatch" and fault["ctx"]["pattern"] in PATTERN_WORDS:
        words = f"use {PATTERN_WORDS[fault['ctx']['pattern']]}"
    return f"{words} (given: {fault.get('input')!r:.60})"
