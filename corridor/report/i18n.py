"""Words of a language, and what goes into pages: messages by key, harmless text, style sheets and scripts.

A catalogue (``messages/*.json``) has an entry by key: a text; texts by plural form, as CLDR names the forms, where a
whole number ``count`` decides; or, for listings, the CLDR patterns that join items, ``between`` them and at the
``last``. ``{name}`` is filled with a value, in English ``{a:name}`` with its article too. What a language lacks is said
in English. Plain texts, such as names that data bring, are said in a language that has words for them under
:data:`TEXT`. See https://cldr.unicode.org/index/cldr-spec/plural-rules.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel

from corridor.errors import OutputError
from corridor.schema.candidate import route_message
from corridor.schema.message import Listing, Message, Value
from corridor.schema.settings import LANGUAGES
from corridor.wording import with_article

if TYPE_CHECKING:
    import pandas as pd

    from corridor.schema.results import Results

# --- Text from outside made harmless: names, notes and URLs of map data are never trusted ---

_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_SCRIPT_CODES = tuple((sign, f"\\u{ord(sign):04x}") for sign in "<>&\u2028\u2029")
_TEMPLATE_SIGNS = re.compile(r"\{(?=[{%#])")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_SCHEMES = ("http", "https")


def clean_text(text: object) -> str:
    """Give a value as text on one line, without control characters and without bidirectional overrides.

    Overrides could make a name rewrite the reading order of what stands beside it; letters of right-to-left scripts
    are kept, and the page isolates every name by itself.

    Example:
        A name with a tab and an override comes back as plain words.
    """
    return _cleaned(str(text))


@lru_cache(maxsize=1 << 14)
def _cleaned(text: str) -> str:
    """Few texts fill many cells of tables."""
    # nothing is in printable texts that the patterns look for, nor another space than the usual one
    if not text.isprintable():
        text = _BIDI.sub("", _CONTROLS.sub("", text))
    return " ".join(text.split())


def clean_line(text: object) -> str:
    """Give a value as one line for a terminal, its spaces as they are.

    Control characters could move the cursor, recolour the screen or write into the terminal's clipboard; overrides
    could turn the rest of the line around. Line ends and tabs become spaces; bytes that are no text are left out.
    """
    return _BIDI.sub("", _CONTROLS.sub("", _BREAKS.sub(" ", str(text))))


THIN_SPACE = "\u202f"
"""Between thousands on pages, where no line breaks at it; plain text has a space."""


def clean_page_text(text: object) -> str:
    r"""The same for a page, where figures keep the narrow spaces between their thousands.

    >>> clean_page_text("1\u202f040 \t km") == "1\u202f040 km"
    True
    """
    return _page_cleaned(str(text))


@lru_cache(maxsize=1 << 14)
def _page_cleaned(text: str) -> str:
    return THIN_SPACE.join(_cleaned(part) for part in text.split(THIN_SPACE))


def clean(value: Any) -> Any:
    """Apply :func:`clean_page_text` to every string, also to keys, in nested mappings and sequences."""
    if isinstance(value, str):
        return clean_page_text(value)
    if isinstance(value, list | tuple):
        # coordinates and figures are most of a page's data, and are harmless: many of them at a time, pairs too
        kinds = set(map(type, value))
        if kinds == {list}:
            kinds = {kind for item in value for kind in map(type, item)}
        if kinds <= _HARMLESS:
            return value
        return [item if type(item) in _HARMLESS else clean(item) for item in value]
    if isinstance(value, Mapping):
        return {clean_text(key): clean(item) for key, item in value.items()}
    return value


_HARMLESS = frozenset((float, int, bool, type(None)))
"""Types of values that hold no text."""


def script_json(value: Any) -> str:
    """Give JSON that may stand inside a ``<script>`` element.

    ``<``, ``>``, ``&`` and the two line separators of Unicode become escapes, so that no string can end the element
    or open a comment. So do braces that would open a template expression: Folium passes what its elements gave
    through its template engine once more.

    Raises:
        ValueError: a number is not finite (no such number may reach a page).
    """
    # Two languages read this text: HTML, which looks for the end of the script, and the template engine, which looks
    # for braces.
    text = _ENCODER.encode(clean(value))
    for sign, code in _SCRIPT_CODES:
        text = text.replace(sign, code)
    return _TEMPLATE_SIGNS.sub(r"\\u007b", text)


def safe_url(url: str) -> str:
    """Give a web address that may be linked to, or nothing: other schemes could run code."""
    text = clean_text(url)
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme in _SCHEMES and parts.netloc else ""


def csp_hash(script: str) -> str:
    """Give the source expression by which a Content-Security-Policy allows exactly this inline script."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


