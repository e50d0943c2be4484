"""Samples of lm-evaluation-harness, in the forms that its versions wrote."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.recorded import Recorded, Request
from compat_eval.readers.files import read
from compat_eval.readers.logs import read_log
from compat_eval.readers.logs.lm_eval import LmEvalSamples


def sample(doc: int, **more: Any) -> dict[str, Any]:
    return {
        "doc_id": doc,
        "doc": {"question": "1+1"},
        "target": "2",
        "arguments": {"gen_args_0": {"arg_0": "1+1=", "arg_1": " 2"}},
        "filtered_resps": ["2"],
        "metrics": ["exact_match"],
        "exact_match": 1.0,
        **more,
    }


def load(tmp_path: Path, samples: list[dict[str, Any]], **request: Any) -> Recorded:
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in samples), "utf-8")
    return read(str(path), Request(name="samples.jsonl", **request))


def test_a_generated_answer_is_graded_by_the_harness(tmp_path: Path) -> None:
    side = load(tmp_path, [sample(0), sample(1, filtered_resps=["3"], exact_match=0.0)])

    assert side.predictions.table.to_pylist() == [
        {"id": "0", "prediction": "2", "correct.example": True},
        {"id": "1", "prediction": "3", "correct.example": False},
    ]
    assert side.examples.table.to_pylist() == [
        {"id": i, "input": "1+1=", "gold": "2", "slice.question": "1+1"}
        for i in ("0", "1")
    ]
    assert side.graded_by == "lm-evaluation-harness"


@pytest.mark.parametrize(
    "choices",
    [
        [["-4.5", "False"], ["-1.25", "True"], ["-10.0", "False"]],
        [[-4.5, False], [-1.25, True], [-10.0, False]],
    ],
)
def test_of_several_choices_the_likeliest_is_the_answer(
    tmp_path: Path, choices: list[list[Any]]
) -> None:
    side = load(tmp_path, [sample(0, filtered_resps=choices, acc=1.0, metrics=["acc"])])

    assert side.predictions.column("prediction").to_pylist() == ["1"]


def test_another_metric_can_grade(tmp_path: Path) -> None:
    rows = [sample(0, metrics=["acc", "acc_norm"], acc=1.0, acc_norm=0.0)]

    first = load(tmp_path, rows)
    other = load(tmp_path, rows, fields={"correct": "acc_norm"})

    assert first.predictions.column("correct.example").to_pylist() == [True]
    assert other.predictions.column("correct.example").to_pylist() == [False]


def test_a_metric_that_is_not_right_or_wrong_says_what_task_to_give(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match=r"add --task generation"):
        load(tmp_path, [sample(0, metrics=["bleu"], bleu=0.4)])


def test_several_filters_need_a_choice(tmp_path: Path) -> None:
    rows = [
        sample(0, filter="strict", exact_match=0.0),
        sample(0, filter="loose", exact_match=1.0),
    ]

    with pytest.raises(UsageError, match=r"2 filters \(loose, strict\); choose one"):
        load(tmp_path, rows)
    with pytest.raises(UsageError, match="there is no 'strong'; choose one"):
        load(tmp_path, rows, reading={"filter": "strong"})
    side = load(tmp_path, rows, reading={"filter": "strict"})

    assert side.predictions.column("correct.example").to_pylist() == [False]


def choice(doc: int, likelihoods: list[float], **more: Any) -> dict[str, Any]:
    texts = ["a", "bbbb"]
    return sample(
        doc,
        target="1",
        arguments={
            f"gen_args_{at}": {"arg_0": "Q:", "arg_1": f" {text}"}
            for at, text in enumerate(texts)
        },
        filtered_resps=[[str(one), "False"] for one in likelihoods],
        filter="none",
        metrics=["acc", "acc_norm"],
        doc_hash=f"hash {doc}",
        acc=float(likelihoods[1] > likelihoods[0]),
        acc_norm=1.0,
        **more,
    )


def test_the_likeliest_choice_has_its_probability_and_its_margin(
    tmp_path: Path,
) -> None:
    rows = [choice(0, [-1.0, -2.0]), choice(1, [-2.0, -2.0 + math.log(3)])]

    side = load(tmp_path, rows)

    first, second = side.predictions.table.to_pylist()
    assert first["prediction"] == "0"
    assert first["score"] == pytest.approx(1 / (1 + math.exp(-1)))
    assert second["prediction"] == "1"
    assert second["score"] == pytest.approx(0.75)
    assert second["margin"] == pytest.approx(0.5)
    assert side.examples.column("gold").to_pylist() == ["1", "1"]
    assert side.examples.column("input").to_pylist() == ["Q:\n0. a\n1. bbbb"] * 2
    assert side.examples.column("question").to_pylist() == ["hash 0", "hash 1"]


def test_acc_norm_compares_the_likelihood_of_a_character(tmp_path: Path) -> None:
    side = load(tmp_path, [choice(0, [-1.0, -2.0])], fields={"correct": "acc_norm"})

    assert side.predictions.column("prediction").to_pylist() == ["1"]
    assert "margin" not in side.predictions


def test_gold_that_is_the_text_of_a_choice_becomes_its_number(tmp_path: Path) -> None:
    rows = [{**choice(0, [-1.0, -2.0]), "target": "bbbb"}]

    assert load(tmp_path, rows).examples.column("gold").to_pylist() == ["1"]


def test_scores_of_a_further_metric_and_short_facts_of_a_document_are_kept(
    tmp_path: Path,
) -> None:
    docs = [{"question": "?", "topic": "sums"}, {"question": "?", "topic": "sums"}]
    rows = [
        {**sample(at, metrics=["f1", "exact_match"], f1=0.4), "doc": doc}
        for at, doc in enumerate(docs)
    ]
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), "utf-8")

    log = LmEvalSamples().read(path, path.name, {}, "samples.jsonl")

    assert log.facts["scorer"] == "exact_match"
    assert log.table["score.f1"].to_pylist() == [0.4, 0.4]
    assert log.table["slice.topic"].to_pylist() == ["sums", "sums"]


def test_rolling_likelihoods_are_nats_of_documents(tmp_path: Path) -> None:
    row = sample(
        0,
        target="four",
        arguments={"gen_args_0": {"arg_0": "four"}},
        filtered_resps=["-8.5"],
        metrics=["byte_perplexity"],
        byte_perplexity=[-8.5, 4],
    )

    side = load(tmp_path, [row], kind="language_modeling", answers=("nll", "n_tokens"))

    assert side.predictions.table.to_pylist() == [
        {"id": "0", "nll": 8.5, "n_tokens": 4}
    ]


@pytest.mark.parametrize("form", ["lists", "one list", "mixed"])
def test_rows_of_early_versions_are_read_the_same(tmp_path: Path, form: str) -> None:
    rows = [choice(0, [-1.0, -2.0]), choice(1, [-3.0, -2.0])]
    expected = load(tmp_path, rows).predictions.table
    if form == "lists":
        for row in rows:
            row["arguments"] = [[*one.values()] for one in row["arguments"].values()]
            row["filtered_resps"] = [
                [float(x), False] for x, _ in row["filtered_resps"]
            ]
    if form == "mixed":
        rows[1]["target"] = 1
        rows[1]["acc"] = True
    path = tmp_path / "samples.jsonl"
    text = "".join(json.dumps(one) + "\n" for one in rows)
    path.write_text(json.dumps(rows, indent=1) if form == "one list" else text, "utf-8")

    found = read(str(path), Request(name="samples.jsonl"))

    assert found.predictions.table.equals(expected)


TIMES = ("2026-01-05T10-00-00.000001", "2026-02-01T10-00-00.000001")


def folder(tmp_path: Path) -> Path:
    """Write two runs of a model, with results beside each."""
    model = tmp_path / "out" / "org__model"
    model.mkdir(parents=True)
    for at, time in enumerate(TIMES):
        row = sample(0, exact_match=float(at))
        (model / f"samples_sums_{time}.jsonl").write_text(json.dumps(row), "utf-8")
        results = {
            "lm_eval_version": f"0.4.{at}",
            "versions": {"sums": 1.0},
            "n-shot": {"sums": 5},
            "n-samples": {"sums": {"original": 9, "effective": 1}},
            "configs": {"sums": {"dataset_path": "org/data"}},
        }
        (model / f"results_{time}.json").write_text(json.dumps(results), "utf-8")
    return tmp_path / "out"


def test_of_a_folder_the_newest_run_is_read_and_told(tmp_path: Path) -> None:
    out = folder(tmp_path)

    side = read(str(out), Request(name="out"))

    assert side.predictions.column("correct.example").to_pylist() == [True]
    assert f"logged 2 times; this is the newest run ({TIMES[1]})" in side.notes[0]
    facts = side.provenance["facts"]
    assert facts["task"] == "sums"
    assert facts["tool version"] == "0.4.1"
    assert facts["few-shot examples"] == "5"
    assert facts["data"] == "org/data"


def test_results_lead_to_the_samples_of_their_run(tmp_path: Path) -> None:
    results = folder(tmp_path) / "org__model" / f"results_{TIMES[0]}.json"

    side = read(str(results), Request(name="results"))

    assert side.predictions.column("correct.example").to_pylist() == [False]


def test_fewer_samples_than_the_results_count_are_refused(tmp_path: Path) -> None:
    out = folder(tmp_path)
    for one in out.rglob("results_*.json"):
        one.write_text(
            one.read_text("utf-8").replace('"effective": 1', '"effective": 2')
        )

    with pytest.raises(DataError, match=r"holds 1 samples, and the results.* count 2"):
        read(str(out), Request(name="out"))


def test_a_folder_of_several_tasks_or_models_asks_for_one(tmp_path: Path) -> None:
    out = folder(tmp_path)
    (out / "org__model" / f"samples_more_{TIMES[1]}.jsonl").write_text(
        json.dumps(sample(0)), "utf-8"
    )

    with pytest.raises(UsageError, match=r"2 tasks \(more, sums\).*out#more"):
        read(str(out), Request(name="out"))
    assert len(read(f"{out}#sums", Request(name="out")).predictions) == 1
    with pytest.raises(UsageError, match="no task 'sum'; did you mean sums"):
        read(f"{out}#sum", Request(name="out"))
    (out / "other").mkdir()
    (out / "other" / f"samples_sums_{TIMES[1]}.jsonl").write_text("{}", "utf-8")
    with pytest.raises(UsageError, match="logs of several models"):
        read(str(out), Request(name="out"))


def test_a_first_row_too_long_to_look_at_is_known_by_its_file_name(
    tmp_path: Path,
) -> None:
    path = tmp_path / f"samples_sums_{TIMES[0]}.jsonl"
    path.write_text(json.dumps(sample(0, resps=[["x" * 2**21]])), "utf-8")

    side = read(str(path), Request(name="samples"))

    assert side.predictions.column("correct.example").to_pylist() == [True]


def test_a_group_is_a_folder_without_a_task() -> None:
    folder = Path(__file__).parent / "fixtures" / "lm_eval" / "old"

    with pytest.raises(
        UsageError, match=r"no task 'sums'.*two folders are one release"
    ):
        read_log(LmEvalSamples(), folder, "sums", {}, "old")


def test_several_answers_to_a_document_are_told_and_can_be_had(tmp_path: Path) -> None:
    samples = [
        sample(at, resps=[["2", "3", "2"]], filter=name)
        for at in range(2)
        for name in ("first", "maj")
    ]

    side = load(tmp_path, samples, keep={"filter": "maj"})

    (note,) = side.notes
    assert "answered 3 times" in note
    assert note.endswith("input=arguments.gen_args_0.arg_0 --keep filter=maj")
    fields = {"id": "doc_id", "prediction": "resps.0", "gold": "target"}
    every = load(
        tmp_path, samples, kind="generation", fields=fields, keep={"filter": "maj"}
    )
    assert every.predictions.table["prediction"].to_pylist() == [["2", "3", "2"]] * 2
