"""The JSON Schema of suite and gates files."""

from typing import Any

from compat_eval.suite.gate_rules import GateRule, GatesFile, Loss, Protected
from compat_eval.suite.location import Location
from compat_eval.suite.schema import Column, Fields, Labels, Slice, SuiteFile, TaskRule
from compat_eval.suite.source import Source
from compat_eval.suite.strict import Strict

MODELS: tuple[type[Strict], ...] = (
    SuiteFile,
    TaskRule,
    Source,
    Location,
    Fields,
    Column,
    Slice,
    Labels,
    GateRule,
    Loss,
    Protected,
)
"""Every block of a suite file, in reading order."""

_INCLUDE = {
    "description": "Files below this one's folder, or below the shipped suites, that "
    "are read first. Blocks are merged by name, gates are joined; otherwise the later "
    "value wins.",
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
    ],
}


def suite_schema() -> dict[str, Any]:
    """Return the JSON Schema of a suite file."""
    return _schema(SuiteFile, "A compat-eval suite")


def gates_schema() -> dict[str, Any]:
    """Return the JSON Schema of a gates file."""
    return _schema(GatesFile, "Gates of compat-eval")


def _schema(model: type[Strict], title: str) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    schema["properties"]["include"] = _INCLUDE
    # A file that includes others may leave to them what would be required.
    schema["anyOf"] = [
        {"required": schema.pop("required", [])},
        {"required": ["include"]},
    ]
    for name, definition in schema.get("$defs", {}).items():
        schema["$defs"][name] = _with_shorthand(name, definition)
    splits = schema["properties"].get("data")
    if splits is not None:
        splits["additionalProperties"] = _one_or_several(splits)
    return schema


def _with_shorthand(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Allow the lone text (or position) that stands for a whole block."""
    model = next(model for model in MODELS if model.__name__ == name)
    if model.shorthand is None:
        return definition
    short = {"type": ["string", "integer"] if model is Column else "string"}
    return {
        "description": definition.pop("description", ""),
        "anyOf": [short, definition],
    }


def _one_or_several(splits: dict[str, Any]) -> dict[str, Any]:
    key = "additionalProperties"
    if key not in splits:
        pattern, several = splits.pop("patternProperties").popitem()
        splits["propertyNames"] = {"pattern": pattern}
    else:
        several = splits[key]
    return {"anyOf": [{"$ref": "#/$defs/Source"}, several]}
