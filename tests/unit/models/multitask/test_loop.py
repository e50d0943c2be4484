import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import log_softmax, softmax

from compat_eval.core.errors import DataError, ModelError, UsageError
from compat_eval.models.multitask import loop
from compat_eval.models.multitask.balancing import BALANCING
from compat_eval.models.multitask.balancing.balancing import EqualWeights
from compat_eval.models.multitask.convergence import Standing
from compat_eval.models.multitask.loop import FitTasksSettings, fit_tasks, taught_loss
from compat_eval.models.multitask.tasks import TaskExamples
from compat_eval.models.training.data import UNKNOWN_LOGIT
from compat_eval.models.training.workplace import CHECKPOINT
from tests.unit.models.multitask.toys import network_for, task_data

pytestmark = pytest.mark.torch


@dataclass
class Watch:
    """Progress that calls a function at notes, or stops a training after some steps."""

    on_note: Callable[[str], None] = lambda _: None
    stop_after: float = math.inf
    steps: int = 0
    notes: list[str] = field(default_factory=list)

    def start(self, label: str, *, total: int, done: int = 0) -> None:
        self.steps = done

    def advance(self, count: int) -> None:
        self.steps += count
        if self.steps >= self.stop_after:
            raise KeyboardInterrupt

    def note(self, message: str) -> None:
        self.notes.append(message)
        self.on_note(message)

    def stop(self) -> None: ...


@dataclass
class Trained:
    weights: dict[str, Tensor]
    history: list[dict[str, Any]]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [event for entry in self.history for event in entry["events"]]


def trained(
    out: Path,
    *,
    tasks: tuple[str, ...] = ("first", "words"),
    balancing: str = "equal",
    dropout: float = 0.0,
    watch: Watch | None = None,
    data: Any = None,
    **settings: Any,
) -> Trained:
    out.mkdir(exist_ok=True)
    found, train, dev = data or task_data(tasks)
    network = network_for(found, dropout=dropout)
    history = fit_tasks(
        network,
        BALANCING.load(balancing)(len(found)),
        settings_of(**settings),
        tasks=found,
        train=train,
        dev=dev,
        seed=3,
        out=out,
        progress=watch or Watch(),
    )
    return Trained(network.state_dict(), history)


def settings_of(**settings: Any) -> FitTasksSettings:
    plain = {"steps": 45, "check_every": 3, "batch_size": 8, "learning_rate": 0.03}
    return FitTasksSettings.model_validate({**plain, **settings})


ASYNCHRONOUS: dict[str, Any] = {"convergence": "asynchronous", "patience": 2}


def same(one: Trained, other: Trained) -> bool:
    return one.weights.keys() == other.weights.keys() and all(
        torch.equal(one.weights[name], other.weights[name]) for name in one.weights
    )


def test_the_example_of_the_paper_s_loss() -> None:
    teacher, own = torch.tensor([[2.0, 0.0, -1.0]]), torch.tensor([[1.0, 0.5, 0.0]])
    own.requires_grad_()

    loss = taught_loss(own, teacher, torch.tensor([0]), 1.0)
    (gradient,) = torch.autograd.grad(loss, own)

    # Worked out with a pocket calculator: p − q, and KL = cross-entropy − entropy.
    assert float(loss.detach()) == pytest.approx(0.779377 - 0.524267, abs=2e-6)
    assert gradient[0].tolist() == pytest.approx(
        [-0.337314, 0.193001, 0.144314], abs=1e-6
    )


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_square_of_the_temperature_keeps_gradients_comparable(
    temperature: float,
) -> None:
    teacher, own = torch.randn(5, 4), torch.randn(5, 4)

    found = taught_loss(own, teacher, torch.zeros(5, dtype=torch.long), temperature)

    expected = torch.nn.functional.kl_div(
        log_softmax(own / temperature, -1),
        softmax(teacher / temperature, -1),
        reduction="batchmean",
    )
    assert float(found) == pytest.approx(temperature**2 * float(expected), rel=1e-5)


