"""From graded answers to what dev chooses, and to the rows of results.json."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from compat_eval.core.grades import Grades
from experiments.updates.choices import choices
from experiments.updates.graded import Graded, kept
from experiments.updates.pooled import Pooled, accuracy_gain, effect_of, mean_cut
from experiments.updates.rows import Experiment, result_rows, train_seconds
from experiments.updates.tables import gain_kept
from experiments.updates.treated import Treatments, Update

pytestmark = pytest.mark.torch

OLD, NEW, ENSEMBLE = "1100", "0110", "1110"
"""What is right about four examples: NEW breaks the first and fixes the third."""

UPDATE = Update(title="a → b", old=["a-1", "a-2"], new=["b-3", "b-4"])


def graded(*examples: str, seconds: float = 1.0) -> Graded:
    """Grade examples, each a string of its units."""
    right = np.array([unit == "1" for units in examples for unit in units])
    offsets = np.cumsum([0, *map(len, examples)])
    return Graded(levels={"exact": Grades(right, offsets)}, cpu_seconds=seconds)


def alone(name: str, _: str) -> Graded:
    return graded(*(OLD if name.startswith("a") else NEW))


def of(update: Update) -> Treatments:
    return Treatments(
        update, alone, lambda names, _: graded(*ENSEMBLE, seconds=len(names))
    )


def test_pairs_take_every_old_with_every_new() -> None:
    assert of(UPDATE).untreated().seeds == [[1, 3], [1, 4], [2, 3], [2, 4]]
    assert of(UPDATE).ensemble().seeds == [[1, 3, 4], [2, 3, 4]]


def test_an_update_may_pair_each_old_model_with_one_new_one() -> None:
    update = Update(title="t", old=["a-1", "a-2"], new=["b-3", "b-4"], zipped=True)

    assert of(update).untreated().seeds == [[1, 3], [2, 4]]


def test_models_trained_with_a_view_to_old_have_their_own_pairs() -> None:
    trained = {"distillation": {"a-1": "b-1-9"}}
    update = Update(title="t", old=["a-1"], new=["b-3"], trained=trained)

    assert of(UPDATE).trained() == []
    assert [one.seeds for one in of(update).trained()] == [[[1, 9]]]
    assert of(update).trained({"distillation": "d:x=1"})[0].mitigate == "d:x=1"
    assert update.models == ["a-1", "b-3", "b-1-9"]


def test_further_models_make_an_ensemble_of_each_new_one() -> None:
    asked: list[Sequence[str]] = []
    update = Update(title="t", old=["a-1"], new=["b-3", "b-4"], further=["b-5"])

    def ensembled(names: Sequence[str], _: str) -> Graded:
        asked.append(names)
        return graded(*ENSEMBLE)

    treatments = Treatments(update, alone, ensembled)
    answers = treatments.ensemble().answers("test")

    assert (len(answers), asked) == (2, [["b-3", "b-5"], ["b-4", "b-5"]])
    assert treatments.ensemble().seeds == [[1, 3], [1, 4]]
    assert update.models == ["a-1", "b-3", "b-4", "b-5"]


def test_what_is_left_of_the_gain_is_a_share_of_new_s_over_old() -> None:
    metrics = {"accuracy_old": 0.5, "accuracy_new": 0.68, "accuracy_gain": -0.02}

    assert gain_kept({"metrics": metrics}) == "90"


def test_counts_are_summed_over_pairs() -> None:
    untreated = Pooled.of(of(UPDATE).untreated().answers("test"))

    assert untreated.totals("exact").tolist() == [4, 4, 4, 4]
    assert untreated.metrics("exact")["nfr"] == 0.25
    assert untreated.metrics("exact")["nfi"] == 0.5


def test_all_treatments_see_the_same_replicates() -> None:
    once = Pooled.of([(graded(*OLD), graded(*NEW))])
    twice = Pooled.of([(graded(*OLD), graded(*NEW))] * 2)

    assert np.array_equal(2 * once.replicates["exact"], twice.replicates["exact"])
    assert (once.replicates["exact"].sum(axis=1) == len(OLD)).all()
    assert accuracy_gain(once, twice, "exact") == [0.0, 0.0, 0.0]


def test_a_cut_of_nothing_is_undefined() -> None:
    same = Pooled.of([(graded(*OLD), graded(*OLD))])

    value, bounds = mean_cut(same, same, ["exact"])

    assert np.isnan([value, *bounds]).all()


@pytest.mark.parametrize(("allowed", "setting"), [(0.0, 0.3), (0.05, 0.9)])
def test_a_share_of_the_gain_may_be_lost(allowed: float, setting: float) -> None:
    update = Update(title="t", old=["a-1"], new=["b-3"], allowed=allowed)
    old, new = ["1" * 50 + "0" * 50] * 3, ["0" * 10 + "1" * 90] * 3
    careful = ["1" * 89 + "0" * 11] * 3
    answers = {"a-1": graded(*old), "b-3": graded(*new)}
    here = Treatments(update, lambda name, _: answers[name], lambda *_: graded(*new))
    tried = [
        here.treated("joint", lambda *_: graded(*new), 0.3),
        here.treated("joint", lambda *_: graded(*careful), 0.9),
        here.ensemble(),
    ]

    picked = choices(here, tried, split="dev", levels=["exact"])

    assert picked == {"joint": setting}


def trained(folder: Path, name: str, history: Sequence[dict[str, float]]) -> Path:
    (folder / name).mkdir()
    record = json.dumps({"history": history})
    (folder / name / "training.json").write_text(record, "utf-8")
    return folder / name


def test_rows_hold_counts_cut_and_cost(tmp_path: Path) -> None:
    trained(tmp_path, "b-3", [{"cpu_seconds": 1.5}, {"cpu_seconds": 2.5}])
    trained(tmp_path, "b-4", [{"cpu_seconds": 6.0}])
    experiment = Experiment(
        task="semantic",
        data="toys",
        levels=["exact"],
        cut="nfi_cut",
        config={"epochs": 2},
        models=tmp_path,
    )
    here = of(UPDATE)

    rows = result_rows(here, [(here.ensemble(), True)], experiment)
    old, untreated, ensemble = (row for row in rows if row["split"] == "test")

    assert [row["split"] for row in rows] == ["dev"] * 3 + ["test"] * 3
    names = [row["treatment"] for row in (old, untreated, ensemble)]
    assert names == ["keep OLD", "untreated", "ensemble"]
    assert old["counts"] == {"kept": 8, "broken": 0, "fixed": 0, "missed": 8}
    assert untreated["pairs"][0] == {
        "seeds": [1, 3],
        "counts": {"kept": 1, "broken": 1, "fixed": 1, "missed": 1},
    }
    assert ensemble["mitigate"] == "ensemble:with=compat:b-4"
    assert (untreated["effect"], ensemble["effect"]) == ("no_cut", "selective")
    assert ensemble["counts"] == {"kept": 4, "broken": 0, "fixed": 2, "missed": 2}
    assert ensemble["metrics"]["accuracy_gain"] == 0.25
    assert (untreated["metrics"]["nfi_cut"], ensemble["metrics"]["nfi_cut"]) == (0, 1)
    assert ensemble["cost"] == {
        "train_seconds": 5.0,
        "predict_seconds": 2.0,
        "relative_to_untreated": 2.0,
    }


def test_an_undefined_number_is_null(tmp_path: Path) -> None:
    trained(tmp_path, "a-2", [{"cpu_seconds": 1.0}])
    here = of(Update(title="nothing breaks", old=["a-1"], new=["a-2"]))
    experiment = Experiment(
        task="semantic",
        data="toys",
        levels=["exact"],
        cut="mean_nfi_cut",
        config={},
        models=tmp_path,
    )

    row = result_rows(here, [], experiment)[-1]

    assert row["metrics"]["mean_nfi_cut"] is None
    assert row["intervals"]["mean_nfi_cut"] == [None, None]


def test_a_model_of_before_epochs_were_timed_has_one_time(tmp_path: Path) -> None:
    model = trained(tmp_path, "b-3", [{"loss": 1.0}])
    (model / "cost.json").write_text('{"cpu_seconds": 7.5}', "utf-8")

    assert train_seconds(model) == 7.5


def test_grades_are_made_once(tmp_path: Path) -> None:
    path = tmp_path / "test" / "b-3.safetensors"
    made = []

    def make() -> Graded:
        made.append(path)
        return graded("10", "", "011", seconds=0.25)

    first, again = kept(path, make), kept(path, make)

    assert len(made) == 1
    for one in (first, again):
        assert one.cpu_seconds == 0.25
        assert one.levels["exact"].right.tolist() == [True, False, False, True, True]
        assert one.levels["exact"].offsets.tolist() == [0, 2, 2, 5]


def test_what_was_tried_on_fewer_pairs_does_not_break_less_for_that() -> None:
    pair = (graded(*OLD * 20), graded(*NEW * 20))

    assert effect_of(Pooled.of([pair, pair]), Pooled.of([pair]), "exact") == "no_cut"
