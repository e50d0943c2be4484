"""Clients of six kinds, with what each learns from, is tuned on, and is tested on.

Images, recordings and texts that are the same for everybody are read once; who has
which of them, and what is rotated or mislabelled, follows from the seed.
"""

import csv
import io
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from compat_eval.core.media import Media
from compat_eval.federated.local import LocalTraining
from compat_eval.federated.problem import LabelProblem, LanguageProblem, Problem
from compat_eval.models.encoders.media_features import MediaFeatures
from compat_eval.models.language_models.network import TransformerNetwork
from compat_eval.models.language_models.tokens import token_ids, trained_tokenizer
from compat_eval.models.training.loop import seeded

_FEWEST = 10
"""Samples of a client, at least."""
_NOISE = 0.4
_TESTED = 5
"""Recordings of a digit and speaker before this number are the set's own test."""

Rows = Mapping[int, Sequence[int]]
"""Samples of each client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSet:
    """One draw of clients.

    Attributes:
        problem: What is learnt; all samples of all clients.
        train: What each learns from.
        dev: What settings are chosen on.
        test: What is reported.
        training: How clients train.
        rounds: How often.

    """

    problem: Problem
    train: Rows
    dev: Rows
    test: Rows
    training: LocalTraining
    rounds: int


def perceptron(width: int, hidden: int, n_labels: int, seed: int) -> nn.Module:
    return seeded(
        lambda: nn.Sequential(
            nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, n_labels)
        ),
        seed,
    )


def divided(
    owned: Sequence[NDArray[np.int64]], rng: np.random.Generator
) -> tuple[Rows, Rows, Rows]:
    """Return 60 % of each client's samples to learn from, 15 % as dev, 25 % as test."""
    train, dev, test = {}, {}, {}
    for client, rows in enumerate(owned):
        mixed = rng.permutation(rows)
        n_dev, n_test = max(1, round(0.15 * len(rows))), max(1, round(0.25 * len(rows)))
        test[client] = mixed[:n_test].tolist()
        dev[client] = mixed[n_test : n_test + n_dev].tolist()
        train[client] = mixed[n_test + n_dev :].tolist()
    return train, dev, test


@cache
def digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.data / 16).astype(np.float32), found.target.astype(np.int64)


def _digit_set(
    inputs: NDArray[np.float32],
    labels: NDArray[np.int64],
    owned: Sequence[NDArray[np.int64]],
    seed: int,
    rng: np.random.Generator,
) -> ClientSet:
    train, dev, test = divided(owned, rng)
    return ClientSet(
        problem=LabelProblem(
            network=perceptron(inputs.shape[1], 32, 10, seed),
            names=[str(at) for at in range(len(labels))],
            inputs=torch.from_numpy(inputs),
            labels=torch.from_numpy(labels),
        ),
        train=train,
        dev=dev,
        test=test,
        training=LocalTraining(steps=10, batch_size=16, learning_rate=0.3),
        rounds=40,
    )


def digits_by_label(seed: int) -> ClientSet:
    """20 clients, each with a mixture of labels of its own (Dirichlet, .3)."""
    rng = np.random.default_rng([seed, 1])
    inputs, labels = digits()
    owned: list[list[int]] = [[] for _ in range(20)]
    for label in range(10):
        rows = rng.permutation(np.flatnonzero(labels == label))
        cuts = np.cumsum(rng.dirichlet([0.3] * 20))[:-1] * len(rows)
        for client, part in enumerate(np.split(rows, cuts.astype(int))):
            owned[client] += part.tolist()
    enough = [np.array(rows) for rows in owned if len(rows) >= _FEWEST]
    return _digit_set(inputs, labels, enough, seed, rng)


def digits_by_size_and_rotation(seed: int) -> ClientSet:
    """20 clients of very different sizes, each with its images turned one way."""
    rng = np.random.default_rng([seed, 2])
    inputs, labels = digits()
    sizes = np.exp(rng.normal(scale=1.0, size=20))
    cuts = np.cumsum(sizes / sizes.sum())[:-1] * (len(labels) - 20 * 12)
    starts = cuts.astype(int) + 12 * np.arange(1, 20)
    owned = np.split(rng.permutation(len(labels)), starts)
    turned = inputs.copy()
    for client, rows in enumerate(owned):
        squares = inputs[rows].reshape(-1, 8, 8)
        turned[rows] = np.rot90(squares, client % 4, axes=(1, 2)).reshape(-1, 64)
    return _digit_set(turned, labels, owned, seed, rng)


