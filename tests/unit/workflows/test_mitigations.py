"""Whole comparisons with mitigations, of toy models in this process."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import compat_eval
from compat_eval.core.errors import (
    CapabilityError,
    DataError,
    ModelError,
    UsageError,
)
from compat_eval.core.predictions import Predictions
from compat_eval.report.render import render
from compat_eval.runner.shards import Shard
from compat_eval.runs.directory import read_run
from compat_eval.workflows.compare import compare_sides
from compat_eval.workflows.merge import predict_part
from compat_eval.workflows.mitigations import slug_of
from compat_eval.workflows.options import Options
from compat_eval.workflows.run import Written, compare_and_write
from compat_eval.workflows.sides import answers
from compat_eval.workflows.verify import verify
from tests.fakes import FakeModel, judged, recorded
from tests.unit.mitigations.toy_classifiers import ToyClassifier, ToySource

LABELS = ("a", "b", "c")
TEXTS = [f"text {i}" for i in range(60)]
GOLD = {text: LABELS[i % 3] for i, text in enumerate(TEXTS)}


def source(seed: int, *, skill: float = 1.0, name: str = "toy") -> ToySource:
    rng = np.random.default_rng(seed)
    known = {
        text: rng.normal(size=3) + skill * (np.array(LABELS) == GOLD[text])
        for text in TEXTS
    }
    return ToySource(ToyClassifier(known), reference=f"toy:{name}")


OLD, NEW = source(1), source(2, skill=1.5, name="new")


@pytest.fixture
def gold(tmp_path: Path) -> Path:
    path = tmp_path / "gold.jsonl"
    rows = [
        {"id": f"e{i}", "input": text, "gold": GOLD[text]}
        for i, text in enumerate(TEXTS)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def suite(tmp_path: Path, gold: Path) -> Path:
    rows = gold.read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "test.jsonl").write_text("".join(rows[:30]), "utf-8")
    (tmp_path / "dev.jsonl").write_text("".join(rows[30:]), "utf-8")
    path = tmp_path / "suite.yaml"
    path.write_text(
        "name: toy\nversion: '1'\nlicence: CC0-1.0\ndescription: Toys.\n"
        "task: classification\nfields: {id: id, input: input, gold: gold}\n"
        "data: {test: {file: test.jsonl}, dev: {file: dev.jsonl}}\n",
        "utf-8",
    )
    return path


def written(out: Path, *mitigate: str, **options: Any) -> Written:
    sides = {"old": OLD, "new": NEW, **options}
    old, new = sides.pop("old"), sides.pop("new")
    return compare_and_write(
        old, new, Options(mitigate=mitigate, **sides), render=render, out=out
    )


def entries(run: Written) -> list[dict[str, Any]]:
    """Return the updates from OLD to mitigated NEW, with what is said of it."""
    updates = run.content["tasks"][0]["updates"]
    effects = {
        one["new"]: one["analyses"]["mitigation"]
        for one in updates
        if "mitigation" in one["analyses"]
    }
    return [
        {**one, **one["mitigation"], "effect": effects[one["new"]]["effect"]}
        for one in updates
        if "mitigation" in one
    ]


def test_each_is_counted_against_old_in_the_order_asked_for(
    tmp_path: Path, gold: Path
) -> None:
    done = written(tmp_path / "r", "mix:weight=0.5", "bcr:k=3", gold=gold)

    names = [one["name"] for one in entries(done)]
    assert names == ["mix:weight=0.5", "bcr:k=3"]
    assert entries(done)[1]["cost"] == {
        "old_passes": 1,
        "new_passes": 1,
        "candidates": 3,
    }
    untreated = judged(done.content)["levels"]["example"]["counts"]
    for one in entries(done):
        counts = one["levels"]["example"]["counts"]
        assert sum(counts.values()) == 60
        old_right = counts["kept"] + counts["broken"]
        assert old_right == untreated["kept"] + untreated["broken"]


def test_with_no_weight_nothing_changes_and_with_all_of_it_old_is_back(
    tmp_path: Path, gold: Path
) -> None:
    done = written(tmp_path / "r", "mix:weight=0", "mix:weight=1", gold=gold)

    none, whole = entries(done)
    level = judged(done.content)["levels"]["example"]
    assert none["levels"]["example"] == level
    assert none["effect"] == "no_cut"
    assert whole["levels"]["example"]["counts"]["broken"] == 0
    assert whole["agreement"] == 1.0
    assert whole["effect"] == "drags_back"


def test_gates_judge_new_without_its_mitigations(tmp_path: Path, gold: Path) -> None:
    gates = tmp_path / "gates.yaml"
    gates.write_text("gates: [{quantity: nfr, at_most: 0.0, semantics: detect}]")

    plain = written(tmp_path / "p", gold=gold, gates=gates)
    tried = written(tmp_path / "t", "mix:weight=1", gold=gold, gates=gates)

    assert plain.content["gates"] == tried.content["gates"]
    assert tried.content["verdict"] == "fail"


def test_predictions_are_stored_and_verified(tmp_path: Path, gold: Path) -> None:
    done = written(tmp_path / "r", "bcr:k=2", gold=gold)

    run = read_run(tmp_path / "r")
    role = f"new+{slug_of('bcr:k=2')}"
    assert list(run.answers) == ["new", role, "old"]
    assert (tmp_path / "r/predictions" / f"{role}.parquet").is_file()
    assert verify(run) == []
    assert entries(done)[0]["new"] == role


def test_several_are_verified_in_the_order_asked_for(
    tmp_path: Path, suite: Path
) -> None:
    done = written(tmp_path / "r", "mix:weight=0.9", "bcr:k=3", "mix", suite=suite)

    assert verify(read_run(tmp_path / "r")) == []
    points = judged(done.content)["analyses"]["frontier"]["points"]
    assert [one["role"] for one in points] == [
        "old",
        "new",
        *(one["new"] for one in entries(done)),
    ]
    assert [one["effect"] for one in points[2:]] == [
        one["effect"] for one in entries(done)
    ]


def test_a_changed_prediction_is_noticed(tmp_path: Path, gold: Path) -> None:
    written(tmp_path / "r", "bcr:k=2", gold=gold)
    run = read_run(tmp_path / "r")
    role = f"new+{slug_of('bcr:k=2')}"
    side = run.answers[role]
    table = side.table.drop_columns(["prediction", "correct.example"])
    wrong = pa.array(["?"] * 60)
    changed = Predictions(
        table.append_column("prediction", wrong).append_column(
            "correct.example", side.column("correct.example")
        )
    )

    found = verify(replace(run, answers={**run.answers, role: changed}))

    places = [where for where, _, _ in found]
    assert any(where.startswith(f"predictions/{role}.parquet") for where in places)
    assert any("updates[1].levels.example.counts" in where for where in places)


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path, suite: Path) -> None:
    asked = ("mix", "bcr:k=2")
    for name in ("one", "two"):
        written(tmp_path / name, *asked, suite=suite, cache=tmp_path / name / "cache")

    one, two = (
        (tmp_path / name / "comparison.json").read_bytes() for name in ("one", "two")
    )
    assert one == two


def test_a_second_run_loads_no_model(tmp_path: Path, suite: Path) -> None:
    old, new = source(1), source(2, name="new")
    options = {"suite": suite, "cache": tmp_path / "cache", "old": old, "new": new}
    written(tmp_path / "one", "bcr:k=2", **options)
    loads = (old.loads, new.loads)

    again = written(tmp_path / "two", "bcr:k=2", **options)

    assert (old.loads, new.loads) == loads
    times = again.run.manifest["roles"][f"new+{slug_of('bcr:k=2')}"]
    assert times["seconds_per_example"] is None
    assert times["times_untreated"] is None


def test_times_are_in_the_manifest_only(tmp_path: Path, gold: Path) -> None:
    done = written(tmp_path / "r", "bcr:k=2", gold=gold)

    times = done.run.manifest["roles"][f"new+{slug_of('bcr:k=2')}"]
    assert times["seconds_per_example"] > 0
    assert times["times_untreated"] > 0
    assert "seconds" not in (tmp_path / "r/comparison.json").read_text("utf-8")


def test_dev_chooses_by_the_rule_and_says_what_it_saw(
    tmp_path: Path, suite: Path
) -> None:
    done = written(tmp_path / "r", "mix:delta=0.3", suite=suite)

    one = entries(done)[0]
    chosen = one["chosen"]
    assert chosen["split"] == "dev"
    assert chosen["n_examples"] == 30
    assert {"weight": one["options"]["weight"]} == chosen["values"]
    harmless = [
        tried for tried in chosen["tried"] if tried["accuracy_low"]["example"] >= -0.3
    ]
    best = min(harmless, key=lambda tried: tried["levels"]["example"]["nfi"])
    assert chosen["harmless"]
    assert chosen["values"] == best["values"]
    assert chosen["keep_old"]["example"]["nfr"] == 0.0
    assert verify(read_run(tmp_path / "r")) == []


def test_models_are_loaded_once_to_answer_to_choose_and_to_be_combined(
    tmp_path: Path, suite: Path
) -> None:
    old, new = source(1), source(2, name="new")

    done = written(tmp_path / "r", "mix", "bcr:k=3", suite=suite, old=old, new=new)

    assert len(entries(done)[0]["chosen"]["tried"]) == 9
    assert (old.loads, new.loads) == (1, 1)


def test_where_dev_cannot_show_it_the_most_careful_setting_is_chosen(
    tmp_path: Path, suite: Path
) -> None:
    chosen = entries(written(tmp_path / "r", "mix", suite=suite))[0]["chosen"]

    lows = {
        one["values"]["weight"]: one["accuracy_low"]["example"]
        for one in chosen["tried"]
    }
    assert max(lows.values()) < 0
    assert not chosen["harmless"]
    assert lows[chosen["values"]["weight"]] == max(lows.values())


def test_without_a_dev_split_a_value_is_asked_for(tmp_path: Path, gold: Path) -> None:
    old, new = source(1), source(2, name="new")

    with pytest.raises(UsageError, match="dev split of a suite"):
        written(tmp_path / "r", "mix", gold=gold, old=old, new=new)

    assert (old.loads, new.loads) == (0, 0)


def test_what_a_model_cannot_do_is_told_before_it_answers(
    tmp_path: Path, gold: Path
) -> None:
    plain = ToySource(FakeModel(dict.fromkeys(TEXTS, "a")), reference="toy:plain")

    with pytest.raises(CapabilityError, match=r"mix needs OLD to have .*GivesLogits"):
        written(tmp_path / "r", "mix:weight=0.5", gold=gold, old=plain)
    with pytest.raises(CapabilityError, match=r"bcr needs NEW to have .*Proposes"):
        written(tmp_path / "r", "bcr", gold=gold, new=plain)

    assert plain.model.calls == []
    assert not (tmp_path / "r").exists()


def test_an_error_under_a_mitigation_is_counted(tmp_path: Path, gold: Path) -> None:
    old = source(1)
    old.model.fails = TEXTS[7]

    done = written(tmp_path / "r", "mix:weight=0.5", gold=gold, old=old)

    assert done.content["coverage"][entries(done)[0]["new"]]["errors"] == 1
    assert sum(entries(done)[0]["levels"]["example"]["counts"].values()) == 60


def test_one_that_fails_is_told_when_the_others_are_done_and_kept(
    tmp_path: Path, suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(model: Any, **named: Any) -> Any:
        if model.reference.startswith("bcr"):
            raise ModelError("no candidate has a probability")
        return answers(model, **named)

    asked = {"suite": suite, "cache": tmp_path / "cache"}
    with monkeypatch.context() as broken:
        broken.setattr("compat_eval.workflows.mitigations.answers", fails)
        with pytest.raises(ModelError, match=r"bcr:k=3: .*\n.* mix:weight=0.5: finish"):
            written(tmp_path / "r", "bcr:k=3", "mix:weight=0.5", **asked)
    assert not (tmp_path / "r").exists()

    done = written(tmp_path / "r", "mix:weight=0.5", **asked)

    role = entries(done)[0]["new"]
    assert done.run.manifest["roles"][role]["seconds_per_example"] is None


def test_what_dev_chose_may_be_what_stands_there_already(
    tmp_path: Path, suite: Path
) -> None:
    first = entries(written(tmp_path / "one", "mix", suite=suite))[0]
    same = f"mix:weight={first['options']['weight']}"

    both = entries(written(tmp_path / "two", same, "mix", suite=suite))

    assert both[1]["notes"] == [f"It is the same model as {same}."]


def test_recorded_sides_cannot_be_mitigated(tmp_path: Path, gold: Path) -> None:
    ids = [f"e{i}" for i in range(60)]
    side = recorded("old.jsonl", ids=ids, prediction=["a"] * 60)

    with pytest.raises(UsageError, match=r"OLD old\.jsonl holds predictions only"):
        written(tmp_path / "r", "mix:weight=0.5", gold=gold, old=side)


def test_the_same_is_not_tried_twice(tmp_path: Path, gold: Path) -> None:
    with pytest.raises(UsageError, match="given twice"):
        written(tmp_path / "r", "bcr", "bcr:k=10", gold=gold)


def test_shards_are_refused_with_the_way_out(tmp_path: Path, gold: Path) -> None:
    options = Options(gold=gold, mitigate=("bcr",))

    with pytest.raises(UsageError, match="compat-eval mitigate"):
        predict_part(OLD, NEW, options, shard=Shard(1, 2), out=tmp_path / "r")


@pytest.mark.parametrize("role", ["../old", "a/b/c", "", "A", ".x", "x" * 120])
def test_a_role_that_is_no_stem_is_refused(
    tmp_path: Path, gold: Path, role: str
) -> None:
    written(tmp_path / "r", "bcr:k=2", gold=gold)
    path = tmp_path / "r/comparison.json"
    content = json.loads(path.read_text("utf-8"))
    content["coverage"][role] = content["coverage"]["new"]
    path.write_text(json.dumps(content), "utf-8")

    with pytest.raises(DataError, match="a role must be"):
        read_run(tmp_path / "r")


def test_slugs_are_stable_plain_and_unlike() -> None:
    assert slug_of("bcr:k=10") == "bcr-k-10-a4be69"
    assert slug_of("mix:weight=0.5") != slug_of("mix.weight-0.5")
    assert "/" not in slug_of("../../etc/passwd")


def test_python_users_ask_for_it_in_the_same_words(gold: Path) -> None:
    found = compat_eval.compare(OLD, NEW, gold=gold, mitigate=["bcr:k=10"])

    assert found.tasks[0].updates[1].mitigation["name"] == "bcr:k=10"


@pytest.mark.torch
def test_parsers_are_loaded_once_for_all_that_is_tried_and_not_at_all_later(
    tmp_path: Path,
) -> None:
    pytest.importorskip("torch")
    from tests.unit.models.parser_toys import untrained

    old, new = (ToySource(untrained(seed), f"toy:{seed}") for seed in (1, 2))
    options = Options(
        suite="library-desk-trees",
        limit=6,
        cache=tmp_path / "cache",
        mitigate=("joint:weight=0.5", "bcr:k=3"),
    )

    compare_sides(old, new, options)
    assert (old.loads, new.loads) == (1, 1)

    compare_sides(old, new, options)
    assert (old.loads, new.loads) == (1, 1)
