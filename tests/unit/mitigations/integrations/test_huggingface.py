"""`transformers.Trainer` towards OLD's logits, with a tiny random model."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from compat_eval.core.errors import DataError, UsageError
from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("accelerate", reason="transformers.Trainer needs accelerate")

pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

LABELS = ("book", "play", "weather")
N = 10
IDS = [f"e{number}" for number in range(N)]
OLD = TeacherLogits.of(
    IDS, np.random.default_rng(0).normal(size=(N, 3)), ["weather", "gone", "book"]
)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def network() -> Any:
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    sizes: dict[str, Any] = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
    }
    config = BertConfig(
        vocab_size=20,
        intermediate_size=8,
        max_position_embeddings=8,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.5,
        id2label=dict(enumerate(LABELS)),
        **sizes,
    )
    return BertForSequenceClassification(config)


def data(*, ids: bool = True, n: int = N) -> Any:
    from datasets import Dataset

    rows = np.random.default_rng(1).integers(1, 20, (N, 4))[:n]
    columns: dict[str, Any] = {
        "input_ids": rows.tolist(),
        "attention_mask": np.ones_like(rows).tolist(),
        "label": [at % 3 for at in range(n)],
        "text": ["left out"] * n,
    }
    return Dataset.from_dict(columns | ({"id": IDS[:n]} if ids else {}))


def a_trainer(out: Path, **options: Any) -> Any:
    from transformers import TrainingArguments

    from compat_eval.mitigations.integrations.huggingface import (
        PositiveCongruentTrainer,
    )

    own = {"train_dataset", "eval_dataset", "teacher", "objective_settings", "model"}
    given = {key: options.pop(key) for key in list(options) if key in own}
    settings = {
        "per_device_train_batch_size": 4,
        "max_steps": 2,
        "learning_rate": 1e-2,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 0.0,
        "optim": "sgd",
        "report_to": [],
        "save_strategy": "no",
        "logging_strategy": "no",
        "disable_tqdm": True,
        "use_cpu": True,
        "seed": 3,
    }
    return PositiveCongruentTrainer(
        args=TrainingArguments(str(out), **{**settings, **options}),
        objective="distillation",
        **{
            "model": network(),
            "train_dataset": data(),
            "teacher": OLD,
            "objective_settings": {"alpha": 0.4, "temperature": 3.0},
            **given,
        },
    )


def wanted(model: Any, rows: list[int], *, smoothing: float = 0.0) -> Any:
    """Return the loss of some examples, from the objective by hand."""
    from compat_eval.models.classifiers.training import objective_named

    examples = data()[rows]
    gold = torch.tensor(examples["label"])
    logits = model(
        input_ids=torch.tensor(examples["input_ids"]),
        attention_mask=torch.tensor(examples["attention_mask"]),
    ).logits
    teacher = np.full((len(rows), 3), -1e4, np.float32)
    teacher[:, [2, 0]] = OLD.values[rows][:, [0, 2]]
    names = [OLD.labels[at] for at in OLD.values[rows].argmax(axis=1)]
    taught = [a == LABELS[b] for a, b in zip(names, gold.tolist(), strict=True)]
    found = objective_named("distillation", {"alpha": 0.4, "temperature": 3.0})(
        logits,
        gold,
        teacher_logits=torch.from_numpy(teacher),
        taught=torch.tensor(taught).float(),
    )
    log_p = logits.log_softmax(-1)
    nats = -log_p.gather(1, gold[:, None]).mean()
    return found + smoothing * (-log_p.mean() - nats)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_batch_is_that_of_our_own_loop(
    tmp_path: Path, smoothing: float
) -> None:
    trainer = a_trainer(tmp_path, label_smoothing_factor=smoothing)
    batch = trainer.get_train_dataloader().collate_fn([dict(r) for r in data()][:4])

    loss = trainer.compute_loss(trainer.model.train(), batch)

    by_hand = wanted(trainer.model, [0, 1, 2, 3], smoothing=smoothing)
    assert float(loss) == pytest.approx(float(by_hand), rel=1e-6)


@pytest.mark.parametrize("removed", [True, False])
def test_a_step_over_batches_of_unlike_sizes_is_one_over_all_examples(
    tmp_path: Path,
    removed: bool,  # noqa: FBT001 - a case
) -> None:
    # 10 examples, batches of 4, 4 and 2, in one step of plain gradient descent.
    chosen = data() if removed else data().remove_columns("text")
    trainer = a_trainer(
        tmp_path,
        gradient_accumulation_steps=3,
        max_steps=1,
        remove_unused_columns=removed,
        train_dataset=chosen,
    )
    before = network().train()
    wanted(before, list(range(N))).backward()

    trainer.train()

    for old, new in zip(before.parameters(), trainer.model.parameters(), strict=True):
        step = 0 if old.grad is None else 1e-2 * old.grad
        assert torch.allclose(new, old - step, atol=1e-6)


def test_evaluation_is_of_gold_and_needs_no_ids(tmp_path: Path) -> None:
    from transformers import Trainer, TrainingArguments

    trainer = a_trainer(tmp_path, eval_dataset=data(ids=False, n=5))
    plain = Trainer(
        model=network(),
        args=TrainingArguments(str(tmp_path), report_to=[], use_cpu=True),
        eval_dataset=data(ids=False, n=5),
    )

    found = trainer.evaluate()["eval_loss"]

    assert found == pytest.approx(plain.evaluate()["eval_loss"], rel=1e-6)
    assert trainer.predict(data(n=3)).predictions.shape == (3, 3)


def test_other_data_sets_than_those_of_datasets_carry_ids_too(tmp_path: Path) -> None:
    rows = [dict(row) for row in data()]

    trainer = a_trainer(tmp_path, train_dataset=rows, max_steps=1)

    assert trainer.train().global_step == 1


def test_a_column_taught_of_the_examples_comes_first(tmp_path: Path) -> None:
    out_of_fold = data().add_column("taught", [0.5] * N)
    trainer = a_trainer(tmp_path, train_dataset=out_of_fold)

    batch = next(iter(trainer.get_train_dataloader()))

    assert batch["taught"].tolist() == [0.5] * 4


def test_training_goes_on_from_a_checkpoint_of_the_same_teacher(tmp_path: Path) -> None:
    options: dict[str, Any] = {"save_strategy": "steps", "save_steps": 2}
    straight = a_trainer(tmp_path / "a", max_steps=4)
    straight.train()
    a_trainer(tmp_path / "b", **options, max_steps=2).train()

    again = a_trainer(tmp_path / "b", max_steps=4)
    again.train(resume_from_checkpoint=True)

    for one, other in zip(
        straight.model.parameters(), again.model.parameters(), strict=True
    ):
        assert torch.allclose(one, other, atol=1e-7)


def test_a_checkpoint_of_another_teacher_is_refused(tmp_path: Path) -> None:
    a_trainer(tmp_path, save_strategy="steps", save_steps=2).train()
    other = TeacherLogits.of(IDS, OLD.values + 1, OLD.labels)

    with pytest.raises(UsageError, match="another teacher"):
        a_trainer(tmp_path, teacher=other).train(resume_from_checkpoint=True)

    record = tmp_path / "checkpoint-2" / "compat_eval_teacher.json"
    assert json.loads(record.read_text("utf-8"))["objective"] == "distillation"


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    few = TeacherLogits.of(IDS[:9], OLD.values[:9], OLD.labels)
    with pytest.raises(DataError, match=r"no logits for 1 of \d examples \(e9\)"):
        a_trainer(tmp_path, teacher=few, max_steps=3).train()
    with pytest.raises(DataError, match=r"no column 'id'.*input_ids"):
        a_trainer(tmp_path, train_dataset=data(ids=False)).train()
    plain = [{"input_ids": [1, 2], "label": 0}]
    with pytest.raises(DataError, match="no column 'id'"):
        a_trainer(tmp_path, train_dataset=plain).train()
    with pytest.raises(DataError, match="share no label"):
        a_trainer(tmp_path, teacher=TeacherLogits.of("a", [[1]], ["LABEL_0"]))


def test_a_loss_that_is_no_number_stops_the_training(tmp_path: Path) -> None:
    model = network()
    with torch.no_grad():
        model.classifier.bias.fill_(float("nan"))

    with pytest.raises(DataError, match="the loss is nan at step 1"):
        a_trainer(tmp_path, model=model).train()


@pytest.mark.parametrize(
    ("n_gpu", "of_all", "n_processes", "counted", "share"),
    [
        (1, True, 1, 10, 0.4),  # 4 of the 10 examples of a step
        (1, True, 2, 20, 0.4),  # two processes of 10 each, of which the mean is taken
        (1, False, 2, 10, 0.4),  # each process counts its own
        (2, True, 1, 10, 0.4),  # DataParallel: one batch, on two devices
        (2, False, 1, 5, 0.4),  # the Trainer divides by the number of devices
    ],
)
def test_the_mean_is_over_the_examples_of_all_devices(
    n_gpu: int,
    of_all: bool,  # noqa: FBT001 - a case
    n_processes: int,
    counted: int,
    share: float,
) -> None:
    from types import SimpleNamespace

    from compat_eval.mitigations.integrations.huggingface import (
        PositiveCongruentTrainer,
    )

    toy = SimpleNamespace(
        args=SimpleNamespace(n_gpu=n_gpu, average_tokens_across_devices=of_all),
        accelerator=SimpleNamespace(num_processes=n_processes),
    )

    found = PositiveCongruentTrainer._share(toy, 4, torch.tensor([counted]))  # type: ignore[arg-type]

    assert found == pytest.approx(share)
