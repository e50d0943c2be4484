"""The updates: which encoders, on which data, and what is tried on each.

Text encoders are small convolutional networks on hashed words, image encoders small
convolutional networks of about 1.6 million multiplications; what their last layer reads
is the vector (256 and 432 dimensions, none below 0). Everything here is a training of
the shipped program, as `compat-eval train` and `compat-eval mitigate` run it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from compat_eval.core.examples import Examples
from compat_eval.suite.examples import load_examples
from compat_eval.suite.load import load_suite

SEEDS = (1, 2, 3)

TEXT = {
    "projection": 0,
    "width": 64,
    "channels": 256,
    "epochs": 7,
    "batch_size": 128,
    "learning_rate": 0.002,
    "head_scale": 5,
}
IMAGE = {
    "width": 24,
    "size": 20,
    "dropout": 0.2,
    "shift": 2,
    "epochs": 16,
    "batch_size": 16,
    "learning_rate": 0.002,
}
DEEPER = {"projection": 256, "epochs": 12, "learning_rate": 0.002}

OPEN_ALPHABETS = ("Sanskrit", "Tagalog")
"""Nobody trains on them; they are searched by queries of their own."""


@dataclass(frozen=True, slots=True)
class Method:
    """One way to get a NEW encoder.

    Attributes:
        title: In tables.
        text: As `--mitigate` takes it; empty for a training without OLD.
        config: Settings of the training beside NEW's own.
        start: Whose weights are begun from: `fresh` or `old`.
        epochs: As a multiple of NEW's.

    """

    title: str
    text: str
    config: Mapping[str, Any] = field(default_factory=dict)
    start: str = "fresh"
    epochs: int = 1


_SCALE = 40.0
"""What cosines with OLD's rows are multiplied by: chosen on dev, of 20 and 40."""

_SHARE = 10.0
"""λ of BCT from random weights: chosen on dev, of 1, 3 and 10. From OLD's it is 1."""

_OPTIONS = f"share={_SHARE:g},scale={_SCALE:g}"


def _fresh(title: str, text: str, objective: str, **settings: Any) -> Method:  # noqa: ANN401
    return Method(title, text, {"objective": objective, "objective_settings": settings})


def _warm(title: str, text: str, objective: str, **settings: Any) -> Method:  # noqa: ANN401
    begun = _fresh(f"warm start + {title}", text, objective, **settings)
    return replace(begun, start="old")


_BCT = {"share": _SHARE, "scale": _SCALE}
_FROM_OLD = f"start=old,scale={_SCALE:g}"

