"""Trains encoders once, and keeps what they make of every split."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from compat_eval.adapters.compat import open_source
from compat_eval.adapters.options import ModelOptions
from compat_eval.core.arrays import Rows
from compat_eval.core.examples import Examples
from compat_eval.core.progress import Silence
from compat_eval.models.training.data import OLD_VECTOR
from compat_eval.models.training.train import train_model
from compat_eval.runner.ask import ask
from compat_eval.runner.cache import Cache
from compat_eval.runner.questions import Embed
from experiments.embeddings.places import WORK
from experiments.embeddings.situations import (
    CHAIN,
    METHODS,
    TEXT,
    Situation,
    examples_of,
)

CACHE = Cache(WORK / "cache")


def trained(
    folder: Path,
    kind: str,
    examples: Examples,
    *,
    seed: int,
    config: dict[str, Any],
    data: str,
) -> Path:
    """Train a model, or find it; return its directory."""
    if not (folder / "training.json").is_file():
        train_model(
            kind,
            examples,
            None,
            seed=seed,
            out=folder,
            config=config,
            progress=Silence(),
            data=data,
            cache=CACHE,
        )
    return folder


def old_of(of: Situation, seed: int) -> Path:
    """Return OLD of a seed."""
    kind, config = of.old_kind or of.kind, of.old_config or of.config
    return trained(
        WORK / "models" / f"{of.suite}-{kind}-{of.old}" / f"old-{seed}",
        kind,
        examples_of(of.suite, of.old),
        seed=seed,
        config=with_encoder(kind, dict(config)),
        data=f"{of.suite} {of.old}",
    )


def new_of(name: str, of: Situation, method: str, seed: int) -> Path:
    """Return NEW of a method and a seed; NEW's random seeds are not OLD's."""
    how = METHODS[method]
    old = old_of(of, seed)
    # A paragon knows nothing of OLD, so updates to the same data share it.
    folder = f"{of.suite}-{of.kind}-{of.new}" if method == "paragon" else name
    return beside_old(
        WORK / "models" / folder / f"{method}-{seed}",
        of.kind,
        examples_of(of.suite, of.new),
        seed=seed + 10,
        config=with_encoder(
            of.kind,
            {
                **of.config,
                "epochs": how.epochs * of.config["epochs"],
                **({"start": str(old)} if how.start == "old" else {}),
                **how.config,
            },
        ),
        data=f"{of.suite} {of.new}",
        old=old,
    )


def beside_old(
    folder: Path,
    kind: str,
    examples: Examples,
    *,
    seed: int,
    config: dict[str, Any],
    data: str,
    old: Path,
) -> Path:
    """Train a model whose loss may read OLD's vectors, or find it."""
    if "objective" in config:
        settings = config["objective_settings"]
        if settings.get("old") == "OLD":
            settings = {**settings, "old": str(old)}
        config = {**config, "objective_settings": settings}
        if not (folder / "training.json").is_file():
            examples = with_vectors(old, examples, f"{data} train")
    return trained(folder, kind, examples, seed=seed, config=config, data=data)


def with_vectors(old: Path, examples: Examples, split: str) -> Examples:
    """Return examples with OLD's vectors beside them."""
    rows = vectors_of(old, examples, split)
    column = pa.array(list(rows), pa.list_(pa.float64()))
    return examples.with_column(OLD_VECTOR, column)


def chain(seed: int) -> list[Path]:
    """Return four versions, each made from the last by a warm start and BCT."""
    versions: list[Path] = []
    for at, split in enumerate(CHAIN):
        config: dict[str, Any] = dict(TEXT)
        if versions:
            how = METHODS["warm-bct"]
            config |= {"start": str(versions[-1]), **how.config}
        versions.append(
            beside_old(
                WORK / "models" / "chain" / f"v{at + 1}-{seed}",
                "text-cnn",
                examples_of("clinc150", split),
                seed=seed + 10 * at,
                config=config,
                data=f"clinc150 {split}",
                old=versions[-1] if versions else WORK,
            )
        )
    return versions


def vectors_of(model: Path, examples: Examples, split: str) -> Rows:
    """Return unit vectors of examples, shape (n_examples, dimension), made once."""
    kept = model / "vectors" / f"{split.replace(' ', '-')}.npy"
    if not kept.is_file():
        source = open_source(str(model), ModelOptions())
        if (model / "encoder.json").is_file():
            rows = _of_head(source.load(), examples)
        else:
            rows = _asked(source.load(), examples)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        kept.parent.mkdir(parents=True, exist_ok=True)
        np.save(kept, rows.astype(np.float32))
    return np.asarray(np.load(kept), np.float64)


def _asked(model: Any, examples: Examples) -> Rows:  # noqa: ANN401
    """Return an encoder's vectors, in batches of one size."""
    items = model.encode(examples.column("input").to_pylist())
    batches = [model.embed(items[at : at + 256]) for at in range(0, len(items), 256)]
    return np.concatenate(batches)


def _of_head(model: Any, examples: Examples) -> Rows:  # noqa: ANN401
    """Return a head's vectors; those of the encoder below it are kept for all heads."""
    answers = ask(model.source, examples, Embed(), cache=CACHE, progress=Silence())
    below = np.array(answers.column(Embed.column).to_pylist(), np.float32)
    with torch.inference_mode():
        return np.asarray(model.network.vectors(torch.from_numpy(below)), np.float64)


def remembered(path: Path, make: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Return what a file holds, made first where there is none."""
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(make()), "utf-8")
    return json.loads(path.read_text("utf-8"))


def with_encoder(kind: str, config: dict[str, Any]) -> dict[str, Any]:
    """Return settings, of a head with the encoder that it stands on."""
    if kind != "head":
        return config
    from experiments.classification.run import encoder_directory

    return {**config, "encoder": str(encoder_directory())}
