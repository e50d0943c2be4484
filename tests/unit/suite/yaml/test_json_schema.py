from pathlib import Path

import pytest

from compat_eval.suite.catalogue import shipped_suites
from compat_eval.suite.yaml.document import parse_yaml, read_yaml
from compat_eval.suite.yaml.json_schema import gates_schema, suite_schema

jsonschema = pytest.importorskip("jsonschema")


def errors(schema: dict[str, object], text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    value = parse_yaml(text, name="x").value
    return [error.message for error in validator.iter_errors(value)]


def test_the_schemas_are_schemas() -> None:
    jsonschema.Draft202012Validator.check_schema(suite_schema())
    jsonschema.Draft202012Validator.check_schema(gates_schema())


@pytest.mark.parametrize("name", sorted(shipped_suites()))
def test_shipped_suites_follow_the_schema(name: str) -> None:
    value = read_yaml(shipped_suites()[name].path).value

    jsonschema.validate(value, suite_schema())


HEAD = "{name: a, task: classification, data: {test: {file: a.csv}}, fields: {input: t}"


def test_shorthands_follow_the_schema() -> None:
    assert errors(suite_schema(), HEAD + ", slices: {c: channel}}") == []
    assert errors(suite_schema(), HEAD.replace("{input: t}", "{input: 0}") + "}") == []
    assert errors(suite_schema(), "include: [a.yaml]") == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        HEAD + ", nmae: x}",
        HEAD.replace("file: a.csv", "fil: a.csv") + "}",
        HEAD + ", gates: [{quantity: 5}]}",
        HEAD + ", confidence: 95}",
    ],
)
def test_mistakes_do_not_follow_the_schema(text: str) -> None:
    assert errors(suite_schema(), text) != []


def test_gates_follow_their_schema() -> None:
    assert errors(gates_schema(), "gates: [{quantity: nfr, at_most: 0.01}]") == []
    assert errors(gates_schema(), "gates: [{quantity: nfr, at_mots: 0.01}]") != []


def test_the_reference_page_is_current() -> None:
    import runpy

    docs = Path(__file__).parents[4] / "docs"
    made = runpy.run_path(str(docs / "generate_suite_reference.py"))["page"]()

    assert (docs / "suite-reference.md").read_text(encoding="utf-8") == made, (
        "run: python docs/generate_suite_reference.py"
    )
