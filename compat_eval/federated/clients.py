"""Who holds which samples when: clients, periods, and what is put aside for tests."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from compat_eval.core.errors import DataError, some
from compat_eval.core.examples import SLICE_PREFIX, Examples

_TEST_SHARE = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientShard:
    """What one client receives in one period, as rows of the examples.

    Attributes:
        train: To learn from, in their order.
        test: The last of the period, with a gap of one sample before them, so that
            nothing that was learnt from reaches into a test.

    """

    train: tuple[int, ...]
    test: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The samples of every client and period.

    Attributes:
        names: Of the clients, sorted.
        periods: Names of the periods, the first one first.
        shards: By period and client, both as places in those; who has nothing in a
            period is missing there.

    """

    names: tuple[str, ...]
    periods: tuple[str, ...]
    shards: tuple[Mapping[int, ClientShard], ...]

    def tests(self, period: int) -> dict[int, tuple[int, ...]]:
        """Return the test samples of each client that has some in a period."""
        return {
            client: shard.test
            for client, shard in self.shards[period].items()
            if shard.test
        }


def clients_of(
    examples: Examples,
    *,
    period: str,
    order: Sequence[str] = (),
    test_share: float = _TEST_SHARE,
) -> Clients:
    """Return who holds which examples when.

    A client is a cluster of the suite, a period one of its slices.

    Args:
        examples: In the order in which each client received them.
        period: Name of the slice.
        order: Names of the periods, the first one first; by default sorted, as numbers
            where all are numbers, and else by the numbers within them: week 9 comes
            before week 10.
        test_share: Of each client and period, put aside for tests; at least one sample
            of those with three or more.

    Raises:
        DataError: There are no clients or no such periods, or `order` does not name
            each of them.

    """
    if not examples.tells("cluster"):
        raise DataError(
            "a federation needs clients: `cluster` among the suite's fields names the "
            "column that tells them apart"
        )
    if period not in examples.slice_names:
        known = ", ".join(examples.slice_names) or "none"
        raise DataError(f"the suite has no slice {period!r}; it has {known}")
    owners = examples.column("cluster").to_pylist()
    times = examples.column(f"{SLICE_PREFIX}{period}").to_pylist()
    pairs = zip(examples.ids.to_pylist(), owners, times, strict=True)
    if ids := [name for name, *pair in pairs if None in pair]:
        raise DataError(
            f"{len(ids)} examples have no client or no period ({some(ids)})"
        )
    periods = ordered_periods(sorted(set(times)), order)
    names = sorted(set(owners))
    place = {name: at for at, name in enumerate(names)}
    rows: list[dict[int, list[int]]] = [{} for _ in periods]
    at_time = {name: at for at, name in enumerate(periods)}
    for row, (owner, time) in enumerate(zip(owners, times, strict=True)):
        rows[at_time[time]].setdefault(place[owner], []).append(row)
    return Clients(
        names=tuple(map(str, names)),
        periods=tuple(map(str, periods)),
        shards=tuple(
            {client: _cut(own, test_share) for client, own in sorted(found.items())}
            for found in rows
        ),
    )


def ordered_periods(found: list[str], order: Sequence[str]) -> list[str]:
    """Return the periods that there are, the first one first.

    Args:
        found: Their names, sorted.
        order: They in their order; if empty, as numbers where all are numbers.

    Raises:
        DataError: `order` does not name each of them once.

    """
    if order:
        if sorted(order) != found:
            raise DataError(
                f"the order of periods must name each once: {', '.join(found)}"
            )
        return [*order]
    try:
        numbers = {name: float(name) for name in found}
    except ValueError:
        numbers = {}
    if numbers and all(map(math.isfinite, numbers.values())):
        return sorted(found, key=numbers.__getitem__)
    return sorted(found, key=_spelled)


def _spelled(name: str) -> list[tuple[bool, int, str]]:
    """Return a key by which whole numbers within names are ordered as numbers."""
    parts = [part for part in re.split(r"([0-9]+)", name) if part]
    digits = [part.lstrip("0") if part[0] in "0123456789" else None for part in parts]
    return [
        (True, 0, part) if number is None else (False, len(number), number)
        for part, number in zip(parts, digits, strict=True)
    ]


def _cut(rows: list[int], test_share: float) -> ClientShard:
    """Put the last samples aside, and leave out the one before them."""
    fewest = 3
    if len(rows) < fewest or not test_share:
        return ClientShard(train=tuple(rows), test=())
    n_test = max(1, round(len(rows) * test_share))
    return ClientShard(train=tuple(rows[: -n_test - 1]), test=tuple(rows[-n_test:]))
