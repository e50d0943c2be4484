import json

from typer.testing import CliRunner

from compat_eval.cli.schema import app


def test_the_schema_of_a_suite_is_printed() -> None:
    schema = json.loads(CliRunner().invoke(app, []).output)

    assert schema["title"] == "A compat-eval suite"
    assert {"name", "task", "data", "gates", "include"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_the_schema_of_a_gates_file_is_printed() -> None:
    schema = json.loads(CliRunner().invoke(app, ["--what", "gates"]).output)

    assert set(schema["properties"]) == {
        "gates",
        "correction",
        "confidence",
        "protected",
        "include",
    }


def test_the_schema_of_a_policy_is_printed() -> None:
    schema = json.loads(CliRunner().invoke(app, ["--what", "policy"]).output)

    assert schema["required"] == ["suites"]
    rule = schema["$defs"]["SuiteRule"]["properties"]
    assert all(rule[name]["description"] for name in ("tier", "max_drop", "gates"))
    assert "tier" in schema["properties"]["defaults"]["properties"]


def test_another_kind_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["--what", "models"])

    assert result.exit_code == 2
