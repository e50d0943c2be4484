"""What a step of training towards OLD costs: stored logits, or OLD in the loop.

    python benchmarks/training_step.py

Processor milliseconds of one thread for a step (batch, forward, loss, backward, AdamW)
of a loop in PyTorch, as large as on CLINC150: an encoder of MiniLM's size that is
fine-tuned, batches of 32 texts; a head on its frozen vectors, batches of 256. Plain
training has cross-entropy; training with stored logits has focal distillation and looks
OLD's logits up by id (`PositiveCongruentLoss`); with OLD in the loop, OLD of the same
size answers every batch. The three take turns, with the same batches in each repeat.
Weights are random: they do not change what a step costs.
"""

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import transformers
from record import record
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from compat_eval.mitigations.integrations.pytorch import PositiveCongruentLoss
from compat_eval.mitigations.integrations.teacher_logits import TeacherLogits

N_LABELS, N_EXAMPLES = 150, 15_000
REPEATS = int(os.environ.get("REPEATS", "9"))
LABELS = [f"intent {number}" for number in range(N_LABELS)]

Batch = tuple[Tensor, Tensor, list[str]]
Step = Callable[[Batch], None]


class Encoder(nn.Module):
    """A classifier of MiniLM's size; its inputs are numbers of tokens."""

    def __init__(self) -> None:
        super().__init__()
        config: Any = transformers.BertConfig(
            hidden_size=384,
            num_hidden_layers=6,
            num_attention_heads=12,
            intermediate_size=1536,
            num_labels=N_LABELS,
        )
        self.network: Any = transformers.BertForSequenceClassification(config)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.network(input_ids=x).logits
        return found


def head() -> nn.Module:
    return nn.Sequential(nn.Linear(384, 512), nn.ReLU(), nn.Linear(512, N_LABELS))


def main() -> None:
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    tokens = torch.from_numpy(rng.integers(1, 30_000, (N_EXAMPLES, 16)))
    vectors = torch.from_numpy(rng.normal(size=(N_EXAMPLES, 384))).float()
    measure("fine-tuned encoder", Encoder, tokens, size=32, n_steps=2)
    measure("head", head, vectors, size=256, n_steps=40)


def measure(
    name: str,
    network: Callable[[], nn.Module],
    data: Tensor,
    *,
    size: int,
    n_steps: int,
) -> None:
    """Take steps in turns, and write the rows."""
    rng = np.random.default_rng(1)
    ids = [f"clinc150-train-{number}" for number in range(N_EXAMPLES)]
    gold = torch.from_numpy(rng.integers(0, N_LABELS, N_EXAMPLES))
    logits = rng.normal(size=(N_EXAMPLES, N_LABELS))
    loss = PositiveCongruentLoss("focal", TeacherLogits.of(ids, logits, LABELS))
    old = network().eval()

    def live(new: nn.Module, x: Tensor, y: Tensor, _: list[str]) -> Tensor:
        with torch.no_grad():
            told = old(x)
        taught = (told.argmax(-1) == y).float()
        return loss.objective(new(x), y, teacher_logits=told, taught=taught)

    steps = {
        "plain training": step(
            network(), lambda new, x, y, _: cross_entropy(new(x), y)
        ),
        "stored": step(network(), lambda new, x, y, some: loss(new(x), y, some)),
        "OLD in the loop": step(network(), live),
    }
    spent: dict[str, list[float]] = {which: [] for which in steps}
    for repeat in range(-1, REPEATS):
        rows = rng.permutation(N_EXAMPLES)[: size * n_steps].reshape(n_steps, size)
        for which, take in steps.items():
            batches = [
                (data[some], gold[some], [ids[i] for i in some]) for some in rows
            ]
            began = time.process_time()
            for batch in batches:
                take(batch)
            if repeat >= 0:  # the first warms up
                took = time.process_time() - began
                spent[which].append(1000 * took / n_steps)
    for other in ("plain training", "OLD in the loop"):
        row = record(
            f"training step, {name}, processor ms: against {other}",
            spent["stored"],
            spent[other],
            higher_is_better=False,
            packages=("torch", "transformers"),
        )
        told = f"{row['ours']:.2f}, {row['other']:.2f}, {row['ratio']:.3f}"
        print(f"{row['name']}: {told}")


def step(network: nn.Module, lost: Callable[..., Tensor]) -> Step:
    """Return what takes a step of training."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-5, fused=True)
    network.train()

    def take(batch: Batch) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss: Any = lost(network, *batch)
        loss.backward()
        optimizer.step()

    return take


if __name__ == "__main__":
    main()