METHODS: Mapping[str, Method] = {
    "paragon": Method("paragon, independent", "", epochs=2),
    "warm": Method("warm start", "warm-start", start="old"),
    "bct": _fresh("BCT, centroids", f"bct:{_OPTIONS}", "bct", **_BCT),
    **{
        f"bct-{rows}": _fresh(
            title, f"bct:rows={rows},{_OPTIONS}", "bct", rows=rows, old="OLD", **_BCT
        )
        for rows, title in (
            ("synthesised", "BCT, synthesised rows"),
            ("old-only", "BCT on OLD's classes alone"),
        )
    },
    "warm-bct": _warm("BCT", f"bct:{_FROM_OLD}", "bct", scale=_SCALE),
    "l2": _fresh("L2", "l2", "l2"),
    "warm-l2": _warm("L2", "l2:start=old", "l2"),
    "contrastive": _warm("contrastive", "contrastive:start=old", "contrastive"),
    "ract": _warm(
        "RACT", "ract:start=old", "contrastive", hardest=10, alleviating=True
    ),
    "lce": _warm("LCE", "lce:start=old", "lce"),
    "unibct": _warm("UniBCT", f"unibct:{_FROM_OLD}", "unibct", scale=_SCALE),
    "mixbct": _warm("MixBCT", "mixbct:start=old", "mixbct"),
    "perturbed": _warm(
        "prototype perturbation",
        f"prototype-perturbation:{_FROM_OLD}",
        "prototype-perturbation",
        scale=_SCALE,
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """An update of an encoder.

    Attributes:
        title: In tables.
        suite: Name of the suite.
        old: Split that OLD is trained on.
        new: Split that NEW is trained on.
        kind: Of the encoders, as `--model` takes it.
        config: Settings of both.
        methods: Names in `METHODS`.
        old_kind: Of OLD, where it is another.
        old_config: Likewise.
        alphabets: Whether it is of alphabets, some of which nobody trains on.

    """

    title: str
    suite: str
    old: str
    new: str
    kind: str
    config: Mapping[str, Any]
    methods: Sequence[str] = tuple(METHODS)
    old_kind: str | None = None
    old_config: Mapping[str, Any] | None = None
    alphabets: bool = False


SITUATIONS: Mapping[str, Situation] = {
    "domains": Situation(
        title="CLINC150, 5 → 10 domains",
        suite="clinc150",
        old="train-five",
        new="train",
        kind="text-cnn",
        config=TEXT,
    ),
    "size": Situation(
        title="CLINC150, half → all examples",
        suite="clinc150",
        old="train-small",
        new="train",
        kind="text-cnn",
        config=TEXT,
        methods=("paragon", "warm", "bct", "warm-bct", "l2", "ract"),
    ),
    "omniglot": Situation(
        title="Omniglot, 3 → 6 alphabets",
        suite="omniglot",
        old="train-old",
        new="train",
        kind="cnn",
        config=IMAGE,
        alphabets=True,
        methods=(
            "paragon",
            "warm",
            "bct",
            "warm-bct",
            "l2",
            "warm-l2",
            "ract",
            "mixbct",
            "unibct",
        ),
    ),
    "hwu64": Situation(
        title="HWU64, 10 → all examples an intent",
        suite="hwu64",
        old="train-10",
        new="train",
        kind="text-cnn",
        config=TEXT,
        methods=("paragon", "warm", "bct", "warm-bct", "l2"),
    ),
    "deeper": Situation(
        title="CLINC150, shallow CNN → head on MiniLM",
        suite="clinc150",
        old="train",
        new="train",
        kind="head",
        config=DEEPER,
        old_kind="text-cnn",
        old_config=TEXT,
        methods=("paragon", "bct", "l2", "mixbct"),
    ),
}

OLD_ALPHABETS = ("Balinese", "Greek", "Korean")
CHAIN = ("five-half", "train-five", "train-small", "train")
"""Four versions of CLINC150: half of the examples of five domains, all of these, half
of the examples of ten domains, all of them."""


@cache
def examples_of(suite: str, split: str) -> Examples:
    """Return a split's examples that take part."""
    if suite == "omniglot":
        return _omniglot(split)
    if split == "five-half":
        whole, five = (
            examples_of(suite, "train-small"),
            examples_of(suite, "train-five"),
        )
        return whole.take(np.isin(_gold(whole), np.unique(_gold(five))))
    found = _read(suite, split)
    return found.take(_gold(found) != "oos") if suite == "clinc150" else found


def _omniglot(split: str) -> Examples:
    """Return drawings of the alphabets that are open, of OLD or of all others."""
    read = {"train-old": "train", "open": "test"}.get(split, split)
    found = _read("omniglot", read)
    alphabet = np.array([label.partition("/")[0] for label in _gold(found)])
    is_open = np.isin(alphabet, OPEN_ALPHABETS)
    if split == "open":
        return found.take(is_open)
    if split == "train-old":
        return found.take(np.isin(alphabet, OLD_ALPHABETS))
    return found.take(~is_open)


@cache
def _read(suite: str, split: str) -> Examples:
    return load_examples(load_suite(suite), split).with_gold()


def _gold(examples: Examples) -> Any:  # noqa: ANN401 - an array of labels
    return np.array(examples.column("gold").to_pylist())
