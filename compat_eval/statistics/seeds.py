"""Random numbers that depend on a seed and a name, never on order or workers."""

import hashlib

import numpy as np


def generator(seed: int, *names: str) -> np.random.Generator:
    """Return the generator of one named piece of work under a seed.

    Examples:
        >>> a = generator(0, "intents", "example", "nfr").random()
        >>> b = generator(0, "intents", "example", "pfr").random()
        >>> a == b
        False

    """
    text = "\x1f".join(names).encode("utf-8", "surrogatepass")
    words = np.frombuffer(hashlib.sha256(text).digest(), dtype="<u4")
    key = tuple(int(word) for word in words)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