def test_a_unit_whose_label_the_teacher_lacks_keeps_its_label() -> None:
    own = torch.tensor([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    teacher = torch.tensor([[3.0, 3.0, UNKNOWN_LOGIT]] * 2)

    found = taught_loss(own, teacher, torch.tensor([2, 0]), 1.0)

    # ln 3 of the first; of the second 0, as both find its two labels equally probable.
    assert float(found) == pytest.approx(math.log(3) / 2)


def switched(*, dropout: float = 0.0) -> tuple[loop._Fitting, loop._Stage, int]:
    """Return a training at the moment when its first task has converged."""
    tasks, train, dev = task_data()
    network = network_for(tasks, dropout=dropout)
    fitting = loop._Fitting(
        network=network,
        balancing=EqualWeights(2),
        settings=settings_of(**ASYNCHRONOUS),
        names=[task.name for task in tasks],
        train=train,
        dev=dev,
        seed=3,
        optimizer=loop._optimizer(network, EqualWeights(2), 0.0),
    )
    stage = loop._Stage(standings=(Standing(), Standing()))
    while not stage.teachers:
        stage = fitting.advanced(stage)
    (task,) = stage.teachers
    return fitting, stage, task


def test_at_the_switch_loss_and_gradient_are_zero() -> None:
    fitting, stage, task = switched()

    fitting.network.train()
    loss = fitting._losses(stage, stage.step)[task]
    weights = list(fitting.network.parameters())
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)

    # The teacher answered in other batches, so that last digits may differ.
    assert float(loss.detach()) == pytest.approx(0.0, abs=1e-10)
    assert max(float(one.abs().max()) for one in gradients) < 1e-6


def test_the_teacher_answers_once_in_evaluation_mode_about_training_inputs() -> None:
    fitting, stage, task = switched(dropout=0.5)
    teacher = stage.teachers[task]
    (own,) = fitting.network([(task, fitting.train[task].sentences)])

    later = fitting.advanced(stage)

    assert torch.allclose(teacher, own, atol=1e-6)
    assert later.teachers[task] is teacher


def test_labels_of_a_converged_task_are_never_used_again(tmp_path: Path) -> None:
    plain = trained(tmp_path / "a", **ASYNCHRONOUS)
    data = task_data()
    names = [task.name for task in data[0]]

    def corrupt(note: str) -> None:
        name = note.split("task ")[1].split(maxsplit=1)[0]
        data[1][names.index(name)].gold.fill_(0)

    watch = Watch(on_note=corrupt)
    corrupted = trained(tmp_path / "b", data=data, watch=watch, **ASYNCHRONOUS)

    assert plain.events
    assert plain.history[-1]["step"] > plain.events[0]["step"]
    assert corrupted.history == plain.history
    assert same(corrupted, plain)


def test_labels_of_an_active_task_are_used(tmp_path: Path) -> None:
    plain = trained(tmp_path / "a")
    data = task_data()
    data[1][0].gold.fill_(0)

    assert not same(trained(tmp_path / "b", data=data), plain)


def test_without_an_end_to_patience_it_is_joint_training(tmp_path: Path) -> None:
    joint = trained(tmp_path / "a")
    asynchronous = trained(tmp_path / "b", convergence="asynchronous")

    assert asynchronous.history == joint.history
    assert same(asynchronous, joint)


def test_with_one_task_it_is_plain_early_stopping(tmp_path: Path) -> None:
    early = trained(tmp_path / "a", tasks=("first",), patience=2)
    alone = trained(tmp_path / "b", tasks=("first",), **ASYNCHRONOUS)

    assert early.history[-1]["step"] < 45
    assert [entry["scores"] for entry in alone.history] == [
        entry["scores"] for entry in early.history
    ]
    assert same(alone, early)


def test_it_ends_when_all_tasks_have_converged(tmp_path: Path) -> None:
    found = trained(tmp_path, **{**ASYNCHRONOUS, "steps": 600})

    assert {event["task"] for event in found.events} == {"first", "words"}
    assert found.history[-1]["step"] == found.events[-1]["step"] < 600


def test_events_tell_what_a_rewind_discards(tmp_path: Path) -> None:
    watch = Watch()
    found = trained(tmp_path, watch=watch, **{**ASYNCHRONOUS, "steps": 600})

    first = found.events[0]
    by_step = {entry["step"]: entry for entry in found.history}
    best = max(
        entry["scores"][first["task"]]
        for entry in found.history
        if entry["step"] <= first["step"]
    )
    assert by_step[first["best_step"]]["scores"][first["task"]] == best
    assert first["restored"] == first["best_step"]
    assert first["discarded_steps"] == first["step"] - first["best_step"] == 6
    assert f"task {first['task']} converged" in watch.notes[0]


def test_the_network_is_the_last_one_s_best_checkpoint(tmp_path: Path) -> None:
    tasks, train, dev = task_data()
    network = network_for(tasks)
    history = fit_tasks(
        network,
        EqualWeights(2),
        settings_of(**{**ASYNCHRONOUS, "steps": 600}),
        tasks=tasks,
        train=train,
        dev=dev,
        seed=3,
        out=tmp_path,
        progress=Watch(),
    )

    restored = history[-1]["events"][-1]["restored"]
    scores = next(e["scores"] for e in history if e["step"] == restored)
    for k, (task, one) in enumerate(zip(tasks, dev, strict=True)):
        assert isinstance(one, TaskExamples)
        right = network([(k, one.sentences)])[0].argmax(-1) == one.gold
        assert float(right.double().mean()) == scores[task.name]


def test_without_a_rewind_nothing_is_discarded(tmp_path: Path) -> None:
    found = trained(tmp_path, rewind=False, **ASYNCHRONOUS)

    assert [event["restored"] for event in found.events[:1]] == [None]
    assert {event["discarded_steps"] for event in found.events} == {0}


def test_a_task_that_stays_below_old_learns_from_old_and_converges_again(
    tmp_path: Path,
) -> None:
    tasks, train, dev = task_data()
    n_labels = len(tasks[0].labels)
    logits = 10 * torch.nn.functional.one_hot(train[0].gold, n_labels).float()
    train[0] = replace(train[0], teacher=logits)
    asked = {**ASYNCHRONOUS, "steps": 600, "old_scores": {"first": 1.0}}

    found = trained(tmp_path, data=(tasks, train, dev), **asked)

    told = [(event["task"], event["teacher"]) for event in found.events]
    assert told.count(("first", "old")) == 2
    assert told.count(("words", "checkpoint")) == 1


def test_a_task_that_is_better_than_old_learns_from_itself(tmp_path: Path) -> None:
    tasks, train, dev = task_data()
    train[0] = replace(train[0], teacher=torch.zeros(48, len(tasks[0].labels)))
    asked = {**ASYNCHRONOUS, "old_scores": {"first": 0.01}}

    found = trained(tmp_path, data=(tasks, train, dev), **asked)

    assert {event["teacher"] for event in found.events} == {"checkpoint"}


@pytest.mark.parametrize("keep", ["last", "best"])
def test_the_best_of_all_checks_can_be_kept(tmp_path: Path, keep: str) -> None:
    data = task_data()
    found = trained(tmp_path, data=data, keep=keep, **{**ASYNCHRONOUS, "steps": 600})
    network = network_for(data[0])
    network.load_state_dict(found.weights)
    network.eval()

    scores = []
    for k, one in enumerate(data[2]):
        assert isinstance(one, TaskExamples)
        right = network([(k, one.sentences)])[0].argmax(-1) == one.gold
        scores.append(float(right.double().mean()))

    means = {entry["step"]: entry["dev_accuracy"] for entry in found.history}
    last = means[found.events[-1]["restored"]]
    assert sum(scores) / 2 == pytest.approx(
        last if keep == "last" else max(means.values())
    )


@pytest.mark.parametrize(
    ("balancing", "how"),
    [
        *((name, {}) for name in sorted(BALANCING.builtin)),
        ("equal", ASYNCHRONOUS),
        ("gradnorm", ASYNCHRONOUS),
    ],
)
def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    balancing: str,
    how: dict[str, Any],
) -> None:
    monkeypatch.setattr(loop, "_KEPT_EVERY", 0.0)
    whole = trained(tmp_path / "whole", balancing=balancing, dropout=0.3, **how)

    stopped = tmp_path / "stopped"
    for stop in (whole.history[-1]["step"] * share // 3 for share in (1, 2)):
        with pytest.raises(KeyboardInterrupt):
            trained(
                stopped,
                balancing=balancing,
                dropout=0.3,
                watch=Watch(stop_after=stop),
                **how,
            )
    found = trained(stopped, balancing=balancing, dropout=0.3, **how)

    assert json.dumps(found.history) == json.dumps(whole.history)
    assert same(found, whole)


def test_a_damaged_state_is_told(tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_bytes(b"nothing")

    with pytest.raises(DataError, match="damaged"):
        trained(tmp_path)


def test_a_gradient_that_is_not_finite_stops_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        EqualWeights, "total", lambda _, losses: losses.sum() * math.inf
    )

    with pytest.raises(ModelError, match=r"gradient is not finite at step 1"):
        trained(tmp_path, steps=1)


def test_a_loss_that_is_not_finite_stops_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"loss of task .* Lower learning_rate"):
        trained(tmp_path, learning_rate=1e30, clip=1e30)


@pytest.mark.parametrize("settings", [ASYNCHRONOUS, {"patience": 1}])
def test_convergence_needs_dev_examples(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    tasks, train, dev = task_data()

    with pytest.raises(UsageError, match="no dev examples of words"):
        trained(tmp_path, data=(tasks, train, [dev[0], None]), **settings)


def test_without_dev_the_network_ends_as_it_is(tmp_path: Path) -> None:
    tasks, train, _ = task_data()

    found = trained(tmp_path, data=(tasks, train, [None, None]))

    assert found.history[-1]["dev_accuracy"] is None


def test_each_example_is_seen_once_an_epoch() -> None:
    rows = [row for step in range(4) for row in loop._rows(12, 3, 0, step)]

    assert sorted(rows) == list(range(12))
    assert rows != [row for step in range(4, 8) for row in loop._rows(12, 3, 0, step)]
    assert sorted(loop._rows(2, 8, 0, 5)) == [0, 1]


def test_the_learning_rate_rises_and_falls() -> None:
    settings = settings_of(steps=9, warmup=0.5, decay=True, learning_rate=1.0)

    rates = [settings.learning_rate_after(step) for step in (0, 4, 8)]

    assert rates == pytest.approx([0.2, 1.0, 0.2])
