"""Events in messages: which structure keeps a route and a road apart, and why an event is of its kind."""

from __future__ import annotations

from corridor.schema.interaction import Event
from corridor.schema.message import Message, Value
from corridor.schema.vocabulary import Cause, Evidence, Owner, StructureKind


def road_label(event: Event) -> str:
    """A road as the data has it: number, else name, else class."""
    return event.road_ref or event.road_name or event.road_class


def structure_message(event: Event) -> Value:
    """The structure at a crossing, with whose it is and how long; empty where there is none."""
    structure = event.structure
    if structure is None:
        return ""
    length = "" if structure.length_m is None else f"{structure.length_m:.0f}"
    if structure.evidence == Evidence.DOCUMENTED and structure.owner == Owner.ROAD:
        if not length:
            return structure.name
        return Message("structure.documented", {"name": structure.name, "length": length})
    if structure.owner == Owner.ROUTE:
        tunnel = structure.kind == StructureKind.TUNNEL
        name = structure.name or Message("map.tunnel" if tunnel else "map.bridge")
        return Message("structure.of_route", {"name": name, "length": length})
    if structure.kind == StructureKind.TUNNEL:
        return Message("structure.road_tunnel", {"road": road_label(event), "length": length})
    return Message("structure.road_bridge", {"road": road_label(event), "length": length})


def cause_message(event: Event) -> Message:
    """Why an event is of its kind."""
    match event.cause:
        case Cause.MAPPED_APART:
            return Message("cause.mapped_apart", {"structure": structure_message(event)})
        case Cause.SCHEMATIC_LINE:
            return Message("cause.schematic_line")
        case Cause.JUNCTION:
            return Message("cause.junction")
        case Cause.NOTHING_MAPPED:
            return Message("cause.nothing_mapped")
        case Cause.CATALOGUE_NODE:
            return Message("cause.catalogue_node")
        case Cause.DOCUMENTED_STRUCTURE:
            found = event.structure
            key, note = (found.structure_id, found.note) if found else ("", "")
            return Message("cause.documented_structure", {"structure_id": key, "note": note})
        case Cause.ROAD_IN_USE:
            if not event.section_id:
                return Message("cause.road_in_use", {"road": road_label(event)})
            return Message("cause.section_in_use", {"road": road_label(event), "section_id": event.section_id})
        case Cause.RUNS_PARALLEL:
            return Message("cause.runs_parallel", {"distance_m": f"{event.distance_m:.0f}"})


_LETTERS = {
    "ա": "a", "բ": "b", "գ": "g", "դ": "d", "ե": "e", "զ": "z", "է": "e", "ը": "y", "թ": "t", "ժ": "zh", "ի": "i",
    "լ": "l", "խ": "kh", "ծ": "ts", "կ": "k", "հ": "h", "ձ": "dz", "ղ": "gh", "ճ": "ch", "մ": "m", "յ": "y", "ն": "n",
    "շ": "sh", "ո": "o", "չ": "ch", "պ": "p", "ջ": "j", "ռ": "r", "ս": "s", "վ": "v", "տ": "t", "ր": "r", "ց": "ts",
    "ւ": "v", "փ": "p", "ք": "k", "օ": "o", "ֆ": "f", "և": "ev",
}  # fmt: skip
_VOWELS = "աեէըիոօ"


def transliterate(name: str) -> str:
    """A name with its Armenian letters in Latin ones; other letters stay as they are.

    >>> transliterate("Նռնաձոր"), transliterate("Որոտան"), transliterate("Շուռնուխ"), transliterate("Çayzəmi")
    ('Nrnadzor', 'Vorotan', 'Shurnukh', 'Çayzəmi')
    """
    words = []
    for word in name.split(" "):
        plain = word.lower().replace("եւ", "և")
        if not any(letter in _LETTERS for letter in plain):
            words.append(word)
            continue
        latin = "-".join(_word(part) for part in plain.split("-"))
        words.append(
            "-".join(p[:1].upper() + p[1:] for p in latin.split("-")) if word[:1] != word[:1].lower() else latin
        )
    return " ".join(words)


def _word(word: str) -> str:
    out = []
    for index, letter in enumerate(word):
        after = word[index + 1 : index + 2]
        if letter == "ո" and after == "ւ":
            out.append("u")
        elif letter == "ւ" and index and word[index - 1] == "ո":
            continue
        elif letter in "եո" and index == 0:
            out.append(("ye" if letter == "ե" else "vo") if after != "ւ" else "u")
        elif letter == "և" and index == 0:
            out.append("yev")
        elif letter == "ե" and word[index - 1] in _VOWELS:
            out.append("ye")
        else:
            out.append(_LETTERS.get(letter, letter))
    return "".join(out)
