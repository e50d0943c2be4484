"""`compare` of two encoders: every encoder's queries on every index."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.cli.encoders import NEW, OLD, SUITE, comparison, encoders_folder, ended

pytest.importorskip("ir_measures")

__all__ = ["encoders_folder"]
pytestmark = pytest.mark.usefixtures("encoders_folder")


def judged(found: dict[str, Any]) -> list[str]:
    first = found["tasks"][0]["updates"][0]
    return [first["old"], first["new"]]


def test_queries_of_each_are_asked_on_the_index_of_each() -> None:
    assert ended("compare", OLD, NEW, *SUITE) in {0, 1, 3}

    found = comparison()
    assert set(found["coverage"]) == {"old", "new", "new/old", "old/new"}
    assert judged(found) == ["old", "new"]
    assert Path("r/predictions/new_on_old.parquet").is_file()
    pair = found["tasks"][0]["matrix"]["pairs"][0]
    assert (pair["new"], pair["old"], pair["n_queries"]) == ("new", "old", 36)
    assert ended("verify", "r") == 0


def test_gates_may_judge_the_index_that_is_kept() -> None:
    elsewhere = "python:encoders:elsewhere"
    words = ("--index", "kept", "--paragon", NEW)

    assert ended("compare", OLD, elsewhere, *words, *SUITE) == 1

    found = comparison()
    assert judged(found) == ["old", "new/old"]
    main_measure = found["tasks"][0]["matrix"]["pairs"][0]["measures"][0]
    assert main_measure["decision"] == "refuted"
    assert main_measure["tax"]["value"] is not None
    assert ended("verify", "r") == 0


def test_of_a_chain_all_pairs_are_compared() -> None:
    third = "python:encoders:elsewhere"

    assert ended("compare", OLD, NEW, third, *SUITE) in {0, 1, 3}

    pairs = comparison()["tasks"][0]["matrix"]["pairs"]
    assert [(one["new"], one["old"]) for one in pairs] == [
        ("v2", "v1"),
        ("v3", "v1"),
        ("v3", "v2"),
    ]


def test_other_dimensions_need_an_adapter(capsys: pytest.CaptureFixture[str]) -> None:
    wider = "python:encoders:wider"

    assert ended("compare", OLD, wider, *SUITE) in {0, 1, 3}
    assert set(comparison()["coverage"]) == {"old", "new"}
    assert "an adapter is needed" in " ".join(comparison()["notes"])

    assert ended("compare", OLD, wider, *SUITE, "--overwrite", "--index", "kept") == 2
    assert "an adapter is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "said"), [("zeros", "all zeros"), ("nans", "gave no vector")]
)
def test_damaged_vectors_are_refused(
    model: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("compare", OLD, f"python:encoders:{model}", *SUITE) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_an_index_is_of_encoders_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended("compare", OLD, NEW, *SUITE) in {0, 1, 3}

    words = ("run:r#old", "run:r#new", "--suite", "library-desk-pages", "--out", "r2")
    assert ended("compare", *words, "--index", "kept") == 2
    assert "for encoders" in " ".join(capsys.readouterr().err.split())


BRIDGES = ("procrustes:calibrate=true", "ridge:maps=index", "cascade:candidates=5")


def test_bridges_lead_new_s_queries_to_the_index_that_stays() -> None:
    wider = "python:encoders:wider"
    words = [part for one in BRIDGES for part in ("--mitigate", one)]

    assert ended("compare", OLD, wider, *words, *SUITE) in {0, 1, 3}

    matrix = comparison()["tasks"][0]["matrix"]
    roles = [one["new"] for one in matrix["bridges"]]
    assert [role.split("-")[0] for role in roles] == [
        "new/old+procrustes",
        "new/old+ridge",
        "new/old+cascade",
    ]
    told = [
        one["mitigation"]["index"]
        for one in comparison()["tasks"][0]["updates"]
        if "mitigation" in one
    ]
    assert [one.get("fitted_on") for one in told] == [24, 24, None]
    assert told[2]["documents_scored"] == 36 * 5
    assert ended("verify", "r") == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bcr", "for which there are"),
        ("ridge:fit_on=test", "on which it is judged"),
        ("ridge:fit_on=other", "has the splits"),
        ("slerp:map=none", "name a map"),
        ("mean-drift", "do not differ by an offset"),
    ],
)
def test_bridges_that_cannot_be_are_refused(
    text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wider = "python:encoders:wider"

    assert ended("compare", OLD, wider, "--mitigate", text, *SUITE) == 2
    assert said in " ".join(capsys.readouterr().err.split())


LABELLED = """
name: tickets
task: {kind: retrieval, options: {k: 1}}
data: {test: {file: test.csv}, dev: {file: dev.csv}}
fields: {input: text, gold: topic}
corpus: {split: same, match: label}
"""


def write_tickets(dev: str) -> None:
    topics = {"card": "lost bank card", "loan": "long home loan", "fee": "late fee due"}
    rows = [
        f"{words} number {at},{topic}"
        for topic, words in topics.items()
        for at in range(4)
    ]
    Path("test.csv").write_text("\n".join(["text,topic", *rows]))
    Path("dev.csv").write_text(f"text,topic\n{dev}")
    Path("suite.yaml").write_text(LABELLED)


def test_queries_of_a_label_find_each_other_and_not_themselves() -> None:
    write_tickets("lost card,card\nloan rate,loan\nfee,fee\n")
    suite = ("--suite", "suite.yaml", "--out", "r", "-q")

    assert ended("compare", OLD, NEW, "--mitigate", "ridge", *suite) == 0

    rows = pq.read_table("r/predictions/old.parquet").to_pylist()
    assert all(row["id"] not in row["prediction"] for row in rows)
    assert {len(row["prediction"]) for row in rows} == {11}
    shown = comparison()["tasks"][0]["matrix"]["verification"]
    assert {one["protocol"] for one in shown} == {"verification", "open-set"}
    assert ended("verify", "r") == 0


def test_fitting_on_what_is_judged_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_tickets("Lost  bank card number 0,card\nloan rate,loan\nfee,fee\n")
    suite = ("--suite", "suite.yaml", "--out", "r", "-q")

    assert ended("compare", OLD, NEW, "--mitigate", "ridge", *suite) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "fitted on what it is judged with: 1 of the 3 texts of split dev" in said
    dropped = ("--mitigate", "ridge:overlap=drop")
    assert ended("compare", OLD, NEW, *dropped, *suite) == 0


def test_a_folder_in_the_layout_of_beir_is_a_suite(
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path("birds")
    (folder / "qrels").mkdir(parents=True)
    rows = {
        "corpus": [
            {"_id": name, "title": name, "text": f"the {name} sings"}
            for name in ("robin", "wren", "crow")
        ],
        "queries": [{"_id": name, "text": f"a {name}"} for name in ("robin", "crow")],
    }
    for name, some in rows.items():
        text = "\n".join(json.dumps(row) for row in some)
        (folder / f"{name}.jsonl").write_text(text)
    head = "query-id\tcorpus-id\tscore\n"
    qrels = folder / "qrels" / "test.tsv"
    qrels.write_text(f"{head}robin\trobin\t1\ncrow\tcrow\t1\n")
    words = ("compare", OLD, NEW, "--suite", "birds", "--out", "r", "-q")

    assert ended(*words) == 0
    assert comparison()["tasks"][0]["n_examples"] == 2
    assert ended("verify", "r") == 0

    qrels.write_text(f"{head}robin\trobin\t1\ncrow\teagle\t1\n")
    assert ended(*words, "--overwrite") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "1 judged documents are not among the 3 of the corpus" in said
    assert "eagle of query crow" in said


def test_an_encoder_s_rankings_are_written_and_compared_with_another_s() -> None:
    suite = ("--suite", "library-desk-pages")
    assert ended("predict", OLD, *suite, "--out", "old.jsonl", "-q") == 0

    assert ended("compare", "old.jsonl", NEW, *SUITE) in {0, 1, 3}

    assert set(comparison()["coverage"]) == {"old", "new"}
    assert "matrix" not in comparison()["tasks"][0]
    assert ended("verify", "r") == 0


def test_training_runs_of_encoders_are_added_up() -> None:
    runs = ("--old", OLD, "--new", NEW, "--new", "python:encoders:wider")

    assert ended("compare", *runs, *SUITE) in {0, 1, 3}

    assert set(comparison()["coverage"]) == {"old.1", "new.1", "new.2"}
    assert ended("verify", "r") == 0


@pytest.mark.parametrize("words", [("--aa",), ("--shard", "1/2")])
def test_what_encoders_cannot_be_asked_is_refused(
    words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("compare", OLD, NEW, *words, *SUITE) == 2
    assert "encoder" in capsys.readouterr().err


def test_scores_alone_may_be_what_counts() -> None:
    write_tickets("lost card,card\nloan rate,loan\nfee,fee\n")
    path = Path("suite.yaml")
    path.write_text(path.read_text().replace("data:", "levels: [ndcg]\ndata:", 1))
    words = ("--suite", "suite.yaml", "--out", "r", "--mitigate", "ridge", "-q")

    assert ended("compare", OLD, NEW, *words) == 0

    assert "- ridge: worse" in Path("r/summary.md").read_text().replace("\\", "")
    assert ended("verify", "r") == 0
