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
    ("limit", "expected", "first", "needed"),
    [
        ("0.005", "0.002", 2366, 2884),
        ("0.01", "0.001", 473, 473),
        ("0.02", "0.012", 1567, 1741),
    ],
)
def test_the_first_sample_is_that_of_the_published_table_and_the_needed_one_lasts(
    limit: str, expected: str, first: int, needed: int
) -> None:
    found = planned("--limit", limit, "--expected", expected)
    text = run("--limit", limit, "--expected", expected)

    assert (found["first"], found["needed"]) == (first, needed)
    assert f"From {needed:,} examples on the gate passes" in text
    assert (f"({first:,} have that chance too" in text) == (first < needed)


def test_several_gates_share_the_error() -> None:
    found = planned("--limit", "0.01", "--gates", "2")

    assert found["alpha"] == 0.025
    assert found["smallest"][0] == 368  # 0.99 ** 368 <= 0.025 < 0.99 ** 367


def test_a_design_effect_multiplies() -> None:
    asked = ("--limit", "0.01", "--expected", "0.004")
    plain = planned(*asked)["needed"]

    found = planned(*asked, "--design-effect", "1.9")

    assert found["needed"] == math.ceil(1.9 * plain)
    assert found["fewest_clusters"] == 299
    said = run(*asked, "--design-effect", "1.9")
    assert "It takes 299 clusters besides, however large they are" in said


def test_clusters_are_judged_as_a_gate_judges_them() -> None:
    """Ten examples a document, alike by 0.1: a design effect of 1.9, and more.

    1.9 times as many would be 274 documents; it takes 299 without any flip.
    """
    asked = ("--limit", "0.01", "--expected", "0.004")
    by_size = ("--cluster-size", "10", "--icc", "0.1")
    plain = planned(*asked)["needed"]

    found = planned(*asked, *by_size, "--n", "2738")

    assert found["design_effect"] == pytest.approx(1.9)
    assert found["needed"] > 2990 > math.ceil(1.9 * plain)
    assert found["smallest"][0] == 2990
    assert found["given"]["chance"] == 0.0
    clusters = math.ceil(found["needed"] / 10)
    assert f"That is {clusters} clusters." in run(*asked, *by_size)
    again = planned(*asked, *by_size, "--n", str(found["needed"]))
    assert again["given"]["chance"] == pytest.approx(0.8, abs=0.04)


CHANGE = ("--metric", "accuracy_change", "--limit", "-0.01", "--flips", "0.04")


def test_a_change_in_accuracy_needs_what_its_flips_need() -> None:
    """(1.645 + 0.842)² · 0.04 / 0.01² = 2,473; exact bounds ask for more."""
    found = planned(*CHANGE, "--expected", "0")

    assert found["needed"] == pytest.approx(2473, rel=0.1)
    assert planned(*CHANGE, "--expected", "0.01")["needed"] < found["needed"]
    assert "change found is -0.0" in run(*CHANGE, "--expected", "0", "--n", "1000")
    assert "is not above the limit" in run(*CHANGE, "--expected", "-0.01")


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


def test_rates_may_be_written_in_percent() -> None:
    fractions = run("--limit", "0.005", "--expected", "0.002")

    assert run("--limit", "0.5%", "--expected", "0.2 %") == fractions


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
        (["--limit", "0.1", "--gates", "0"], "--gates must be"),
        (["--limit", "0.1", "--icc", "0.1"], "belong together"),
        (["--limit", "0.1", "--design-effect", "0.5"], "--design-effect must be"),
        (["--limit", "0.1", "--flips", "0.5"], "--flips belongs"),
        (["--limit", "-0.1", "--metric", "accuracy_change"], "needs --flips"),
        ([*CHANGE, "--expected", "0.05"], "cannot be: only 0.04 flip"),
    ],
)
def test_numbers_out_of_range_are_refused(arguments: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run(*arguments)