def digits_with_label_noise(seed: int) -> ClientSet:
    """20 clients; half of them learn from labels of which 40 % are at random."""
    rng = np.random.default_rng([seed, 3])
    inputs, labels = digits()
    owned = np.array_split(rng.permutation(len(labels)), 20)
    found = _digit_set(inputs, labels, owned, seed, rng)
    assert isinstance(found.problem, LabelProblem)
    noisy = found.problem.labels.clone()
    for client in range(0, 20, 2):
        rows = np.array(found.train[client])
        wrong = rows[rng.random(len(rows)) < _NOISE]
        noisy[wrong] = torch.from_numpy(rng.integers(10, size=len(wrong)))
    return replace(found, problem=replace(found.problem, labels=noisy))


def data_dir() -> Path:
    return Path(os.environ["COMPAT_EVAL_DATA"])


@cache
def drawings() -> tuple[Tensor, list[tuple[str, str, int]]]:
    """Return drawings, 14 by 14, with alphabet, character and drawer of each."""
    features = MediaFeatures(kind="pixels", size=14)
    told, items = [], []
    for part in ("small1", "small2"):
        path = data_dir() / "omniglot_small" / f"images_background_{part}.zip"
        with zipfile.ZipFile(path) as packed:
            for name in sorted(packed.namelist()):
                if not name.endswith(".png"):
                    continue
                _, alphabet, character, file = name.split("/")
                if part == "small2" and alphabet in ("Greek", "Latin"):
                    continue  # the same images as in the other part
                media = Media(mime="image/png", name=name, content=packed.read(name))
                items += features.encode([media.uri])
                told.append((alphabet, character, int(file[-6:-4])))
    arrays = np.stack([1 - one.array.ravel() for one in items])
    return torch.from_numpy(arrays), told


def omniglot(seed: int) -> ClientSet:
    """A client is five drawers of an alphabet; it is tested on one of them."""
    rng = np.random.default_rng([seed, 4])
    inputs, told = drawings()
    names = sorted({(alphabet, character) for alphabet, character, _ in told})
    number = {name: at for at, name in enumerate(names)}
    labels = torch.tensor(
        [number[alphabet, character] for alphabet, character, _ in told]
    )
    train: dict[int, list[int]] = {}
    dev: dict[int, list[int]] = {}
    test: dict[int, list[int]] = {}
    for alphabet in sorted({one[0] for one in told}):
        drawers = rng.permutation(np.arange(1, 21))
        for group in np.split(drawers, 4):
            client = len(train)
            parts = (test, dev, train)
            whom = ({group[0]}, {group[1]}, {*group[2:]})
            for part, some in zip(parts, whom, strict=True):
                part[client] = [
                    at
                    for at, (one, _, drawer) in enumerate(told)
                    if one == alphabet and drawer in some
                ]
    return ClientSet(
        problem=LabelProblem(
            network=perceptron(196, 64, len(names), seed),
            names=[str(at) for at in range(len(told))],
            inputs=inputs,
            labels=labels,
        ),
        train=train,
        dev=dev,
        test=test,
        training=LocalTraining(steps=20, batch_size=16, learning_rate=0.3),
        rounds=30,
    )


@cache
def recordings() -> tuple[Tensor, list[tuple[int, str, int]]]:
    """Return spectra, with digit, speaker and number of each."""
    features = MediaFeatures(kind="log-mel", n_mels=16, n_frames=32)
    told, items = [], []
    with zipfile.ZipFile(data_dir() / "fsdd" / "recordings.zip") as packed:
        for name in sorted(packed.namelist()):
            if not name.endswith(".wav"):
                continue
            digit, speaker, number = Path(name).stem.split("_")
            media = Media(mime="audio/wav", name=name, content=packed.read(name))
            items += features.encode([media.uri])
            told.append((int(digit), speaker, int(number)))
    return torch.from_numpy(np.stack([one.array.ravel() for one in items])), told


