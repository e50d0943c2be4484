"""Self-FL beside nine other methods of personalised federated learning.

    make experiments-personal            # all sets, five seeds
    python -m experiments.personal.run --sets "digits by label" --seeds 1 2

Every method has the same clients, rounds, steps and start. Its own setting is chosen by
the mean accuracy of clients' own models on dev, over all seeds. Each set, method,
setting and seed is a step of its own, and is not done again.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.progress import Silence
from compat_eval.federated.personal.method import PERSONAL, personalise
from compat_eval.federated.problem import LabelProblem, Problem, use_weights, weights_of
from experiments.personal.page import by_samples, write_page
from experiments.personal.sets import SETS, ClientSet
from experiments.updates.places import work_folder

HERE = Path(__file__).parent
WORK = work_folder("personal")
SEEDS = (1, 2, 3, 4, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A method with its settings."""

    method: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        told = ", ".join(f"{key} {value}" for key, value in self.settings.items())
        return f"{self.method} ({told})" if told else self.method


def grid(method: str, key: str, values: Sequence[object]) -> list[Setting]:
    return [Setting(method=method, settings={key: value}) for value in values]


SETTINGS: tuple[Setting, ...] = (
    Setting(method="fedavg"),
    *grid("fedavg-ft", "share", [0.25, 0.5, 0.75, 1.0]),
    *grid("fedprox", "proximal", [0.01, 0.1, 1.0]),
    Setting(method="local"),
    *grid("per-fedavg", "inner_rate", [0.03, 0.1, 0.3]),
    *grid("pfedme", "strength", [1.0, 2.0, 5.0]),
    *grid("ditto", "strength", [0.1, 0.5, 2.0]),
    *grid("apfl", "share", [0.25, 0.5, 0.75]),
    Setting(method="fedfomo"),
    *(
        Setting(method="self-fl", settings={"window": window, "weights": weights})
        for window in (0.0, 0.5, 1.0)
        for weights in ("precision", "size")
    ),
    Setting(method="self-fl", settings={"window": 0.0, "end": "stop"}),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="*", default=[*SETS], choices=[*SETS])
    parser.add_argument("--seeds", nargs="*", type=int, default=SEEDS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.sets:
        for seed in options.seeds:
            for setting in SETTINGS:
                step(name, seed, setting)
    found = collected()
    text = json.dumps(found, indent=1, sort_keys=True)
    write_whole(HERE / "results.json", f"{text}\n".encode())
    write_page(found, HERE / "RESULTS.md")


def step(name: str, seed: int, setting: Setting) -> None:
    """Run one method once, or find it done."""
    WORK.mkdir(parents=True, exist_ok=True)
    path = WORK / f"{name}-{seed}-{setting.name}.json".replace(" ", "_")
    if path.exists():
        return
    clients = SETS[name](seed)
    found = personalise(
        PERSONAL.load(setting.method)(**setting.settings),
        clients.problem,
        clients.train,
        start=weights_of(clients.problem.network),
        training=clients.training,
        rounds=clients.rounds,
        seed=seed,
        progress=Silence(),
    )
    told: dict[str, Any] = {
        "set": name,
        "seed": seed,
        "method": setting.method,
        "setting": setting.name,
        **{
            f"{part}_{whose}": graded(clients, rows, models)
            for part, rows in (("dev", clients.dev), ("test", clients.test))
            for whose, models in (
                ("own", found.own),
                ("global", dict.fromkeys(clients.train, found.weights)),
            )
        },
    }
    write_whole(path, canonical_json(told).encode())
    own, whole = by_samples(told["dev_own"]), by_samples(told["dev_global"])
    print(f"{path.stem}: dev {own:.4f}, global {whole:.4f}", flush=True)


@torch.inference_mode()
def graded(
    clients: ClientSet,
    rows: Mapping[int, Sequence[int]],
    models: Mapping[int, Tensor],
) -> list[tuple[int, int]]:
    """Return of each client how many units there are, and how many are right."""
    network = clients.problem.network
    network.eval()
    found = []
    for client in sorted(rows):
        use_weights(network, models[client])
        found.append(right_ones(clients.problem, rows[client]))
    return found


def right_ones(problem: Problem, rows: Sequence[int]) -> tuple[int, int]:
    batch = problem.batch(rows)
    if isinstance(problem, LabelProblem):
        inputs, labels = batch
        said = problem.network(inputs).argmax(-1)
        return len(labels), int((said == labels).sum())
    (tokens,) = batch
    said = problem.network(tokens[:, :-1].clamp(min=0)).argmax(-1)
    counts = tokens[:, 1:] >= 0
    return int(counts.sum()), int(((said == tokens[:, 1:]) & counts).sum())


def collected() -> list[dict[str, Any]]:
    """Return all steps that are done, in one order."""
    steps = [json.loads(path.read_text("utf-8")) for path in WORK.glob("*.json")]
    return sorted(steps, key=lambda one: (one["set"], one["setting"], one["seed"]))


if __name__ == "__main__":
    main()
