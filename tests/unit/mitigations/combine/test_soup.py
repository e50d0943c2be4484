from typing import Any

import numpy as np

from compat_eval.mitigations.combine.soup import soup as model_soup
from tests.unit.mitigations.toy_linear import linear

soup: Any = model_soup


def test_a_soup_of_one_is_itself() -> None:
    new = linear(1)

    found = soup(linear(0), new)

    assert found.rows.tolist() == new.rows.tolist()


def test_the_order_of_its_members_changes_nothing() -> None:
    new, *others = (linear(seed) for seed in (1, 2, 3))

    found = soup(linear(0), new, with_=others)
    again = soup(linear(0), others[1], with_=[new, others[0]])

    np.testing.assert_allclose(found.rows, again.rows)
    np.testing.assert_allclose(found.rows, sum(m.rows for m in (new, *others)) / 3)
