"""What a program can write in the pages is what the program writes now."""

import pytest

from docs import generate, pages


@pytest.mark.parametrize(
    "name",
    [
        "docs/suite-reference.md",
        "docs/cli-reference.md",
        "docs/images/gate-decisions.svg",
    ],
)
def test_a_reference_page_is_current(name: str) -> None:
    made = generate.generated()[generate.ROOT / name]

    assert (generate.ROOT / name).read_text("utf-8") == made, "run: make docs"


def test_the_command_line_reference_knows_every_command() -> None:
    from compat_eval.cli.root import COMMANDS

    page = generate.generated()[generate.ROOT / "docs/cli-reference.md"]

    assert [name for name in COMMANDS if f"## compat-eval {name}\n" not in page] == []
    assert "## compat-eval suites validate\n" in page
    assert page.count("--install-completion") == 1, "only the whole program has it"


@pytest.mark.parametrize(
    "path", generate.written_pages(), ids=lambda p: str(p.relative_to(generate.ROOT))
)
def test_the_named_blocks_of_a_page_are_current(path: object) -> None:
    page = generate.ROOT.joinpath(str(path)).read_text("utf-8")

    assert generate.filled(page) == page, "run: make docs"


def test_a_named_block_is_filled_and_the_rest_left_alone() -> None:
    page = "before\n<!-- plan -->\nold\n<!-- /plan -->\nafter\n"

    filled = generate.filled(page)

    assert filled.startswith("before\n<!-- plan -->\n")
    assert filled.endswith("<!-- /plan -->\nafter\n")
    assert "| 1 % | 299 | 473 | 773 | 1,441 | 3,487 |" in filled
    assert "old" not in filled


def test_results_are_a_row_for_each_update() -> None:
    row = {
        "update": "small → full",
        "counts": {"kept": 90, "broken": 2, "fixed": 5, "missed": 3},
        "metrics": {
            "accuracy_old": 0.92,
            "accuracy_new": 0.95,
            "nfr": 0.02,
            "nfi": 0.4,
        },
        "intervals": {"nfr": [0.0055, 0.07], "nfi": [0.12, 0.77]},
    }

    assert generate.result_row(row) == (
        "| small → full | 92.00 → 95.00 % | 2 / 5 of 100 "
        "| 2.00 % (0.55–7.00) | 40.00 % (12.00–77.00) |"
    )


def test_an_output_keeps_its_left_out_middle() -> None:
    page = "```console\n$ seq 5\n0\n…\n0\n```\n"

    assert pages.run(page, generate.ROOT) == "```console\n$ seq 5\n1\n…\n5\n```\n"


def test_a_failing_command_is_no_example() -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        pages.run("```console\n$ exit 3\n```\n", generate.ROOT)
