"""Who holds which samples when."""

import pytest

from compat_eval.core.errors import DataError
from compat_eval.core.examples import Examples
from compat_eval.federated.clients import ClientShard, clients_of
from tests.fakes import examples


def stream() -> Examples:
    owners = ["bob"] * 6 + ["ann"] * 10 + ["bob"] * 2
    times = ["10"] * 6 + ["9"] * 10 + ["9"] * 2
    ids = [f"d{at}" for at in range(18)]
    return examples(id=ids, **{"cluster": owners, "slice.year": times})


def test_the_last_of_each_period_are_tests_with_a_gap_before_them() -> None:
    found = clients_of(stream(), period="year")
    assert found.names == ("ann", "bob")
    assert found.periods == ("9", "10")
    assert found.shards[1] == {1: ClientShard(train=(0, 1, 2, 3), test=(5,))}
    assert found.shards[0][0] == ClientShard(train=tuple(range(6, 13)), test=(14, 15))
    assert found.tests(0) == {0: (14, 15)}


def test_who_has_few_samples_learns_from_all_of_them() -> None:
    found = clients_of(stream(), period="year")
    assert found.shards[0][1] == ClientShard(train=(16, 17), test=())


def test_periods_come_in_the_order_that_is_given() -> None:
    assert clients_of(stream(), period="year", order=["10", "9"]).periods == ("10", "9")
    with pytest.raises(DataError, match="must name each once: 10, 9"):
        clients_of(stream(), period="year", order=["10"])


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (["10", "9", "8.5"], ("8.5", "9", "10")),
        (["week 10", "week 9"], ("week 9", "week 10")),
        (["2024-10", "2024-9", "2023-12"], ("2023-12", "2024-9", "2024-10")),
        # Not a number is no place in time.
        (["nan", "3", "20"], ("3", "20", "nan")),
        (["late", "early"], ("early", "late")),
    ],
)
def test_periods_are_sorted_by_the_numbers_within_their_names(
    names: list[str], order: tuple[str, ...]
) -> None:
    ids = [f"d{at}" for at in range(len(names))]
    columns = {"cluster": ["a"] * len(names), "slice.year": names}
    assert clients_of(examples(id=ids, **columns), period="year").periods == order


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"slice.year": ["1", "1"]}, "needs clients"),
        ({"cluster": ["a", "b"], "slice.month": ["1", "1"]}, "it has month"),
        (
            {"cluster": ["a", None], "slice.year": ["1", "1"]},
            r"1 examples have no client or no period \(y\)",
        ),
    ],
)
def test_what_is_no_federation_is_refused(
    columns: dict[str, list[str | None]], told: str
) -> None:
    with pytest.raises(DataError, match=told):
        clients_of(examples(id=["x", "y"], **columns), period="year")
