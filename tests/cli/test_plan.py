import json
import math
from typing import Any

import pytest
from typer.testing import CliRunner

from compat_eval.cli.plan import app
from compat_eval.core.errors import UsageError


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def planned(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--json"))
    return found


# The numbers are those of the tables in docs and specification.


def test_the_smallest_samples_are_those_of_the_published_table() -> None:
    assert planned("--limit", "0.01")["smallest"] == [299, 473, 628, 773, 913, 1049]


@pytest.mark.parametrize(
    ("limit", "expected", "needed"),
    [("0.005", "0.002", 2366), ("0.01", "0.001", 473), ("0.02", "0.012", 1567)],
)
def test_the_needed_sample_is_that_of_the_published_table(
    limit: str, expected: str, needed: int
) -> None:
    assert planned("--limit", limit, "--expected", expected)["needed"] == needed
    text = run("--limit", limit, "--expected", expected)
    assert f"With {needed:,} examples the gate passes" in text


def test_what_a_number_of_examples_can_prove() -> None:
    given = planned("--limit", "0.005", "--n", "1258", "--expected", "0.001")["given"]

    assert given["most_flips"] == 2
    poisson = math.exp(-1.258) * (1 + 1.258 + 1.258**2 / 2)  # two or fewer
    assert given["chance"] == pytest.approx(poisson, abs=5e-4)
    assert "with at most 2 broken" in run("--limit", "0.005", "--n", "1258")


def test_too_few_examples_are_said_to_be_too_few() -> None:
    given = planned("--limit", "0.005", "--n", "200")["given"]

    assert (given["most_flips"], given["largest_certifiable_rate"]) == (-1, None)
    assert "the bound is 0.01487" in run("--limit", "0.005", "--n", "200")


def test_confidence_moves_the_numbers() -> None:
    # (1 - 0.01) ** n <= 0.01 from n = 459.
    assert planned("--limit", "0.01", "--confidence", "0.99")["smallest"][0] == 459


def test_nfi_counts_errors_of_the_new_model() -> None:
    shown = run("--limit", "0.05", "--metric", "nfi", "--expected", "0.01")

    assert "errors of the new model" in shown


def test_a_rate_at_the_limit_cannot_be_certified() -> None:
    assert "no number of examples" in run("--limit", "0.01", "--expected", "0.01")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--limit", "2"], "--limit must be a fraction.*For 2 % write 0.02"),
        (["--limit", "0.1", "--power", "1"], "--power"),
        (["--limit", "0.1", "--confidence", "95"], "--confidence"),
        (["--limit", "0.1", "--expected", "-1"], "--expected"),
        (["--limit", "0.1", "--n", "0"], "--n must be"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments)
