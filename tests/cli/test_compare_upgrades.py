"""`compare` of two encoders says what to do about the index."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.encoders import NEW, OLD, SUITE, comparison, encoders_folder, ended

pytest.importorskip("ir_measures")

__all__ = ["encoders_folder"]
pytestmark = pytest.mark.usefixtures("encoders_folder")


def decision() -> dict[str, Any]:
    told: dict[str, Any] = comparison()["tasks"][0]["decision"]
    return told


def test_what_36_queries_do_not_show_is_undecided_and_stands_first_on_the_page() -> (
    None
):
    assert ended("compare", OLD, NEW, *SUITE) in {0, 1, 3}

    found = decision()
    assert found["verdict"] == "undecided"
    assert found["fresh_queries"] > 36
    assert [one["action"] for one in found["ways"]] == ["stay", "bridge", "re-index"]
    assert [one["cost"]["vectors"] for one in found["ways"]] == [0, 0, 24]
    page = Path("r/report.html").read_text()
    assert page.index('id="decision"') < page.index('id="verdict"')
    assert ended("verify", "r") == 0


def test_a_wide_tolerance_stays_and_is_verified() -> None:
    words = ("--tolerance", "0.3", "--below-old", "0.05")

    assert ended("compare", OLD, NEW, *SUITE, *words) in {0, 1, 3}

    assert decision()["verdict"] == "stay"
    assert ended("verify", "r") == 0


def test_a_backfill_is_judged_as_it_is_served() -> None:
    assert ended("compare", OLD, NEW, *SUITE, "--backfill", "random") in {0, 1, 3}

    (order,) = decision()["backfills"]
    roles = [one["role"] for one in order["shares"]]
    assert (roles[0], roles[5], roles[-1]) == ("new/old", "new/random 0.5", "new")
    assert ended("verify", "r") == 0


def test_adapters_and_cascades_are_ways_with_what_they_cost() -> None:
    words = (
        "--mitigate",
        "cascade:candidates=5",
        "--mitigate",
        "slerp:fit_on=documents",
    )

    assert ended("compare", OLD, NEW, *SUITE, *words) in {0, 1, 3}

    ways = {one["action"]: one for one in decision()["ways"]}
    assert ways["cascade"]["cost"]["documents"] == 5
    assert ways["cascade"]["needs_old"]
    mixed = next(w for w in decision()["ways"] if "slerp" in w["role"])
    assert (mixed["action"], mixed["cost"]["forwards"]) == ("bridge", 2)
    assert ended("verify", "r") == 0


def test_beside_a_paragon_new_was_trained_to_fit_the_index() -> None:
    assert ended("compare", OLD, NEW, *SUITE, "--paragon", NEW) in {0, 1, 3}

    ways = {one["role"]: one["action"] for one in decision()["ways"]}
    assert ways == {"old": "stay", "new/old": "train", "paragon": "re-index"}


def test_other_dimensions_are_served_with_two_queries() -> None:
    wider = "python:encoders:wider"

    assert ended("compare", OLD, wider, *SUITE, "--backfill", "random") in {0, 1, 3}

    (order,) = decision()["backfills"]
    assert order["shares"][0]["role"] == "old"
    assert order["shares"][1]["cost"]["forwards"] == 2
    assert order["shares"][1]["needs_old"]


def test_an_order_may_come_from_a_file() -> None:
    ids = [
        json.loads(line)["document"]
        for line in Path(__file__)
        .parents[2]
        .joinpath("suites/retrieval/library-desk-pages/documents.jsonl")
        .read_text()
        .splitlines()
    ]
    rows = [f"{one},{at}" for at, one in enumerate(ids)]
    Path("times.csv").write_text("\n".join(["id,times", *rows]))
    words = ("--backfill", "popular=times.csv")

    assert ended("compare", OLD, NEW, *SUITE, *words) in {0, 1, 3}

    assert decision()["backfills"][0]["order"] == "popular"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--backfill", "backwards"), "expected random, far-from-class, or NAME=FILE"),
        (("--backfill", "far-from-class"), "needs documents with labels"),
        (("--backfill", "popular=none.csv"), "does not exist"),
        (("--backfill", "popular=few.csv"), "documents have no number"),
        (("--backfill", "random", "--backfill", "random"), "given twice"),
        (("--tolerance", "2"), "must be"),
    ],
)
def test_what_cannot_be_asked_is_told(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("few.csv").write_text("id,times\nd1,3\n")

    assert ended("compare", OLD, NEW, *SUITE, *words) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_files_have_no_index_to_embed_anew(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("old", "new"):
        row = {"id": "a", "prediction": "x", "gold": "x"}
        Path(f"{name}.jsonl").write_text(json.dumps(row))

    assert ended("compare", "old.jsonl", "new.jsonl", "--backfill", "random") == 2
    assert "for encoders" in " ".join(capsys.readouterr().err.split())


def test_a_suite_that_counts_queries_alone_decides_by_them() -> None:
    shipped = Path(__file__).parents[2] / "suites/retrieval/library-desk-pages"
    shutil.copytree(shipped, "pages")
    rules = Path("pages/suite.yaml")
    rules.write_text(rules.read_text() + "\nlevels: [query]\n")
    words = ("--suite", "pages", "--out", "r", "-q")

    assert ended("compare", OLD, NEW, *words) in {0, 1, 3}

    assert decision()["measure"] == "query"
    assert ended("verify", "r") == 0


def test_what_a_query_costs_is_measured_where_it_is_asked() -> None:
    words = ("--paragon", NEW, "--query-cost", "--mitigate", "slerp:fit_on=documents")

    assert ended("compare", OLD, NEW, *SUITE, *words) in {0, 1, 3}

    manifest = json.loads(Path("r/manifest.json").read_text("utf-8"))
    cost = manifest["roles"]["new/old"]["describe"]["queries"]["query_cost"]
    assert min(cost["milliseconds"], cost["milliseconds_together"]) > 0
    assert all(one["cost"]["milliseconds"] is None for one in decision()["ways"])
    page = Path("r/report.html").read_text("utf-8")
    assert "What a query costs" in page
    assert "2 passes, 0." in page
    (pair,) = comparison()["tasks"][0]["matrix"]["pairs"]
    apart = {one["measure"]: one["against_paragon"] for one in pair["measures"]}
    # The paragon is NEW itself here.
    kept = {one["measure"]: one["keeping"] for one in pair["measures"]}
    assert apart["ndcg"]["value"] == kept["ndcg"]["value"]
    assert ended("verify", "r") == 0