# --- Style sheets and scripts that go into pages: the package's own and the libraries', each with its licence ---


@dataclass(frozen=True, slots=True)
class Library:
    """A library whose code is in a page."""

    name: str
    version: str
    licence: str
    copyright: str
    text: str


@cache
def read_asset(name: str) -> str:
    """Give one of the package's own style sheets, scripts or templates by file name.

    Raises:
        OutputError: the file is missing from the installation.
    """
    return _read("assets", name)


@cache
def read_messages(language: str) -> dict[str, Any]:
    """Give the messages of a language by key, plural forms as they stand in its file."""
    return dict(json.loads(_read("messages", f"{language}.json")))


@cache
def read_texts(language: str) -> dict[str, str]:
    """Give a language's words for texts of the bundled data (names, notes, declared answers), by the English text.

    A text that a study changed isn't found under its new words, and is then shown as the study has it.
    """
    return {} if language == "en" else dict(json.loads(_read("messages", "texts", f"{language}.json")))


def uplot_js() -> str:
    """UPlot's script (draws the profiles)."""
    return _read("vendor", "uplot", "uPlot.iife.min.js").strip()


def uplot_css() -> str:
    """UPlot's style sheet."""
    return _read("vendor", "uplot", "uPlot.min.css").strip()


def libraries() -> tuple[Library, ...]:
    """The libraries that a page carries, with their licences."""
    return (
        Library(
            "Leaflet",
            version("XStatic-Leaflet").rsplit(".", 1)[0],
            "BSD-2-Clause",
            "© 2010-2022 Vladimir Agafonkin, © 2010-2011 CloudMade",
            _read("vendor", "leaflet", "LICENSE"),
        ),
        Library("uPlot", "1.6.32", "MIT", "© 2022 Leon Sorokin", _read("vendor", "uplot", "LICENSE")),
    )


@cache
def _read(*parts: str) -> str:
    path = files("corridor.report").joinpath(*parts)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise OutputError(f"{'/'.join(parts)} is missing from the installed package: install corridor anew") from error


RIGHT_TO_LEFT = frozenset(("fa", "ar", "he"))
TEXT = "text:"
"""Before the English text of data, the key of another language's words for it."""
COUNT = "count"
"""The blank that decides between plural forms."""

DECIMAL_COMMA = frozenset(("ru", "hy", "az"))
_FIGURE = re.compile(r"[+\u2212(]?\d[\d\u202f]*(\.\d+)?( ?[\u2013(] ?\u2212?\d[\d\u202f]*(\.\d+)?)*\)?( ?%)?")
"""A number, a range, or a number with its range in brackets."""
_POINT = re.compile(r"(?<=\d)\.(?=\d)")
_BLANK = re.compile(r"\{(?:(a|l):)?(\w+)\}")
_PAIR = re.compile(r"\{([01])\}")
_LONE_SPACE = re.compile(r" +([,:․])")
_NOTHING = " ()"
_ISOLATES = ("\u2066", "\u2067", "\u2069")
_RTL_LETTER = re.compile("[\u0590-\u08ff]")
_NAMES_OF_STUDY = ("regime.", "perspective.", "route.", "country.")

Entry: TypeAlias = str | dict[str, str]
Messages: TypeAlias = dict[str, dict[str, Entry]]


