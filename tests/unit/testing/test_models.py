"""Encoders of the conformance kit: sound ones pass, broken ones are found out."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from compat_eval.testing import check_encoder


class Encoder:
    """Embeds a text as its length and its number of blanks; with a fault."""

    def __init__(self, fault: str = "") -> None:
        self.fault = fault

    def embed(self, items: Sequence[str]) -> Any:
        rows = np.array([[len(one), one.count(" ")] for one in items], float)
        if self.fault == "neighbours":
            return rows - rows.mean(axis=0)
        if self.fault == "nan":
            return np.where(rows > 4, np.nan, rows)
        if self.fault == "flat":
            return rows[:, 0]
        return np.ones_like(rows) if self.fault == "constant" else rows


def test_a_sound_encoder_passes() -> None:
    check_encoder(Encoder(), ["a b", "abcdef", ""])


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("neighbours", "asked alone"),
        ("nan", "finite"),
        ("flat", r"shape \(n_items, n_dimensions\)"),
        ("constant", "different vectors"),
    ],
)
def test_a_broken_encoder_is_found_out(fault: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_encoder(Encoder(fault), ["a b", "abcdef", ""])
