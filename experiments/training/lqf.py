"""Linear-quadratic fine-tuning beside ordinary training.

    python -m experiments.training.lqf

Heads on the frozen all-MiniLM-L6-v2 for CLINC150, with 5, 10, 50 and 100 examples of
each intent: ordinary ones (cross-entropy, AdamW, three random seeds) beside the closed
form of the rescaled squared loss. Then what the closed form is good for, on the update
from 50 to 100 examples: seeds, constraints, the training examples behind each flip.

Each step is kept, and not done again. The ridge is chosen on dev; test is looked at
once.
`rows` returns what was measured; `lqf.json` beside this file holds it.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from itertools import combinations, product
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compat_eval.core.arrays import Ints, Values
from compat_eval.core.files import write_whole
from compat_eval.models.classifiers.head import HeadNetwork
from compat_eval.models.encoders.sentences import FrozenEncoderSource
from compat_eval.models.linearised.constraints import keep_right
from compat_eval.models.linearised.influence import traced
from compat_eval.models.linearised.kronecker import kronecker_preconditioner
from compat_eval.models.linearised.network import (
    LinearisedSizes,
    LinearisedTop,
    TopInputs,
)
from compat_eval.models.linearised.quadratic import (
    Quadratic,
    QuadraticBlock,
    Rescaling,
)
from compat_eval.models.linearised.ridge import RidgeHead
from compat_eval.models.linearised.tangent import Tangent
from compat_eval.models.linearised.training import put_head
from compat_eval.models.training.loop import BatchSettings, seeded
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite
from experiments.classification.run import encoder_directory
from experiments.training.places import CACHE, HERE, WORK
from experiments.updates.lines import Lines

RESULTS = HERE / "lqf.json"

SUITE = "clinc150"
DATA: Mapping[str, tuple[str, int | None]] = {
    "100": ("train", None),
    "50": ("train-small", None),
    "5": ("train-small", 5),
    "10": ("train-small", 10),
}
"""Split, and how many examples of each intent are taken from its beginning."""

SEEDS = (1, 2, 3)
ORDINARY: Mapping[str, int] = {"mlp": 512}
"""Hidden units of each head that is trained by cross-entropy."""

FIT = BatchSettings(epochs=12, batch_size=128, learning_rate=4e-3, weight_decay=0.01)

_WEIGHTS, _RIDGES = (15.0, 50.0, 150.0), (10.0, 1e3, 1e4, 1e5)

SOLVED: Mapping[str, tuple[int, Sequence[tuple[float, float]]]] = {
    "ridge": (0, [(1.0, ridge) for ridge in (10.0, 100.0, 1e3)]),
    "lqf": (0, list(product(_WEIGHTS, _RIDGES))),
    "lqf-2048": (2048, [(15.0, 300.0), (15.0, 1e3), (50.0, 1e4), (150.0, 1e5)]),
}
"""Hidden leaky ReLUs; weights α of the right label with ridges, which dev decides."""

TARGET = 10.0
MARGIN = 0.1


@cache
def vectors(split: str) -> tuple[Values, list[str], list[str], list[str]]:
    """Return the encoder's vectors of a split, gold, texts and ids."""
    examples = load_examples(load_suite(SUITE), split).with_gold()
    source = FrozenEncoderSource(directory=encoder_directory())
    answers = ask(source, examples, Embed(), cache=Cache(CACHE), progress=Lines(split))
    flat = answers.column(Embed.column).combine_chunks().flatten().to_numpy()
    gold, texts = (examples.column(name).to_pylist() for name in ("gold", "input"))
    return flat.reshape(len(gold), -1), gold, texts, examples.ids.to_pylist()


def chosen(data: str) -> Ints:
    """Return which rows of its split a data set has."""
    split, most = DATA[data]
    gold = vectors(split)[1]
    seen: dict[str, int] = {}
    kept = []
    for row, label in enumerate(gold):
        seen[label] = seen.get(label, 0) + 1
        if most is None or seen[label] <= most:
            kept.append(row)
    return np.array(kept)


def labels() -> dict[str, int]:
    """Return the number of each label: all splits have the same."""
    return {label: at for at, label in enumerate(sorted(set(vectors("train")[1])))}


