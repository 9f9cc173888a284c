"""The schema as a page for people and as JSON Schema for machines.

Assumes that every field has a description; a field without one stops the page from being made.
"""

import types
import typing
from typing import Any

from .part import Part
from .results import PLP_MEASURES, PLP_TABLES, Results

__all__ = ["as_markdown", "json_schema"]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of the results."""
    return Results.model_json_schema()


def as_markdown() -> str:
    """Return the sections and their fields as Markdown tables."""
    lines = ["| section | holds | PatientLevelPrediction |", "|---|---|---|"]
    lines += [
        f"| `{field.alias or name}` | {field.description} | {_code(PLP_TABLES.get(name))} |"
        for name, field in Results.model_fields.items()
    ]
    lines += ["", "| measure | PatientLevelPrediction |", "|---|---|"]
    lines += [f"| `{ours}` | {_code(theirs)} |" for ours, theirs in PLP_MEASURES.items()]
    for name, field in Results.model_fields.items():
        lines += _section(name, _part(field.annotation))
    return "\n".join(lines) + "\n"


def _section(place: str, part: type[Part] | None) -> list[str]:
    """Return the heading and table of a section, then those of the parts inside it."""
    if part is None:
        return []
    assert part.__doc__ is not None
    lines = ["", f"## `{place}`", "", part.__doc__.splitlines()[0], ""]
    lines += ["| field | type | meaning | PatientLevelPrediction |", "|---|---|---|---|"]
    inside: list[str] = []
    for name, field in part.model_fields.items():
        assert field.description, f"{place}.{name} has no description"
        extra = field.json_schema_extra
        theirs = extra.get("plp_name") if isinstance(extra, dict) else None
        lines.append(
            f"| `{name}` | {_type(field.annotation)} | {field.description} | {_code(theirs)} |"
        )
        inside += _section(f"{place}.{name}", _part(field.annotation))
    return lines + inside


def _code(name: Any) -> str:
    return f"`{name}`" if name else ""


def _arguments(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is typing.Annotated:
        return (typing.get_args(annotation)[0],)
    return typing.get_args(annotation)


def _part(annotation: Any) -> type[Part] | None:
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    found = [_part(argument) for argument in _arguments(annotation)]
    return next((part for part in found if part is not None), None)


def _type(annotation: Any) -> str:
    """Return a type in the words of JSON."""
    names = {str: "text", int: "whole number", float: "number", bool: "true or false"}
    if annotation in names:
        return names[annotation]
    if annotation is type(None):
        return "null"
    origin, arguments = typing.get_origin(annotation), _arguments(annotation)
    if origin is list:
        inner = _type(arguments[0])
        return "list" if inner == "record" else f"list of {inner}"
    if origin in (typing.Union, types.UnionType, typing.Annotated):
        return " or ".join(_type(argument) for argument in arguments)
    return "record"
