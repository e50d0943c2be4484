import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from compat_eval.cli.compare import app as compare_app
from compat_eval.cli.federate import app
from compat_eval.cli.verify import app as verify
from compat_eval.core.errors import (
    CompatEvalError,
    DataError,
    ModelError,
    SuiteError,
    UsageError,
)
from compat_eval.federated import simulation
from compat_eval.federated.sweep import SweepResults

pytestmark = pytest.mark.torch

RUN = CliRunner()
WORDS = {"1": ["alarm", "wake", "early"], "2": ["song", "play", "loud"]}
CONFIG = """
rounds: 2
local_steps: 2
batch_size: 4
model: {tokens: char, min_count: 1, width: 8, heads: 2, longest: 16}
"""


def rows(clients: Sequence[str] = ("ann", "bob")) -> list[dict[str, str]]:
    random = np.random.default_rng(0)
    return [
        {
            "id": f"{period}-{client}-{at}",
            "text": " ".join(random.choice(WORDS[period], 2)),
            "client": client,
            "period": period,
        }
        for period in WORDS
        for client in clients
        for at in range(8)
    ]


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    lines = "".join(f"{json.dumps(row)}\n" for row in rows())
    (tmp_path / "stream.jsonl").write_text(lines)
    (tmp_path / "config.yaml").write_text(CONFIG)
    path = tmp_path / "stream.yaml"
    path.write_text(
        "name: stream\n"
        'version: "1"\n'
        "task: {kind: language_modeling}\n"
        "data: {test: {file: stream.jsonl}}\n"
        "fields: {id: id, input: text, cluster: client}\n"
        "slices: {period: period}\n"
    )
    return path


def federate(suite: Path, out: Path, *arguments: str) -> str:
    config = suite.with_name("config.yaml")
    result = RUN.invoke(
        app,
        [str(suite), "--config", str(config), "--out", str(out), *arguments],
    )
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def told(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "federation.json").read_text())
    return found


