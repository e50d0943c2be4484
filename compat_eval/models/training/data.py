"""Examples put aside, to stop training early by."""

import hashlib

import numpy as np

from compat_eval.core.examples import Examples


def hold_out(examples: Examples, *, share: float) -> tuple[Examples, Examples]:
    """Split examples into those to train on and those held out.

    Which are held out follows from their ids alone, so a larger training set
    with the same ids holds out the same ones.

    Args:
        examples: All of them.
        share: About how many are held out, in (0, 1).

    """
    limit = int(share * 2**32)
    held = np.array(
        [_place(name) < limit for name in examples.ids.to_pylist()], np.bool_
    )
    return examples.take(~held), examples.take(held)


def _place(name: str) -> int:
    sha256 = hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(sha256[:4], "big")
