"""TF-IDF of words and of pieces of words, and logistic regression, by scikit-learn.

It is saved with skops, so that it opens without running code.
"""

import json
from pathlib import Path
from typing import Any

from pydantic import Field

from compat_eval.core.examples import Examples
from compat_eval.core.files import write_whole
from compat_eval.core.progress import Progress
from compat_eval.models.packages import package
from compat_eval.models.training.data import label_names, texts_and_labels
from compat_eval.models.training.train import Settings, Trainer

_WORD = r"\w+|[^\w\s]"


class _TfidfSettings(Settings):
    """Settings of `--model tfidf`."""

    strengths: tuple[float, ...] = Field(default=(10.0,), min_length=1)
    """Inverse strengths of the penalty (C); the best on dev is kept."""
    longest_phrase: int = Field(default=2, ge=1)
    longest_piece: int = Field(default=0, ge=0)
    """Largest number of letters in a piece of a word; 0 for whole words only."""
    iterations: int = Field(default=300, ge=1)


def _train(
    examples: Examples,
    dev: Examples | None,
    settings: _TfidfSettings,
    *,
    seed: int,
    out: Path,
    progress: Progress,
) -> list[dict[str, Any]]:
    package("sklearn")
    skops = package("skops.io")
    texts, gold = texts_and_labels(examples)
    labels = label_names(gold)
    history: list[dict[str, Any]] = []
    best: tuple[float, Any] = (-1.0, None)
    progress.start("logistic regression", total=len(settings.strengths) * len(texts))
    for strength in settings.strengths:
        pipeline = _pipeline(settings, strength, seed).fit(texts, gold)
        accuracy = _accuracy(pipeline, dev)
        history.append({"strength": strength, "dev_accuracy": accuracy})
        if best[1] is None or (accuracy or 0.0) > best[0]:
            best = (accuracy or 0.0, pipeline)
        progress.advance(len(texts))
    progress.stop()
    skops.dump(best[1], out / "model.skops")
    ours = {"kind": "tfidf", "schema_version": 1}
    saved = {"compat_eval": ours, "labels": list(labels)}
    write_whole(out / "config.json", f"{json.dumps(saved, indent=1)}\n".encode())
    return history


train = Trainer(settings=_TfidfSettings, run=_train)
"""Trains `--model tfidf`."""


def _pipeline(settings: _TfidfSettings, strength: float, seed: int) -> Any:  # noqa: ANN401
    pipelines = package("sklearn.pipeline")
    linear = package("sklearn.linear_model")
    classifier = linear.LogisticRegression(
        C=strength, max_iter=settings.iterations, random_state=seed
    )
    features = pipelines.FeatureUnion(_features(settings))
    return pipelines.Pipeline([("features", features), ("classifier", classifier)])


def _features(settings: _TfidfSettings) -> list[tuple[str, Any]]:
    """Return what is counted: phrases of words, and pieces of words where asked."""
    text = package("sklearn.feature_extraction.text")
    features = [
        (
            "words",
            text.TfidfVectorizer(
                token_pattern=_WORD,
                ngram_range=(1, settings.longest_phrase),
                sublinear_tf=True,
            ),
        )
    ]
    if settings.longest_piece:
        pieces = text.TfidfVectorizer(
            analyzer="char_wb",
            ngram_range=(2, settings.longest_piece),
            sublinear_tf=True,
        )
        features.append(("pieces", pieces))
    return features


def _accuracy(pipeline: Any, dev: Examples | None) -> float | None:  # noqa: ANN401
    if dev is None:
        return None
    texts, gold = texts_and_labels(dev)
    return float(pipeline.score(texts, gold))