def fsdd(seed: int) -> ClientSet:
    """A client is one of three devices of a speaker, of very different use."""
    rng = np.random.default_rng([seed, 5])
    inputs, told = recordings()
    train: dict[int, list[int]] = {}
    dev: dict[int, list[int]] = {}
    test: dict[int, list[int]] = {}
    for speaker in sorted({one[1] for one in told}):
        own = np.array([at for at, one in enumerate(told) if one[1] == speaker])
        last = np.array([told[at][2] < _TESTED for at in own])
        kept, asked = rng.permutation(own[~last]), rng.permutation(own[last])
        shares = np.cumsum([0.1, 0.3])
        parts = np.split(kept, (shares * len(kept)).astype(int))
        tests = np.array_split(asked, 3)
        for part, some in zip(parts, tests, strict=True):
            client, n_dev = len(train), max(5, round(0.15 * len(part)))
            train[client], dev[client] = part[n_dev:].tolist(), part[:n_dev].tolist()
            test[client] = some.tolist()
    return ClientSet(
        problem=LabelProblem(
            network=perceptron(inputs.shape[1], 64, 10, seed),
            names=[str(at) for at in range(len(told))],
            inputs=inputs,
            labels=torch.tensor([one[0] for one in told]),
        ),
        train=train,
        dev=dev,
        test=test,
        training=LocalTraining(steps=10, batch_size=16, learning_rate=0.05),
        rounds=40,
    )


_DOMAINS = ("alarm", "music", "navigation", "weather")


@cache
def requests() -> list[tuple[str, str]]:
    found = []
    for domain in _DOMAINS:
        path = data_dir() / "topv2" / f"{domain}_train.tsv"
        text = path.read_text("utf-8")
        table = csv.DictReader(
            io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE
        )
        found += [(domain, row["utterance"]) for row in table][:3000]
    return found


def topv2(seed: int) -> ClientSet:
    """24 clients, each with requests of mostly one domain: next tokens."""
    rng = np.random.default_rng([seed, 6])
    own = requests()
    by_domain = [
        rng.permutation([at for at, one in enumerate(own) if one[0] == domain])
        for domain in _DOMAINS
    ]
    sizes = np.exp(rng.normal(scale=0.7, size=24))
    sizes = np.maximum(20, 70 * sizes / sizes.mean()).astype(int)
    owned = []
    for client, size in enumerate(sizes):
        shares = np.full(4, 0.1)
        shares[client % 4] = 0.7
        counts = rng.multinomial(size, shares)
        parts = []
        for domain, count in enumerate(counts):
            parts.append(by_domain[domain][:count])
            by_domain[domain] = by_domain[domain][count:]
        owned.append(np.concatenate(parts))
    texts = [text for _, text in own]
    tokenizer = trained_tokenizer("word", texts, size=600, min_count=5)
    longest = 20
    tokens = torch.full((len(texts), longest), -1)
    for at, ids in enumerate(token_ids(tokenizer, texts)):
        row = torch.tensor([0, *ids][:longest])
        tokens[at, : len(row)] = row
    train, dev, test = divided(owned, rng)
    network = seeded(
        lambda: TransformerNetwork(
            n_tokens=tokenizer.get_vocab_size(),
            width=32,
            layers=1,
            heads=2,
            longest=longest,
        ),
        seed,
    )
    return ClientSet(
        problem=LanguageProblem(
            network=network, names=[str(at) for at in range(len(texts))], tokens=tokens
        ),
        train=train,
        dev=dev,
        test=test,
        training=LocalTraining(steps=10, batch_size=16, learning_rate=0.5),
        rounds=20,
    )


SETS: Mapping[str, Callable[[int], ClientSet]] = {
    "digits by label": digits_by_label,
    "digits by size and rotation": digits_by_size_and_rotation,
    "digits with label noise": digits_with_label_noise,
    "omniglot by alphabet and drawers": omniglot,
    "spoken digits by device": fsdd,
    "TOPv2 requests, next tokens": topv2,
}
