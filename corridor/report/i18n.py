"""Words of the page: messages in every language, and how their blanks are filled.

What fills a blank is plain text, a number, ``{"t": key, "or": text, "fill": {...}}`` for a message that has its own
words in every language (``or`` where none has), or ``{"all": [...]}`` for several of them between semicolons.
``assets/i18n.js`` follows the same rules.
"""

from __future__ import annotations

import re
from typing import Any

from corridor.report.assets import LANGUAGES, read_messages
from corridor.report.escape import clean_text
from corridor.schema.candidate import Candidate
from corridor.schema.results import Results
from corridor.schema.vocabulary import Family

_LONE_SPACE = re.compile(r" +([,:․])")
_NOTHING = " ()"
_VIA = " via "
_VIA_KEY = "route.via"
_NAMES_OF_STUDY = ("regime.", "perspective.", "route.", "country.")

Messages = dict[str, dict[str, str]]


def page_messages(results: Results) -> Messages:
    """Messages by language; of those that name something of a study, only what this study has by the same name."""
    english = read_messages("en")
    own = {f"regime.{regime.regime_id}": regime.label for regime in results.regimes}
    own |= {f"perspective.{view.perspective_id}": view.label for view in results.perspectives}
    own |= {f"route.{candidate.candidate_id}": candidate.name for candidate in results.candidates}
    own |= {_family_key(c): _family_name(c) for c in results.candidates if _is_via(c)}
    kept = {key for key, label in own.items() if english.get(key, label) == label}
    kept |= {f"country.{code}" for code in results.layers.countries["country"]} | {_VIA_KEY}
    return {
        language: {
            key: text
            for key, text in read_messages(language).items()
            if key in kept or not key.startswith(_NAMES_OF_STUDY)
        }
        for language in LANGUAGES
    }


def say(messages: dict[str, str], key: str, values: dict[str, Any] | None = None) -> str:
    """A message with its blanks filled; the key itself where there is no such message.

    >>> say({"a": "{who}: {what}", "b": "ten"}, "a", {"who": "Alba", "what": {"t": "b", "or": "10"}})
    'Alba: ten'
    """
    text = messages.get(key, key)
    for name, value in (values or {}).items():
        text = text.replace(f"{{{name}}}", _resolve(messages, value))
    return _LONE_SPACE.sub(r"\1", text.replace(_NOTHING, ""))


def _resolve(messages: dict[str, str], value: Any) -> str:
    if isinstance(value, dict) and "all" in value:
        return "; ".join(_resolve(messages, item) for item in value["all"])
    if isinstance(value, dict):
        return say(messages, value["t"], value.get("fill")) if value["t"] in messages else clean_text(value["or"])
    return clean_text(value)


def route_words(candidate: Candidate) -> dict[str, Any]:
    """A route's name as a value: its own message, or that of its family for one named after places on the way."""
    words: dict[str, Any] = {"t": f"route.{candidate.candidate_id}", "or": candidate.name}
    if _is_via(candidate):
        family = {"t": _family_key(candidate), "or": _family_name(candidate)}
        words |= {"t": _VIA_KEY, "fill": {"name": family, "places": candidate.name.partition(_VIA)[2]}}
    return words


def _is_via(candidate: Candidate) -> bool:
    return candidate.family == Family.EXISTING and _VIA in candidate.name


def _family_key(candidate: Candidate) -> str:
    return f"route.{candidate.candidate_id.rpartition('-')[0]}"


def _family_name(candidate: Candidate) -> str:
    return candidate.name.partition(_VIA)[0]


def regime_words(results: Results, regime_id: str) -> dict[str, Any]:
    """A set of rules as a value."""
    label = next((regime.label for regime in results.regimes if regime.regime_id == regime_id), regime_id)
    return {"t": f"regime.{regime_id}", "or": label}
