# ruff: noqa: INP001 - a script, no package
"""Write docs/suite-reference.md from the models of a suite file.

Run `python docs/generate_suite_reference.py` after a change of a model; a test
compares the page with what this makes.
"""

from pathlib import Path
from typing import Any

from compat_eval.suite.data.source import Location, Source
from compat_eval.suite.yaml.gates import GateRule, GatesFile, Loss, Protected
from compat_eval.suite.yaml.json_schema import gates_schema, suite_schema
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

PAGE = Path(__file__).parent / "suite-reference.md"

BLOCKS: tuple[tuple[str, type[Strict]], ...] = (
    ("The file", SuiteFile),
    ("`task`", TaskRule),
    ("`data`: a source", Source),
    ("A file inside `parallel` or `groups_from`", Location),
    ("`fields`", Fields),
    ("`fields`: a column", Column),
    ("`corpus`", Corpus),
    ("`corpus`: `fields`", CorpusFields),
    ("`slices`: a slice", Slice),
    ("`labels`", Labels),
    ("`gates`: a gate", GateRule),
    ("`gates`: `loss`", Loss),
    ("`protected`", Protected),
)

INTRODUCTION = """\
# Suite reference

<!-- Made by docs/generate_suite_reference.py from the models; do not edit. -->

A suite is one YAML file. `compat-eval suites validate FILE` checks it, loads its data
and scores two mock models; `compat-eval schema` prints its JSON Schema, so that an
editor can complete and check while you type:

```yaml
# yaml-language-server: $schema=suite.schema.json
name: support-desk
version: "1"
description: Requests to our support desk
licence: internal
task: classification

data:
  test: {file: test.csv}
  train:
  - {file: train-2024.jsonl.gz}
  - {file: train-2025.jsonl.gz}

fields: {input: text, gold: intent, id: ticket, cluster: customer}

slices:
  channel: channel
  length: {words: [5, 15]}
  urgent: {of: gold, equals: [outage, security]}

gates:
- {quantity: nfr, at_most: 0.005, semantics: certify}
- {quantity: accuracy_change, at_least: -0.002, semantics: detect}
- {quantity: nfr, at_most: 0.01, slice: urgent=yes}
- {loss: {of: macro_f1, at_most: 0.01}, semantics: detect}
protected: {ids: [T-1881, T-2034]}
```

Every mistake in a file is reported at once, each as `file:line: path: what is wrong;
what was got; what to do`. Unknown keys and repeated keys are mistakes. Scalars are
those of YAML 1.2: `no`, `on` and `2024-01-01` are text.

**Where data are looked for.** `file:` and the `mirror:` of a `url:` are looked for in
the data directory first (`--data-dir`, or `COMPAT_EVAL_DATA`); then `file:` beside the
suite file, and `url:` in the cache (`COMPAT_EVAL_CACHE`, or the user's cache
folder) and on the web. A declared `sha256` is checked wherever the file was found.

**Secrets.** `${NAME}` stands for an environment variable, in `token` and below
`headers` only. It is expanded when a request is made, and never stored or printed.

**`include:`** names files below the suite's own folder or below the shipped suites.
They are read first, in order. `gates` and the lists of `protected` are joined; `data`,
`fields`, `judgements`, `corpus`, `slices`, `labels` and `protected` are merged by name,
one level deep; for anything else the later value wins, and the file itself comes last.

**A gates file** (`--gates FILE`) holds `gates`, `correction`, `confidence` and
`protected` only, and takes the place of the suite's.

**Ids.** Without `fields.id` an example is named by a hash of its input and gold, so a
shuffled or extended file keeps its names. Exact repeats are numbered.
"""


def page() -> str:
    """Return the whole page."""
    definitions = suite_schema()["$defs"]
    parts = [INTRODUCTION]
    for title, model in BLOCKS:
        schema = suite_schema() if model is SuiteFile else definitions[model.__name__]
        parts.append(_block(title, model, schema))
    return "\n".join(parts)


def _block(title: str, model: type[Strict], schema: dict[str, Any]) -> str:
    inner = schema
    if "properties" not in schema:
        inner = next(one for one in schema["anyOf"] if "properties" in one)
    lines = [f"## {title}", "", (model.__doc__ or "").strip(), ""]
    if model.shorthand is not None:
        lines += [f"A lone value stands for `{{{model.shorthand}: value}}`.", ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    own = gates_schema()["properties"] if model is SuiteFile else {}
    names = [n for n in inner["properties"] if n not in own or n == "include"]
    if model is SuiteFile:
        names += list(GatesFile.model_fields)
    lines += [_row(name, inner["properties"][name], model) for name in names]
    return "\n".join([*lines, ""])


def _row(name: str, field: dict[str, Any], model: type[Strict]) -> str:
    known = model.model_fields.get(name)
    default = "**required**" if known is not None and known.is_required() else ""
    if not default and isinstance(field.get("default"), str | float | bool):
        default = f"`{_yaml(field['default'])}`"
    meaning = " ".join(field.get("description", "").split())
    return f"| `{name}` | {_kind(field)} | {default} | {_cell(meaning)} |"


def _yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _kind(field: dict[str, Any]) -> str:
    """Say in a few words what a value may be."""
    kind = field.get("type")
    if kind == "array":
        return f"list of {_kind(field['items'])}"
    if kind == "object":
        return _mapping(field)
    return _lone(field, kind)


def _mapping(field: dict[str, Any]) -> str:
    inner = field.get("additionalProperties")
    if "patternProperties" in field:
        inner = next(iter(field["patternProperties"].values()))
    return f"name → {_kind(inner)}" if isinstance(inner, dict) and inner else "mapping"


def _lone(field: dict[str, Any], kind: object) -> str:
    if "$ref" in field:
        return _BLOCK_NAMES[field["$ref"].rsplit("/", 1)[-1]]
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if "allOf" in field:  # as pydantic before 2.9 writes a description beside $ref
        return _kind(field["allOf"][0])
    if "anyOf" in field:
        kinds = [_kind(one) for one in field["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if isinstance(kind, list):
        known = [_SIMPLE[one] for one in kind]
        return "scalar" if len(known) > 2 else " or ".join(known)  # noqa: PLR2004
    return _SIMPLE.get(str(kind), "any")


_SIMPLE = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
}

_BLOCK_NAMES = {
    "Column": "column",
    "Corpus": "corpus",
    "CorpusFields": "corpus fields",
    "Fields": "fields",
    "GateRule": "gate",
    "Labels": "labels",
    "Location": "file",
    "Loss": "loss",
    "Protected": "protected",
    "Slice": "slice",
    "Source": "source",
    "TaskRule": "task",
}


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
