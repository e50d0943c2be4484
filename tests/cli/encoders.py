"""Encoders in Python for tests of searches: sums of random vectors of words."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat_eval.cli import main

SUITE = ("--suite", "library-desk-pages", "--out", "r", "-q")
OLD, NEW = "python:encoders:every_word", "python:encoders:long_words"

ENCODERS = """
import hashlib

import numpy as np


def _word(word, dimension, seed):
    key = hashlib.sha256(f"{seed} {word}".encode()).digest()[:4]
    return np.random.default_rng(int.from_bytes(key, "big")).normal(size=dimension)


class Words:
    def __init__(self, seed=0, dimension=24, shortest=0):
        self.told = seed, dimension, shortest

    def embed(self, items):
        seed, dimension, shortest = self.told
        return np.stack([
            sum((_word(w, dimension, seed) for w in text.lower().split()
                 if len(w) >= shortest), np.full(dimension, 1e-3))
            for text in items
        ])


def every_word(): return Words()
def long_words(): return Words(shortest=4)
def elsewhere(): return Words(seed=1, shortest=4)
def wider(): return Words(dimension=32, shortest=4)


class Damaged(Words):
    def __init__(self, value):
        super().__init__()
        self.value = value

    def embed(self, items):
        found = super().embed(items)
        found[0] = self.value
        return found


class Same(Words):
    def embed(self, items):
        return np.ones((len(items), self.told[1]))


def always_the_same(): return Same()
def zeros(): return Damaged(0.0)
def nans(): return Damaged(np.nan)
"""


def write_encoders(folder: Path) -> None:
    """Write the module `encoders`."""
    (folder / "encoders.py").write_text(ENCODERS)


@pytest.fixture
def encoders_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder with the module `encoders`, which is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("COMPAT_EVAL_CACHE", str(tmp_path / "cache"))
    write_encoders(tmp_path)
    yield tmp_path
    sys.modules.pop("encoders", None)


def ended(*words: str) -> object:
    """Return the exit code of a command."""
    with pytest.raises(SystemExit) as caught:
        main(list(words))
    return caught.value.code


def comparison(folder: str = "r") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(folder, "comparison.json").read_text())
    return found
