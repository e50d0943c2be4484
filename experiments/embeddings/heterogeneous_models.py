"""Large encoders of the index and small ones of queries, each trained once and kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.arrays import Rows
from compat_eval.core.examples import Examples
from experiments.embeddings.encoders import beside_old, trained, vectors_of
from experiments.embeddings.situations import examples_of
from experiments.updates.places import work_folder

WORK = work_folder("heterogeneous").resolve()
"""Models, vectors and measured rows; nothing there is made again."""

SEEDS = (1, 2, 3)

Sizes = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What is searched, and by which encoders.

    Attributes:
        title: In tables.
        suite: Name of the suite.
        kind: Of the encoders, as `--model` takes it.
        common: Settings of all trainings.
        gallery: Further settings of the large encoder.
        query: Further settings of the small ones.
        beside: Of those that are trained beside the large one: it keeps them from
            learning too much of single examples.
        apart: Of those that are trained alone.
        uniform: Sizes of the plain small one.
        others: Sizes of further ones with about as many operations.
        bars: How far below the paragon is asked, in points of top-1 and mAP.

    """

    title: str
    suite: str
    kind: str
    common: Mapping[str, Any]
    gallery: Mapping[str, Any]
    query: Mapping[str, Any]
    beside: Mapping[str, Any]
    apart: Mapping[str, Any]
    uniform: Sizes
    others: tuple[Sizes, ...]
    bars: tuple[float, float]


SETTINGS: Mapping[str, Setting] = {
    "images": Setting(
        title="Omniglot, images",
        suite="omniglot",
        kind="cnn",
        common={
            "size": 20,
            "dropout": 0.2,
            "shift": 2,
            "projection": 128,
            "cosine": 16,
            "batch_size": 32,
            "learning_rate": 0.003,
        },
        gallery={"widths": [32, 64, 64], "epochs": 48},
        query={"epochs": 24},
        beside={},
        apart={},
        uniform={"widths": [12, 24, 24]},
        others=(
            {"widths": [8, 28, 32]},
            {"widths": [16, 16, 32]},
            {"widths": [4, 16, 16], "depths": [2, 2, 2]},
            {"widths": [8, 16, 24], "depths": [2, 1, 1]},
            {"widths": [8, 20, 24], "depths": [1, 1, 2]},
        ),
        bars=(5.0, 4.0),
    ),
    "text": Setting(
        title="CLINC150, text",
        suite="clinc150",
        kind="text-transformer",
        common={
            "projection": 128,
            "cosine": 16,
            "batch_size": 128,
            "learning_rate": 0.003,
        },
        gallery={
            "width": 96,
            "depth": 2,
            "heads": 4,
            "expansion": 2,
            "dropout": 0.1,
            "epochs": 8,
        },
        query={"epochs": 14},
        beside={"dropout": 0.0, "learning_rate": 0.005},
        apart={"dropout": 0.1},
        uniform={"width": 64, "depth": 1, "heads": 1, "expansion": 2},
        others=(
            {"width": 56, "depth": 1, "heads": 2, "expansion": 2},
            {"width": 88, "depth": 1, "heads": 1, "expansion": 1},
            {"width": 40, "depth": 1, "heads": 4, "expansion": 3},
            {"width": 40, "depth": 2, "heads": 1, "expansion": 2},
            {"width": 32, "depth": 2, "heads": 2, "expansion": 3},
        ),
        bars=(2.0, 2.0),
    ),
}

COMPATIBLE = {"share": 1.0, "scale": 20.0, "distance": 30.0}
"""Through the large encoder's classifier, and towards its vectors."""

COMMAND = "bct:" + ",".join(f"{name}={value:g}" for name, value in COMPATIBLE.items())


def gallery_of(name: str, seed: int) -> Path:
    """Return the large encoder of a seed."""
    of = SETTINGS[name]
    return trained(
        WORK / "models" / name / f"gallery-{seed}",
        of.kind,
        examples_of(of.suite, "train"),
        seed=seed,
        config={**of.common, **of.gallery},
        data=f"{of.suite} train",
    )


def alone(name: str, sizes: Sizes, seed: int) -> Path:
    """Return a small encoder that knows nothing of the large one."""
    of = SETTINGS[name]
    return trained(
        WORK / "models" / name / f"alone-{called(sizes)}-{seed}",
        of.kind,
        examples_of(of.suite, "train"),
        seed=seed + 10,
        config={**of.common, **of.query, **of.apart, **sizes},
        data=f"{of.suite} train",
    )


def compatible(name: str, sizes: Sizes, seed: int, *, gallery: int) -> Path:
    """Return a small encoder that was trained to fit the index of a large one.

    Args:
        name: Of the setting.
        sizes: Of the small encoder.
        seed: Random seed of it.
        gallery: Random seed of the large one.

    """
    of = SETTINGS[name]
    return beside_old(
        WORK / "models" / name / f"query-{called(sizes)}-{seed}-for-{gallery}",
        of.kind,
        examples_of(of.suite, "train"),
        seed=seed + 10,
        config={
            **of.common,
            **of.query,
            **of.beside,
            **sizes,
            "objective": "bct",
            "objective_settings": COMPATIBLE,
        },
        data=f"{of.suite} train",
        old=gallery_of(name, gallery),
    )


def split_of(name: str, split: str) -> Examples:
    """Return the examples of a split."""
    return examples_of(SETTINGS[name].suite, split)


def rows_of(model: Path, name: str, split: str) -> Rows:
    """Return unit vectors of a split, shape (n_examples, dimension)."""
    return vectors_of(model, split_of(name, split), f"{SETTINGS[name].suite} {split}")


def called(sizes: Sizes) -> str:
    """Return a name of sizes for a folder.

    Examples:
        >>> called({"width": 48, "depth": 1}), called({"widths": [4, 8]})
        ('w48-d1', 'w4,8')

    """
    return "-".join(
        f"{key[0]}{','.join(map(str, value)) if isinstance(value, list) else value}"
        for key, value in sizes.items()
    )