class Words:
    """The words of one language over those of English."""

    def __init__(
        self, language: str, messages: Mapping[str, Entry], english: Mapping[str, Entry], *, on_page: bool = False
    ) -> None:
        self.language = language
        self._clean = clean_page_text if on_page else clean_text
        self._messages, self._english = messages, english

    def known(self, key: str) -> bool:
        """Whether there is such a message, if only in English."""
        return key in self._messages or key in self._english

    def say(self, key: str, values: Mapping[str, Value] | None = None) -> str:
        """A message with its blanks filled; the key itself where there is no such message.

        >>> english = {"a": "{who}: {what}", "b": {"one": "{count} way", "other": "{count} ways"}}
        >>> Words("en", english, english).say("a", {"who": "Alba", "what": Message("b", {"count": 2})})
        'Alba: 2 ways'
        """
        values = values or {}
        language = self.language if key in self._messages else "en"
        entry = self._messages.get(key) or self._english.get(key, key)
        if not isinstance(entry, str):
            entry = entry.get(plural_form(language, values.get(COUNT, 0)), entry["other"])
        text = _BLANK.sub(lambda blank: self._fill(blank, values), entry)
        return _LONE_SPACE.sub(r"\1", text.replace(_NOTHING, ""))

    def _fill(self, blank: re.Match[str], values: Mapping[str, Value]) -> str:
        """What stands in a blank; isolated where the text runs from right to left, so that signs keep their place."""
        form, name = blank.groups()
        if name not in values:
            return blank[0]
        value = self._inside(values[name]) if form == "l" else self.render(values[name])
        if form == "a":
            value = with_article(value)
        if not value or self.language not in RIGHT_TO_LEFT:
            return value
        return f"{_ISOLATES[1 if _RTL_LETTER.search(value) else 0]}{value}{_ISOLATES[2]}"

    def render(self, value: Value) -> str:
        """A value in words: plain text cleaned, messages said, listings with what stands between their items."""
        if isinstance(value, Message):
            return (
                self.say(value.key, value.values) if self.known(value.key) else clean_text(value.fallback or value.key)
            )
        if isinstance(value, Listing):
            return self._list([self.render(item) for item in value.items], value.style)
        return self.text(self._clean(value))

    def _inside(self, value: Value) -> str:
        """A value inside a sentence, each item of a listing with a small letter."""
        if isinstance(value, Listing):
            return self._list([self._inside(item) for item in value.items], value.style)
        return with_small_letter(self.render(value), self.language)

    def text(self, text: str) -> str:
        """A text of the data in this language; numbers as it writes them, and anything unknown as it is."""
        found = self._messages.get(TEXT + text)
        return found if isinstance(found, str) else localise_number(text, self.language)

    def _list(self, items: list[str], style: str) -> str:
        patterns = self._messages.get(style) or self._english[style]
        if len(items) < 2 or isinstance(patterns, str):
            return "".join(items)
        text = items[0]
        for item in items[1:-1]:
            text = _join(patterns["between"], text, item)
        return _join(patterns["last"], text, items[-1])


def with_small_letter(text: str, language: str) -> str:
    """A text as it stands inside a sentence; names that begin with two capitals keep them.

    >>> [with_small_letter(text, "en") for text in ("Checks", "EAEU", "3+3")], with_small_letter("İcazə", "az")
    (['checks', 'EAEU', '3+3'], 'icazə')
    """
    if text[1:2].isupper():
        return text
    dotted = {"İ": "i"} | ({"I": "ı"} if language == "az" else {})
    return dotted.get(text[:1], text[:1].lower()) + text[1:]


def localise_number(text: str, language: str) -> str:
    """A figure with the decimal sign of a language; any other text as it is. Digits stay Latin in all languages.

    >>> localise_number("1\u202f234.5", "ru"), localise_number("0.1.0", "ru"), localise_number("12.5 km", "fa")
    ('1\u202f234,5', '0.1.0', '12.5 km')
    """
    if language not in DECIMAL_COMMA or not _FIGURE.fullmatch(text):
        return text
    return _POINT.sub(",", text)


def _join(pattern: str, before: str, after: str) -> str:
    return _PAIR.sub(lambda blank: before if blank[1] == "0" else after, pattern)


def plural_form(language: str, count: Value) -> str:
    """The CLDR plural form that a language uses with a whole number.

    >>> [plural_form("en", n) for n in (0, 1, 2)], [plural_form("ru", n) for n in (1, 2, 5, 21)]
    (['other', 'one', 'other'], ['one', 'few', 'many', 'one'])
    """
    from babel import Locale

    if isinstance(count, str):
        count = int(count) if count.isdigit() else 0
    return str(Locale(language).plural_form(count)) if isinstance(count, int) else "other"


@cache
def words(language: str = "en") -> Words:
    """The words of a language with all that the catalogues have."""
    return Words(language, read_messages(language), read_messages("en"))


def render(value: Value, language: str = "en") -> str:
    """A message in words of a language.

    Args:
        value: a message or a listing of them; plain text and numbers are given back as text.
        language: code of a language that the catalogues have; what it lacks is said in English.

    Returns:
        The words.
    """
    return words(language).render(value)


