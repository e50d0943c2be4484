"""`transformers.Trainer`, towards OLD's stored logits: a classifier's own training run.

Where a run says `Trainer(model=…, args=…, …)` it says

    PositiveCongruentTrainer(
        model=…, args=…, …,
        teacher=TeacherLogits.read("old.parquet"),
        objective="focal", objective_settings={"beta": 5},
    )

and its training examples have a column `id`. Everything else is the Trainer's: data
sets, collators, evaluation, checkpoints, resuming, several devices. Needs transformers
from 4.46 and accelerate (extra `training`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax
from transformers import Trainer, TrainerCallback, trainer_utils

from compat_eval.core.errors import DataError, UsageError
from compat_eval.core.files import read_json, write_whole
from compat_eval.mitigations.integrations.pytorch import PositiveCongruentLoss
from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits

_RECORD = "compat_eval_teacher.json"
_GIVEN = ("taught", "weight")
"""Columns that the training examples may have themselves, and that then count."""


class TeacherCollator:
    """A collator that puts OLD's logits beside each batch.

    Attributes:
        collate: Makes a batch of examples, with `labels`.
        loss: Names the columns of the batch.
        id_column: Which column of an example has its id.

    """

    def __init__(
        self,
        collate: Callable[[list[Any]], Any],
        loss: PositiveCongruentLoss,
        *,
        id_column: str = "id",
    ) -> None:
        self.collate, self.loss, self.id_column = collate, loss, id_column

    def __call__(self, features: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return a batch with the columns that the objective reads.

        Raises:
            DataError: An example has no id or label, or OLD has no logits for it.

        """
        if any(self.id_column not in one for one in features):
            raise DataError(
                f"training examples have no column {self.id_column!r}, by which OLD's "
                "logits are found; keep it when texts are tokenized, or name it with "
                "id_column"
            )
        aside = {self.id_column, *_GIVEN}
        plain = [{k: v for k, v in one.items() if k not in aside} for one in features]
        batch = dict(self.collate(plain))
        if "labels" not in batch:
            raise DataError("training examples have no label, in a column `labels`")
        given = {
            name: torch.tensor([float(one[name]) for one in features])
            for name in _GIVEN
            if all(name in one for one in features)
        }
        ids = [one[self.id_column] for one in features]
        return {**batch, **self.loss.columns(ids, batch["labels"], **given)}


