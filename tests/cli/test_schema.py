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


def test_another_kind_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["--what", "models"])

    assert result.exit_code == 2