def render_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table, and the notes that come with it, with messages in English words; the same table where there are none."""
    changed = {}
    for name in table.columns:
        if table[name].dtype != object or name == "geometry":
            continue
        cells = [render(cell) if isinstance(cell, Message | Listing) else cell for cell in table[name]]
        if any(new is not old for new, old in zip(cells, table[name], strict=True)):
            changed[name] = cells
    if "notes" in table.attrs:
        changed_attrs = {"notes": [render(note) for note in table.attrs["notes"]]}
        table = table.assign(**changed)
        table.attrs = table.attrs | changed_attrs
        return table
    return table.assign(**changed) if changed else table


def page_messages(results: Results) -> Messages:
    """Messages by language; of those that name something of a study, only what this study has by the same name."""
    english = read_messages("en")
    own = {f"regime.{regime.regime_id}": regime.label for regime in results.regimes}
    own |= {f"perspective.{view.perspective_id}": view.label for view in results.perspectives}
    own |= {f"route.{candidate.candidate_id}": candidate.name for candidate in results.candidates}
    own |= {f"route.{via.group_id}": via.group for c in results.candidates if (via := c.via) is not None}
    kept = {key for key, label in own.items() if english.get(key, label) == label}
    kept |= {f"country.{code}" for code in results.layers.countries["country"]} | {"route.via"}
    used = _texts_of(_spoken(results))
    regimes = {regime.regime_id: clean_text(regime.label) for regime in results.regimes}
    found: Messages = {
        language: {
            key: text
            for key, text in read_messages(language).items()
            if key in kept or not key.startswith(_NAMES_OF_STUDY)
        }
        | {f"regime_name.{key}": _name(language, f"regime.{key}", label, kept) for key, label in regimes.items()}
        | {TEXT + text: words_ for text, words_ in _data_words(results, language).items() if text in used}
        for language in LANGUAGES
    }
    # A country that no language here has a word for is called what the study's borders call it, not by its code.
    named = zip(results.layers.countries["country"], results.layers.countries["name"], strict=True)
    found["en"] |= {key: clean_text(name) for code, name in named if (key := f"country.{code}") not in english}
    # notes that know neither candidates nor countries tell them by name and by code
    for language, messages in found.items():
        spoken = Words(language, messages, found["en"])
        messages |= {TEXT + clean_text(c.name): spoken.render(route_message(c)) for c in results.candidates}
        codes = {code for code in results.layers.countries["country"] if spoken.known(f"country.{code}")}
        messages |= {f"{TEXT}{code}": spoken.say(f"country.{code}") for code in sorted(codes)}
    return found


def _name(language: str, key: str, label: str, kept: Container[str]) -> str:
    """What a study calls one of its sets of rules, in a language that has words for it, else as the study does."""
    return str(read_messages(language).get(key, label)) if key in kept else label


def _data_words(results: Results, language: str) -> dict[str, str]:
    """A language's words for texts of data: the bundled ones, and names of places that the map's data bring."""
    places = results.layers.places
    named = zip(places["name"], places["names"], strict=True) if "names" in places else ()
    found = {str(name): clean_text(names[language]) for name, names in named if language in names}
    return found | read_texts(language)


def _spoken(results: Results) -> tuple[object, ...]:
    """What of the results may be shown as plain text."""
    layers = results.layers
    columns = ("name", "place", "centre", "road_name")
    tables = (layers.crossings, layers.axes, layers.rivers, results.place_effects, results.events)
    return (
        results.title, results.question, results.report.compiled_by, results.focus_name,
        results.baseline, results.baseline.partition(": ")[2],
        results.candidates, results.regimes, results.perspectives, results.criteria, results.columns,
        results.conditions, results.sources, results.documents, results.notes, results.findings, results.flow_map,
        layers.named,
        *(tuple(table[key].unique()) for table in tables if table is not None for key in columns if key in table),
        tuple(results.events["structure"]) if results.events is not None and "structure" in results.events else (),
    )  # fmt: skip


def _texts_of(value: object) -> set[str]:
    """Every text in nested values, cleaned as it is shown."""
    found: set[str] = set()
    left = [value]
    while left:
        item = left.pop()
        if isinstance(item, str):
            found.add(item)
        elif type(item) in _HARMLESS:
            continue
        elif isinstance(item, tuple | list):
            left += item
        elif isinstance(item, Mapping):
            left += item.keys()
            left += item.values()
        elif isinstance(item, BaseModel):
            left += [getattr(item, name) for name in type(item).model_fields]
        elif is_dataclass(item):
            left += [getattr(item, part.name) for part in fields(item)]
    return set(map(clean_text, found))


def regime_message(results: Results, regime_id: str) -> Message:
    """The name of a set of rules."""
    label = next((regime.label for regime in results.regimes if regime.regime_id == regime_id), regime_id)
    return Message(f"regime.{regime_id}", fallback=label)
