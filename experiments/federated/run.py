"""Replay selection on streams of texts: methods, budgets, model sizes and seeds.

    make experiments-federated          # every step that is not done, then the page
    python -m experiments.federated.run --minutes 30     # as many as that allows
    python -m experiments.federated.run --page           # the page alone

Methods of a seed have the same stream, the same model after the first period (nothing
was kept before), the same sampled clients and the same number of steps. Each step is a
file of its own below the folder of work, and is not done again.
"""

import argparse
import json
import multiprocessing
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from compat_eval.core.files import write_whole
from compat_eval.core.fingerprint import canonical_json
from compat_eval.core.progress import Silence
from compat_eval.federated.devices import LocalDevices
from compat_eval.federated.problem import use_weights, weights_of
from compat_eval.federated.simulation import FederationSettings, PeriodEnd, simulate
from compat_eval.federated.workers import OneProcess
from experiments.federated.methods import Step, all_steps
from experiments.federated.streams import Stream, stream
from experiments.updates.places import work_folder

HERE = Path(__file__).parent
WORK = work_folder("federated")
_READ_AT_ONCE = 64


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=float("inf"))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="part of a step's name")
    parser.add_argument("--page", action="store_true", help="run no step")
    options = parser.parse_args()
    steps = {one.name: one for one in all_steps() if options.only in one.name}
    if not options.page:
        end = time.time() + 60 * options.minutes
        with ProcessPoolExecutor(
            options.processes, mp_context=multiprocessing.get_context("spawn")
        ) as pool:
            waiting = [pool.submit(run, one, end) for one in steps.values()]
            for one in waiting:
                one.result()
    write_results()


def run(one: Step, end: float = float("inf")) -> None:
    """Simulate once, unless that is done already, or the time is over."""
    path = WORK / "steps" / f"{one.name}.json"
    if path.exists() or time.time() > end:
        return
    torch.set_num_threads(1)
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    own, start = started(one.stream, one.size, one.seed)
    state = WORK / f"state-{os.getpid()}.pt"
    shutil.copy(after_first_period(one), state)
    told: dict[str, Any] = {
        **asdict(one),
        "periods": own.periods,
        "n_weights": len(start),
        "nats": [],
        "kept": [],
        "kept_tokens": [],
    }
    for ended in periods(one, own, start, one.settings, state):
        nats, told["tokens"] = tested(own, ended.weights)
        told["nats"].append(nats)
        told["kept"].append(kept_by_period(own, ended))
        told["kept_tokens"].append(mean_length(own, ended))
    told["selection"] = [
        entry["selection"] for entry in ended.log if "selection" in entry
    ]
    told["seconds"] = round(time.process_time() - begun, 1)
    write_whole(path, canonical_json(told).encode())
    state.unlink()
    print(f"{one.name}: {told['seconds']} s", flush=True)


def periods(
    one: Step, own: Stream, start: Tensor, settings: FederationSettings, state: Path
) -> Iterator[PeriodEnd]:
    return simulate(
        LocalDevices(own.problem, own.clients, OneProcess(own.problem)),
        settings,
        start=start,
        seed=one.seed,
        checkpoint=state,
        identity=f"{one.stream} {one.size} {one.seed}",
        progress=Silence(),
    )


@lru_cache(maxsize=5)
def started(name: str, size: str, seed: int) -> tuple[Stream, Tensor]:
    """Return a stream, and the weights that every method starts from."""
    own = stream(name, size, seed)
    return own, weights_of(own.problem.network)


def after_first_period(one: Step) -> Path:
    """Return a checkpoint after the first period's rounds, before anything is kept."""
    path = WORK / f"first-{one.stream}-{one.size}-{one.seed}.pt"
    if not path.exists():
        own, start = started(one.stream, one.size, one.seed)
        state = WORK / f"first-{os.getpid()}.pt"
        state.unlink(missing_ok=True)
        settings = one.settings.model_copy(update={"replay": "none"})
        next(iter(periods(one, own, start, settings, state)))
        state.rename(path)
    return path


@torch.inference_mode()
def tested(own: Stream, weights: Tensor) -> tuple[list[list[float]], list[list[int]]]:
    """Return nats and numbers of tokens of each period's tests, by client."""
    problem, n = own.problem, len(own.clients.names)
    use_weights(problem.network, weights)
    problem.network.eval()
    nats = np.zeros((len(own.periods), n))
    tokens = np.zeros((len(own.periods), n))
    for period in range(len(own.periods)):
        owners, rows = own_tests(own, period)
        sizes = problem.sizes(rows)
        losses = torch.cat(
            [
                problem.losses(
                    problem.network, *problem.batch(rows[at : at + _READ_AT_ONCE])
                )
                for at in range(0, len(rows), _READ_AT_ONCE)
            ]
        )
        np.add.at(nats[period], owners, (losses.double() * sizes).numpy())
        np.add.at(tokens[period], owners, sizes.numpy())
    return np.round(nats, 4).tolist(), tokens.astype(int).tolist()


def own_tests(own: Stream, period: int) -> tuple[list[int], list[int]]:
    """Return client and row of each test of a period, the short ones first."""
    pairs = [
        (client, row)
        for client, rows in own.clients.tests(period).items()
        for row in rows
    ]
    sizes = own.problem.sizes([row for _, row in pairs]).tolist()
    order = sorted(range(len(pairs)), key=lambda at: (sizes[at], pairs[at]))
    return [pairs[at][0] for at in order], [pairs[at][1] for at in order]


def kept_by_period(own: Stream, end: PeriodEnd) -> list[int]:
    """Return how many samples of each period all clients keep together."""
    sets = [
        {row for shard in shards.values() for row in shard.train}
        for shards in own.clients.shards
    ]
    rows = [row for some in end.memory.values() for row in some]
    return [sum(row in some for row in rows) for some in sets]


def mean_length(own: Stream, end: PeriodEnd) -> float | None:
    """Return how many tokens a kept sample has in the mean."""
    rows = [row for some in end.memory.values() for row in some]
    return float(own.problem.sizes(rows).double().mean()) if rows else None


def collected() -> list[dict[str, Any]]:
    """Return all steps that are done, in one order."""
    found = [json.loads(path.read_text("utf-8")) for path in WORK.glob("steps/*.json")]
    keys: Sequence[str] = ("stream", "size", "budget", "method", "seed")
    return sorted(found, key=lambda one: tuple(one[key] for key in keys))


def write_results() -> None:
    from experiments.federated.page import write_page

    if not (done := collected()):
        raise SystemExit(f"no step is done below {WORK}; the page stays as it is")
    write_page(done, HERE)


if __name__ == "__main__":
    main()