class PositiveCongruentTrainer(Trainer):
    """A Trainer of a classifier whose loss is an objective of `OBJECTIVES`.

    Evaluation is the Trainer's own: its loss is that of gold alone, and its examples
    need no id. Label smoothing ε adds ε·(mean nats of all labels − nats of the right
    one), which is what it does to cross-entropy. With gradient accumulation the loss is
    the mean over all examples of a step, however they fall into batches; an objective
    that is no mean over examples is averaged over batches by their sizes.
    """

    def __init__(
        self,
        *args: Any,  # noqa: ANN401
        teacher: TeacherLogits,
        objective: str = "focal",
        objective_settings: Mapping[str, Any] | None = None,
        id_column: str = "id",
        labels: Sequence[str] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Set up a training.

        Args:
            args: As `transformers.Trainer` takes them.
            teacher: OLD's logits for the training examples.
            objective: A name in `OBJECTIVES`.
            objective_settings: Of the objective.
            id_column: Which column of the training examples has their ids.
            labels: Names of the model's labels in their order; by default those of
                its configuration (`id2label`).
            options: As `transformers.Trainer` takes them.

        Raises:
            UsageError: The objective is unknown or cannot take its settings, or the
                Trainer is given another loss.
            DataError: OLD and the model share no label.

        """
        if options.get("compute_loss_func") is not None:
            raise UsageError("compute_loss_func and an objective are two losses")
        super().__init__(*args, **options)
        network: Any = self.model
        named = labels or network.config.id2label
        self.positive_congruent_loss = PositiveCongruentLoss(
            objective, teacher.for_labels(named), **(objective_settings or {})
        )
        self.id_column = id_column
        # Then the Trainer counts the examples of all batches of a step.
        self._counts_by_itself = bool(self.model_accepts_loss_kwargs)
        self.model_accepts_loss_kwargs = True
        self._identity = {
            "teacher": teacher.digest(),
            "objective": objective,
            "objective_settings": dict(objective_settings or {}),
        }
        self.add_callback(_Record(self._identity))

    def get_train_dataloader(self) -> Any:  # noqa: ANN401
        """Return batches with OLD's logits."""
        self._set_signature_columns_if_needed()
        columns: Any = self._signature_columns
        collate = self.data_collator
        names = getattr(self.train_dataset, "column_names", None)
        if names and self.id_column not in names:
            raise DataError(
                f"the training data set has no column {self.id_column!r}, by which "
                f"OLD's logits are found; it has {', '.join(names)}. Name it with "
                "id_column"
            )
        widened: Any = [*columns, self.id_column, *_GIVEN]
        self._signature_columns = widened
        self.data_collator = TeacherCollator(
            collate, self.positive_congruent_loss, id_column=self.id_column
        )
        try:
            return super().get_train_dataloader()
        finally:
            self._signature_columns, self.data_collator = columns, collate

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool = False,  # noqa: FBT001, FBT002 - the Trainer's signature
        num_items_in_batch: Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the loss of a batch: the objective's in training, else the model's."""
        if not model.training:
            return self._loss_of_gold(model, inputs, return_outputs, num_items_in_batch)
        rest = dict(inputs)
        objective = self.positive_congruent_loss.objective
        columns = {name: rest.pop(name) for name in objective.columns}
        gold = rest.pop("labels")
        outputs = model(**rest)
        logits = outputs["logits"] if isinstance(outputs, dict) else outputs[0]
        loss = objective(logits, gold, **columns) + self._smoothing(logits, gold)
        if not torch.isfinite(loss):
            raise DataError(
                f"the loss is {float(loss)} at step {self.state.global_step + 1}; the "
                "last checkpoint is sound. Lower the learning rate or the weight of "
                "the teacher"
            )
        loss = loss * self._share(len(gold), num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def train(
        self,
        resume_from_checkpoint: Any = None,  # noqa: ANN401 - a place, or true
        *args: Any,  # noqa: ANN401
        **options: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Train, or go on from a checkpoint of the same teacher and objective.

        Raises:
            UsageError: The checkpoint is of another teacher, objective or settings.

        """
        place = resume_from_checkpoint
        if place is True:
            last: Any = trainer_utils.get_last_checkpoint
            place = last(self.args.output_dir)
        if place:
            self._require_same(Path(str(place)))
        return super().train(resume_from_checkpoint, *args, **options)

    def _loss_of_gold(
        self,
        model: Any,  # noqa: ANN401
        inputs: dict[str, Any],
        return_outputs: bool,  # noqa: FBT001
        n_items: Tensor | int | None,
    ) -> Any:  # noqa: ANN401
        self.model_accepts_loss_kwargs = self._counts_by_itself
        try:
            counted = n_items if self._counts_by_itself else None
            return super().compute_loss(
                model, inputs, return_outputs, num_items_in_batch=counted
            )
        finally:
            self.model_accepts_loss_kwargs = True

    def _smoothing(self, logits: Tensor, gold: Tensor) -> Tensor | float:
        share = self.args.label_smoothing_factor
        if not share:
            return 0.0
        everywhere = -log_softmax(logits, dim=-1).mean()
        return share * (everywhere - cross_entropy(logits, gold))

    def _share(self, n_examples: int, n_items: Tensor | int | None) -> float:
        """Return the share of a batch in what the Trainer adds up to one step.

        The Trainer sums the losses of the batches of a step, and takes the mean over
        processes.
        """
        if n_items is None:
            return 1.0
        counted = n_items.flatten()[0] if isinstance(n_items, Tensor) else n_items
        total, of_all = float(counted), self.args.average_tokens_across_devices
        if self.args.n_gpu > 1:
            # DataParallel: this is the whole batch of all devices.
            return n_examples / (total if of_all else total * self.args.n_gpu)
        processes = self.accelerator.num_processes if of_all else 1
        return n_examples * processes / total

    def _require_same(self, checkpoint: Path) -> None:
        path = checkpoint / _RECORD
        before = read_json(path) if path.is_file() else {}
        differing = [k for k, v in self._identity.items() if before.get(k) != v]
        if differing:
            raise UsageError(
                f"{checkpoint}: is of a training with another {', '.join(differing)}; "
                "train anew, in another output_dir"
            )


class _Record(TrainerCallback):
    """Writes beside each checkpoint what it was trained towards."""

    def __init__(self, identity: Mapping[str, Any]) -> None:
        self.identity = dict(identity)

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ANN401
        """Write it."""
        place = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if state.is_world_process_zero and place.is_dir():
            text = json.dumps(self.identity, sort_keys=True, indent=1)
            write_whole(place / _RECORD, f"{text}\n".encode())