def numbers(gold: list[str]) -> Ints:
    """Return labels as numbers."""
    number = labels()
    return np.array([number[label] for label in gold])


def of_data(data: str) -> tuple[Values, Ints]:
    """Return vectors and gold that a head learns from."""
    rows = chosen(data)
    found, gold, _, _ = vectors(DATA[data][0])
    return found[rows], numbers(gold)[rows]


def step(name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as JSON holds it
    """Return what a step made, now or before."""
    path = WORK / "lqf" / f"{name}.json"
    if path.is_file():
        return json.loads(path.read_text("utf-8"))
    began = time.process_time()
    made = make()
    made["cpu_seconds"] = round(time.process_time() - began, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(made).encode())
    shown = {k: v for k, v in made.items() if not isinstance(v, list)}
    Lines(name).note(json.dumps(shown))
    return made


def ordinary(name: str, data: str, seed: int) -> dict[str, Any]:
    """Train a head by cross-entropy for a fixed number of epochs."""
    x, y = of_data(data)
    train, gold = torch.from_numpy(x.astype(np.float32)), torch.from_numpy(y)
    network = seeded(
        lambda: HeadNetwork(
            width=x.shape[1],
            hidden=ORDINARY[name],
            n_labels=len(labels()),
            normalise=True,
            dropout=0.3 if ORDINARY[name] else 0.0,
        ),
        seed,
    )
    optimizer = torch.optim.AdamW(
        network.parameters(), weight_decay=FIT.weight_decay, fused=True
    )
    network.train()
    torch.manual_seed(seed)
    # Few examples get as many steps as 25 of each intent would.
    epochs = FIT.epochs * max(1, 25 * len(labels()) // len(gold))
    n_steps, at = epochs * -(-len(gold) // FIT.batch_size), 0
    for _ in range(epochs):
        for rows in torch.randperm(len(gold)).split(FIT.batch_size):
            at += 1
            for group in optimizer.param_groups:
                group["lr"] = FIT.learning_rate_at(at / n_steps)
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(train[rows]), gold[rows]).backward()
            optimizer.step()
    network.eval()

    def outputs(given: Values) -> Values:
        with torch.no_grad():
            made = network(torch.from_numpy(given.astype(np.float32)))
        return np.asarray(made.numpy(), np.float64)

    of_split = {split: outputs(vectors(split)[0]) for split in ("dev", "test")}
    made = graded(outputs(x), y, of_split)
    return {"data": data, "method": name, "seed": seed, **made}


def graded(learned: Values, y: Ints, outputs: Mapping[str, Values]) -> dict[str, Any]:
    """Return accuracies, and the answers on test.

    Args:
        learned: Outputs for what was learned.
        y: Its gold.
        outputs: For dev and test.

    """
    found: dict[str, Any] = {"train": float((learned.argmax(axis=1) == y).mean())}
    for split, made in outputs.items():
        said, gold = made.argmax(axis=1), vectors(split)[1]
        right = said == numbers(gold)
        found[split] = float(right.mean())
        found[f"{split}_in_scope"] = float(right[np.array(gold) != "oos"].mean())
        if split == "test":
            found["answers"] = said.tolist()
    return found


def features(hidden: int, given: Values) -> Values:
    """Return what a solved head reads, a 1 behind it."""
    sizes = LinearisedSizes(width=given.shape[1], hidden=hidden)
    return features_below(LinearisedTop([], sizes, 2), given)


def features_below(top: LinearisedTop, given: Values) -> Values:
    """Return what the head of a top reads, a 1 behind it."""
    inputs = TopInputs.of_vectors(given)
    with torch.no_grad():
        made = top.features(inputs.taken(range(len(inputs)))).numpy()
    return np.c_[made.astype(np.float64), np.ones(len(made))]


@lru_cache(maxsize=4)
def features_of(hidden: int, split: str) -> Values:
    """Return the features of a split."""
    return features(hidden, vectors(split)[0])


def ridge_head(name: str, data: str, weight: float, ridge: float) -> RidgeHead:
    """Return the loss of a solved head."""
    x, y = of_data(data)
    return RidgeHead(
        rows=features(SOLVED[name][0], x),
        gold=y,
        n_labels=len(labels()),
        ridge=ridge,
        weight=weight,
        target=TARGET,
    )


def solved(name: str, data: str, weight: float, ridge: float) -> dict[str, Any]:
    """Solve a head."""
    loss = ridge_head(name, data, weight, ridge)
    head = loss.solution()
    hidden = SOLVED[name][0]
    of_split = {s: features_of(hidden, s) @ head for s in ("dev", "test")}
    made = graded(loss.rows @ head, loss.gold, of_split)
    return {"data": data, "method": name, "weight": weight, "ridge": ridge, **made}


def linearised(data: str, ridge: float) -> dict[str, Any]:
    """Solve a network of which the hidden layer is trained too, to first order."""
    x, y = of_data(data)
    sizes = LinearisedSizes(width=x.shape[1], hidden=512, train_hidden=True)
    top = LinearisedTop([], sizes, len(labels()))
    inputs = TopInputs.of_vectors(x)
    rescaling = Rescaling(weight=15.0, target=TARGET)
    head = RidgeHead(
        rows=features_below(top, x),
        gold=y,
        n_labels=len(labels()),
        ridge=ridge,
        weight=rescaling.weight,
        target=rescaling.target,
    ).solution()
    put_head(top, head)
    blocks = []
    for rows_ in inputs.blocks(512):
        goal = rescaling.goals(
            torch.from_numpy(y[rows_]), len(labels()), inputs.each[0]
        )
        blocks.append(
            QuadraticBlock(inputs=inputs.taken(rows_), targets=goal[0], weights=goal[1])
        )
    quadratic = Quadratic(tangent=Tangent.of(top), blocks=blocks, ridge=ridge)
    left: list[float] = []
    move = quadratic.minimum(
        precondition=kronecker_preconditioner(quadratic),
        tolerance=1e-2,
        most=25,
        tell=left.append,
    )

    def outputs(given: Values, step_: Tensor) -> Values:
        taken = TopInputs.of_vectors(given)
        found = quadratic.tangent.linear(taken.taken(range(len(taken))), step_)
        return np.asarray(found.numpy(), np.float64)

    told: dict[str, Any] = {}
    for name, by in (("head", torch.zeros_like(move)), ("all", move)):
        of_split = {s: outputs(vectors(s)[0], by) for s in ("dev", "test")}
        made_ = graded(outputs(x, by), y, of_split)
        told[name] = {k: v for k, v in made_.items() if k != "answers"}
    return {
        "data": data,
        "method": "lqf-hidden-trained-512",
        "ridge": ridge,
        "steps": len(left),
        "gradient_left": left,
        "head_alone": told["head"],
        **told["all"],
    }


def best(name: str, data: str) -> dict[str, Any]:
    """Return the solved head that is best on dev; of equals the most regular."""
    found = [
        step(
            f"{name}-{data}-{weight:g}-{ridge:g}",
            lambda w=weight, r=ridge: solved(name, data, w, r),
        )
        for weight, ridge in SOLVED[name][1]
    ]
    return max(found, key=lambda one: (one["dev"], one["ridge"]))


def loss_of(one: Mapping[str, Any]) -> RidgeHead:
    """Return the loss of which a solved head is the minimum."""
    return ridge_head(one["method"], one["data"], one["weight"], one["ridge"])


def flips(old: list[int], new: list[int]) -> dict[str, float]:
    """Return NFR and PFR on test."""
    gold = numbers(vectors("test")[1])
    was, now = np.array(old) == gold, np.array(new) == gold
    return {"nfr": float((was & ~now).mean()), "pfr": float((~was & now).mean())}


def protected() -> dict[str, Any]:
    """Keep what OLD (50) gets right on dev when the head is solved anew for 100."""
    old, new = best("lqf", "50"), best("lqf", "100")
    loss = loss_of(new)
    head = loss.solution()
    old_head = loss_of(old).solution()
    _, gold, _, ids = vectors("dev")
    rows, y = features_of(0, "dev"), numbers(gold)
    right = (rows @ old_head).argmax(axis=1) == y
    began = time.process_time()
    kept = keep_right(loss, rows[right], (rows @ head)[right], y[right], margin=MARGIN)
    seconds = time.process_time() - began
    moved = head + kept.change
    stays = (rows[right] @ moved).argmax(axis=1) == y[right]
    test = (features_of(0, "test") @ moved).argmax(axis=1)
    names = np.array(ids)[right]
    return {
        "protected": int(right.sum()),
        "broken_without": kept.n_broken_before,
        "constraints": kept.n_constraints,
        "kept": int(stays.sum()),
        "given_up": names[~kept.kept].tolist(),
        "broken_though_kept": int((~stays & kept.kept).sum()),
        "seconds": round(seconds, 1),
        "test": float((test == numbers(vectors("test")[1])).mean()),
        "test_without": new["test"],
        "flips": flips(old["answers"], test.tolist()),
        "flips_without": flips(old["answers"], new["answers"]),
    }


def causes() -> dict[str, Any]:
    """Trace every example of test that the head of 100 broke of that of 50."""
    old, new = best("lqf", "50"), best("lqf", "100")
    loss = loss_of(new)
    head = loss.solution()
    _, gold, texts, _ = vectors("test")
    y, rows = numbers(gold), features_of(0, "test")
    said = (rows @ head).argmax(axis=1)
    broken = np.flatnonzero((np.array(old["answers"]) == y) & (said != y))
    known = set(vectors(DATA["50"][0])[2])
    train, train_gold = vectors("train")[2], vectors("train")[1]
    names = list(labels())
    shown = []
    alone = added = 0
    for at in broken.tolist():
        one = traced(
            loss, head, rows[at], right=int(y[at]), answered=int(said[at]), most=3
        )
        alone += bool(one.without[0] > 0)
        added += train[int(one.rows[0])] not in known
        shown.append(
            {
                "text": texts[at],
                "gold": gold[at],
                "answered": names[said[at]],
                "lead": one.lead,
                "causes": [
                    {
                        "text": train[row],
                        "gold": train_gold[row],
                        "new": train[row] not in known,
                        "added": float(value),
                        "lead_without": float(without),
                    }
                    for row, value, without in zip(
                        one.rows.tolist(), one.added, one.without, strict=True
                    )
                ],
            }
        )
    return {
        "flips": len(broken),
        "one_example_alone": alone,
        "first_cause_is_new": added,
        "examples": shown,
    }


def trained(name: str, data: str) -> list[dict[str, Any]]:
    """Return the ordinary heads of all seeds."""
    return [
        step(f"{name}-{data}-{seed}", lambda s=seed: ordinary(name, data, s))
        for seed in SEEDS
    ]


def seed_pairs(name: str, data: str) -> list[dict[str, Any]]:
    """Return what each pair of seeds breaks."""
    return [
        {
            "data": data,
            "method": name,
            "seeds": [one["seed"], two["seed"]],
            **flips(one["answers"], two["answers"]),
        }
        for one, two in combinations(trained(name, data), 2)
    ]


def rows() -> dict[str, Any]:
    """Return every result, JSON-ready; what is not there yet is made."""
    heads = [run for data in DATA for name in ORDINARY for run in trained(name, data)]
    heads += [best(name, data) for name in SOLVED for data in DATA]
    pairs = [one for d in DATA for name in ORDINARY for one in seed_pairs(name, d)]
    updates = [
        {
            "method": name,
            **flips(best(name, "50")["answers"], best(name, "100")["answers"]),
        }
        for name in SOLVED
    ]
    return {
        "heads": [{k: v for k, v in h.items() if k != "answers"} for h in heads],
        "seed_pairs": pairs,
        "hidden_trained": [
            step(f"hidden-50-{r:g}", lambda r=r: linearised("50", r))
            for r in (300.0, 1e3)
        ],
        "updates_50_to_100": updates,
        "protected": step("protected", protected),
        "causes": step("causes", causes),
    }


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:]:
        for wanted in sys.argv[1:]:
            method, data = wanted.rsplit("-", 1)
            best(method, data)
    else:
        text = json.dumps(rows(), indent=1, sort_keys=True, ensure_ascii=False)
        write_whole(RESULTS, f"{text}\n".encode())
