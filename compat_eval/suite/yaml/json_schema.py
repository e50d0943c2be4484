"""The JSON Schema of suite and gates files, and of release policies."""

import ast
import inspect
import itertools
from typing import Any

from compat_eval.suite.data.source import Location, Source
from compat_eval.suite.yaml.gates import GateRule, GatesFile, Loss, Protected
from compat_eval.suite.yaml.policy import PolicyFile, PooledRule, SuiteRule
from compat_eval.suite.yaml.schema import (
    Column,
    Corpus,
    CorpusFields,
    Fields,
    Labels,
    Slice,
    SuiteFile,
    TaskRule,
)
from compat_eval.suite.yaml.strict import Strict

_MODELS: tuple[type[Strict], ...] = (
    SuiteFile,
    TaskRule,
    Source,
    Location,
    Fields,
    Column,
    Corpus,
    CorpusFields,
    Slice,
    Labels,
    GateRule,
    Loss,
    Protected,
)
"""Every block of a suite file, in reading order."""

_OF_POLICIES: tuple[type[Strict], ...] = (PolicyFile, SuiteRule, PooledRule)

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


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a release policy."""
    schema = _schema(PolicyFile, "A release policy of compat-eval", includes=False)
    schema["properties"]["defaults"] = {
        **schema["$defs"]["SuiteRule"],
        "description": schema["properties"]["defaults"]["description"],
    }
    return schema


def _schema(
    model: type[Strict], title: str, *, includes: bool = True
) -> dict[str, Any]:
    schema = _documented(model, model.model_json_schema())
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    if includes:
        schema["properties"]["include"] = _INCLUDE
        # A file that includes others may leave to them what would be required.
        schema["anyOf"] = [
            {"required": schema.pop("required", [])},
            {"required": ["include"]},
        ]
    for name, definition in schema.get("$defs", {}).items():
        schema["$defs"][name] = _with_shorthand(name, definition)
    for name in ("data", "judgements"):
        splits = schema["properties"].get(name)
        if splits is not None:
            splits["additionalProperties"] = _one_or_several(splits)
    corpus = schema.get("$defs", {}).get("Corpus")
    if corpus is not None:
        sources = corpus["properties"]["data"]
        sources["anyOf"].insert(0, {"$ref": "#/$defs/Source"})
    return schema


def _with_shorthand(name: str, definition: dict[str, Any]) -> dict[str, Any]:
    """Allow the lone text (or position) that stands for a whole block."""
    model = next(model for model in (*_MODELS, *_OF_POLICIES) if model.__name__ == name)
    definition = _documented(model, definition)
    if model.shorthand is None:
        return definition
    short = {"type": ["string", "integer"] if model is Column else "string"}
    return {
        "description": definition.pop("description", ""),
        "anyOf": [short, definition],
    }


def _documented(model: type[Strict], definition: dict[str, Any]) -> dict[str, Any]:
    """Describe each key as the docstring below its attribute does."""
    texts: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, Strict):
            texts |= _attribute_texts(one)
    for name, fields in definition["properties"].items():
        if name in texts:
            fields["description"] = texts[name]
    return definition


def _attribute_texts(model: type[Strict]) -> dict[str, str]:
    """Return the docstring below each attribute of a model's own, by its name.

    pydantic can read them when a class is made; then every start would pay for what
    only the schema needs.
    """
    found = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(found, ast.ClassDef)
    texts = {}
    for line, after in itertools.pairwise(found.body):
        match line, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                texts[name] = inspect.cleandoc(text)
    return texts


def _one_or_several(splits: dict[str, Any]) -> dict[str, Any]:
    key = "additionalProperties"
    if key not in splits:
        pattern, several = splits.pop("patternProperties").popitem()
        splits["propertyNames"] = {"pattern": pattern}
    else:
        several = splits[key]
    return {"anyOf": [{"$ref": "#/$defs/Source"}, several]}
