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
