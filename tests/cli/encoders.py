"""Encoders in Python for tests of searches: sums of random vectors of words."""

from pathlib import Path

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


def zeros(): return Damaged(0.0)
def nans(): return Damaged(np.nan)
"""


def write_encoders(folder: Path) -> None:
    """Write the module `encoders`."""
    (folder / "encoders.py").write_text(ENCODERS)