def test_every_period_has_a_model_that_is_an_update_of_the_one_before(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    said = federate(suite, out, "--period", "period", "--budget", "2")
    assert "changed by" in said
    found = told(out)
    assert found["periods"] == ["1", "2"]
    assert {name: sum(kept) for name, kept in found["kept"].items()} == {
        "ann": 2,
        "bob": 2,
    }
    result = RUN.invoke(
        compare_app,
        [
            *(f"preds:{out}/period-{period}/answers.jsonl" for period in (1, 2)),
            *("--suite", str(out / "suite.yaml"), "--out", str(tmp_path / "compared")),
            "--quiet",
        ],
    )
    assert result.exit_code == 0, result.output
    comparison = json.loads((tmp_path / "compared" / "comparison.json").read_text())
    levels = comparison["tasks"][0]["updates"][0]["levels"]
    assert levels["document"]["units"] == 8
    result = RUN.invoke(
        compare_app,
        [*(f"{out}@{p}" for p in (1, 2)), "--out", str(tmp_path / "again"), "--quiet"],
    )
    assert result.exit_code == 0, result.output
    again = json.loads((tmp_path / "again" / "comparison.json").read_text())
    levels = again["tasks"][0]["updates"][0]["levels"]
    n_tokens = np.sum(found["tokens"])
    assert levels["document"]["units"] == 8
    assert levels["token"]["units"] == levels["top_token"]["units"] == n_tokens


def test_perplexity_is_pooled_over_tokens(suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    federate(suite, out, "--period", "period")
    found = told(out)
    nats, tokens = np.array(found["nats"]), np.array(found["tokens"])
    expected = np.exp(nats.sum(axis=2) / tokens.sum(axis=1))
    assert np.allclose(found["perplexity"], expected, atol=1e-5)
    answers = (out / "period-2" / "answers.jsonl").read_text().splitlines()
    assert np.isclose(sum(json.loads(line)["nll"] for line in answers), nats[1].sum())


def test_an_interrupted_federation_goes_on_to_the_same_bytes(
    suite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    federate(suite, whole, "--period", "period", "--replay", "coordinated")
    left = iter([True, True, True])
    real = simulation._after_round

    def dies(*arguments: object, **named: object) -> object:
        if not next(left, False):
            raise KeyboardInterrupt
        return real(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(simulation, "_after_round", dies)
        with pytest.raises((KeyboardInterrupt, AssertionError)):
            federate(suite, cut, "--period", "period", "--replay", "coordinated")
    assert not (cut / "federation.json").exists()
    federate(suite, cut, "--period", "period", "--replay", "coordinated")
    names = sorted(p.relative_to(whole) for p in whole.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(cut) for p in cut.rglob("*") if p.is_file())
    for name in names:
        assert (whole / name).read_bytes() == (cut / name).read_bytes(), name


def test_a_directory_with_another_federation_is_refused(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    federate(suite, out, "--period", "period")
    before = (out / "federation.json").read_bytes()
    # What is there and judged by the same gates is not computed again.
    (out / "period-2" / "answers.jsonl").rename(out / "aside")
    federate(suite, out, "--period", "period")
    assert (out / "federation.json").read_bytes() == before
    with pytest.raises(UsageError, match="holds another federation"):
        federate(suite, out, "--period", "period", "--seed", "3")


def test_periods_whose_names_differ_by_a_slash_have_a_model_each(
    suite: Path, tmp_path: Path
) -> None:
    stream = suite.with_name("stream.jsonl")
    names = {"1": "a/b", "2": "a_b"}
    lines = [{**row, "period": names[row["period"]]} for row in rows()]
    stream.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    federate(suite, tmp_path / "run", "--period", "period")
    assert len([*(tmp_path / "run").glob("period-a_b*/model.safetensors")]) == 2


def test_tests_that_repeat_a_training_document_are_told_and_a_slice(
    suite: Path, tmp_path: Path
) -> None:
    stream = suite.with_name("stream.jsonl")
    lines = [{**row, "text": f"{row['id']} wakes"} for row in rows()]
    # Eight documents of a client and period: two tests, one left out, five to learn.
    lines[7]["text"] = lines[8]["text"].upper()
    lines[15]["text"] = lines[14]["text"]
    lines[31]["text"] = lines[29]["text"]
    stream.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    said = federate(suite, tmp_path / "run", "--period", "period")
    assert "1 of 8 test documents have the text of a training document" in said
    assert told(tmp_path / "run")["n_tests_trained_on"] == 1
    tests = map(json.loads, (tmp_path / "run" / "test.jsonl").read_text().splitlines())
    assert {row["id"] for row in tests if row["trained_on"] == "true"} == {"1-ann-7"}


@pytest.mark.parametrize(
    ("gate", "code"),
    [
        ("{quantity: forgetting_first, at_most: 9}", 0),
        ("{quantity: perplexity_ratio, at_most: 0.001}", 1),
        ("{quantity: worst_decile_ratio, at_most: 9, semantics: certify}", 3),
        ("{quantity: nfr, at_most: 0.1}", 2),
    ],
)
def test_gates_judge_a_federation_without_simulating_it_again(
    gate: str, code: int, suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    lines = (f"{json.dumps(row)}\n" for row in rows([*"abcdefghijkl"]))
    suite.with_name("stream.jsonl").write_text("".join(lines))
    federate(suite, out, "--period", "period")
    assert told(out)["verdict"] == "none"
    model = (out / "period-2" / "model.safetensors").stat().st_mtime_ns
    gates = tmp_path / "gates.yaml"
    gates.write_text(f"gates: [{gate}]")
    result = RUN.invoke(
        app,
        [
            *(str(suite), "--config", str(suite.with_name("config.yaml"))),
            *("--period", "period", "--out", str(out), "--gates", str(gates)),
        ],
    )
    if code == 2:
        assert isinstance(result.exception, SuiteError)
        return
    assert result.exit_code == code, result.output
    words = {0: "pass", 1: "fail", 3: "inconclusive"}
    assert told(out)["verdict"] == words[code]
    assert (out / "period-2" / "model.safetensors").stat().st_mtime_ns == model


@pytest.mark.parametrize(("split", "doubted"), [("whole", True), ("clients", False)])
def test_a_model_is_doubted_where_its_training_documents_are_compared(
    split: str, *, doubted: bool, suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    federate(suite, out, "--period", "period")
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: [{quantity: worse_rate, at_most: 0.99}]")
    asked = suite if split == "whole" else out / "suite.yaml"
    result = RUN.invoke(
        compare_app,
        [
            *(str(out / f"period-{period}") for period in (1, 2)),
            *("--suite", str(asked), "--gates", str(gates)),
            *("--out", str(tmp_path / "compared"), "--no-cache"),
        ],
    )
    assert result.exit_code == 3, result.output
    text = (tmp_path / "compared" / "comparison.json").read_text()
    assert ("was trained on the examples of split test" in text) is doubted


def test_it_begins_from_a_model_that_was_trained_before(
    suite: Path, tmp_path: Path
) -> None:
    federate(suite, tmp_path / "run", "--period", "period")
    start = tmp_path / "run" / "period-2"
    federate(suite, tmp_path / "next", "--period", "period", "--start", str(start))
    # That model was trained on these very documents.
    assert "was trained on its documents" in told(tmp_path / "next")["doubts"][0]
    first, second = told(tmp_path / "run"), told(tmp_path / "next")
    assert np.allclose(
        second["untrained_perplexity"],
        np.array(first["perplexity"])[1],
        rtol=1e-4,
    )


def sweep(suite: Path, out: Path, *arguments: str) -> str:
    return federate(
        suite,
        out,
        *("--period", "period", "--replay", "none,uniform", "--budget", "2"),
        *("--seed", "1,2", *arguments),
    )


def test_a_sweep_pairs_each_method_with_the_reference_by_seed(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    said = sweep(suite, out)
    assert "beyond chance" in said
    found = SweepResults.from_dict(json.loads((out / "sweep.json").read_text()))
    assert found.reference == "uniform"
    assert found.methods == ("uniform", "none")
    past = {}
    for name in ("none-seed1", "none-seed2", "uniform-2-seed1", "uniform-2-seed2"):
        one = told(out / name)
        assert one["settings"]["local_steps"] == 2
        past[name] = np.log(one["perplexity"][1][0])
    changes = [past[f"none-seed{k}"] - past[f"uniform-2-seed{k}"] for k in (1, 2)]
    relative = found.of("none")[0].estimates["relative"]
    assert relative.value == pytest.approx(np.expm1(np.mean(changes)), abs=1e-6)
    assert relative.n == 2
    assert found.of("uniform")[0].kept["n"].value == 2
    result = RUN.invoke(verify, [str(out)])
    assert result.exit_code == 0, result.output
    path = out / "none-seed1" / "period-2" / "kept.json"
    path.write_text(path.read_text().replace("ann", "eve"))
    result = RUN.invoke(verify, [str(out)])
    assert result.exit_code == 1
    assert "none-seed1/period-2/kept.json: recorded what was written" in result.output


def test_a_sweep_goes_on_where_it_was_to_the_same_bytes(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    sweep(suite, out)
    before = (out / "sweep.json").read_bytes()
    untouched = (out / "none-seed1" / "federation.json").stat().st_mtime_ns
    (out / "sweep.json").unlink()
    for path in sorted((out / "none-seed2").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    sweep(suite, out)
    assert (out / "sweep.json").read_bytes() == before
    assert (out / "none-seed1" / "federation.json").stat().st_mtime_ns == untouched


def test_orders_of_periods_are_simulated_with_each_seed(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "sweep"
    federate(
        suite,
        out,
        *("--replay", "none,uniform", "--budget", "2"),
        *("--order", "1,2", "--order", "2,1"),
    )
    assert told(out / "none-seed0-order2")["periods"] == ["2", "1"]
    found = SweepResults.from_dict(json.loads((out / "sweep.json").read_text()))
    assert found.n_orders == 2
    assert found.periods == ("period 1 of 2", "period 2 of 2")
    assert found.of("none")[0].estimates["relative"].n == 2
    assert (out / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_method_may_have_settings_of_its_own(suite: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    replay = "coordinated:iterations=2,sketch=8"
    federate(suite, out, "--period", "period", "--replay", replay)
    settings = told(out)["settings"]
    assert (settings["replay"], settings["iterations"]) == ("coordinated", 2)
    assert settings["sketch"] == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--replay", "none,best"], "no replay method 'best'"),
        (["--replay", "none:rounds=3,uniform"], "is no setting of replay"),
        (["--replay", "none,full", "--reference", "uniform"], "not among the methods"),
        (["--replay", "none,full", "--seed", "one"], "whole numbers from 0"),
        (["--budget", "5,-1"], "whole numbers from 0"),
    ],
)
def test_a_sweep_that_makes_no_sense_begins_nothing(
    arguments: list[str], message: str, suite: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        federate(suite, tmp_path / "sweep", "--period", "period", *arguments)
    assert not (tmp_path / "sweep").exists()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (["--period", "year"], DataError, "no slice 'year'; it has period"),
        (["--period", "period", "--order", "2"], DataError, "must name each once"),
        (["--period", "period", "--replay", "best"], UsageError, "no replay method"),
        (["--period", "period", "--budget", "-1"], UsageError, "whole numbers from 0"),
        (["--period", "period", "--start", "no"], ModelError, "no such directory"),
        (
            ["--period", "period", "--algorithm", "best"],
            UsageError,
            "unknown federated",
        ),
    ],
)
def test_what_makes_no_sense_is_told(
    arguments: list[str],
    kind: type[CompatEvalError],
    message: str,
    suite: Path,
    tmp_path: Path,
) -> None:
    with pytest.raises(kind, match=message):
        federate(suite, tmp_path / "run", *arguments)


def test_a_suite_with_gold_is_no_language_modelling(tmp_path: Path) -> None:
    result = RUN.invoke(
        app, ["library-desk", "--period", "x", "--out", str(tmp_path / "run")]
    )
    assert isinstance(result.exception, UsageError)
    assert "a federation learns language_modeling" in str(result.exception)


def test_clients_own_models_are_sides_against_the_global_and_the_last_ones(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    said = federate(suite, out, "--personal", "ditto:strength=0.1", "--rounds", "1")
    assert "Clients' own models (ditto) after 2 have" in said
    found = told(out)
    assert found["settings"]["personal"] == "ditto"
    assert found["settings"]["personal_settings"] == {"strength": 0.1}
    nats = np.array(found["personal_nats"])
    assert nats.shape == np.array(found["nats"]).shape
    assert not np.allclose(nats, found["nats"])
    rows = (out / "period-2" / "personal.jsonl").read_text().splitlines()
    assert np.isclose(sum(json.loads(row)["nll"] for row in rows), nats[1].sum())
    right = [sum(rank == 1 for rank in json.loads(row)["token_ranks"]) for row in rows]
    assert sum(right) == np.array(found["personal_right_tokens"])[1].sum()
    for sides in (("2", "2#personal"), ("period1#personal", "period2#personal")):
        old, new = (f"{out}@{side}" for side in sides)
        compared = tmp_path / sides[0]
        result = RUN.invoke(compare_app, [old, new, "--out", str(compared), "--quiet"])
        assert result.exit_code == 0, result.output
        told_there = json.loads((compared / "comparison.json").read_text())
        levels = told_there["tasks"][0]["updates"][0]["levels"]
        assert levels["document"]["units"] == 8
        assert sum(levels["token"]["counts"].values()) == levels["token"]["units"]
    n_tokens = np.array(found["tokens"]).sum()
    whole = np.array(found["nats"])[1].sum()
    for key, before in (("updates", nats[0].sum()), ("against_global", whole)):
        update = found[f"personal_{key}"][-1]["statistics"]["perplexity_ratio"]
        expected = np.exp((nats[1].sum() - before) / n_tokens)
        assert np.isclose(update["value"], expected)


def test_own_models_answer_new_examples_of_their_clients(
    suite: Path, tmp_path: Path
) -> None:
    out, sides = tmp_path / "run", []
    federate(suite, out, "--personal", "ditto:strength=0.1", "--rounds", "1")
    assert (out / "period-2" / "personal.safetensors").is_file()
    assert "period-2/personal.safetensors" in told(out)["models"]
    # On the tests, they answer what they answered when they were made.
    for more, own in (("", "a"), (str(out / "suite.yaml"), "b")):
        asked = ["--suite", more] if more else []
        compared = tmp_path / own
        result = RUN.invoke(
            compare_app,
            [
                *(f"{out}@2", f"{out}@2#personal", *asked),
                *("--no-cache", "--quiet", "--out", str(compared)),
            ],
        )
        assert result.exit_code == 0, result.output
        found = json.loads((compared / "comparison.json").read_text())
        statistics = found["tasks"][0]["updates"][0]["statistics"]
        sides.append(statistics["perplexity_ratio"]["change"]["value"])
    assert sides[0] == pytest.approx(sides[1], rel=1e-6)
    assert sides[0] != 1
    stranger = json.dumps({"id": "x", "text": "song", "client": "eve", "period": "1"})
    suite.with_name("stream.jsonl").write_text(stranger)
    result = RUN.invoke(
        compare_app, [f"{out}@2", f"{out}@2#personal", "--suite", str(suite)]
    )
    assert "none of the suite's clients (eve)" in str(result.exception)


def test_own_models_that_are_not_there_cannot_be_compared(
    suite: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    federate(suite, out, "--rounds", "1")
    result = RUN.invoke(compare_app, [f"{out}@2", f"{out}@2#personal"])
    assert isinstance(result.exception, DataError)
    assert "simulate with --personal METHOD" in str(result.exception)
    with pytest.raises(UsageError, match="'strength' is no setting=value"):
        federate(suite, tmp_path / "wrong", "--personal", "ditto:strength")
    with pytest.raises(UsageError, match="unknown method of personalisation 'best'"):
        federate(suite, tmp_path / "best", "--personal", "best")
