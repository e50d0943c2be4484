"""Ask, and where that fails ask for less, down to the one that is to blame."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from compat_eval.core.errors import CompatEvalError
from compat_eval.runner.failure import Failure, release_memory

T = TypeVar("T")
R = TypeVar("R")


def attempt(
    call: Callable[[Sequence[T]], R], items: Sequence[T]
) -> Iterator[tuple[int, R | Failure]]:
    """Call with all items, or with ever smaller halves where that raises.

    Yields, in the items' order, how many items a result covers and the result;
    an item with which the call raises even alone yields its failure. What the
    user can mend (`CompatEvalError`) and what stops a process
    (`KeyboardInterrupt`) pass through.

    Examples:
        >>> list(attempt(lambda xs: [10 // x for x in xs], [5, 0]))[1][1].text
        'ZeroDivisionError: integer division or modulo by zero'

    """
    result = _once(call, items)
    if not isinstance(result, Failure):
        yield len(items), result
        return
    if result.out_of_memory:
        release_memory()
    if len(items) == 1:
        yield 1, result
        return
    middle = (len(items) + 1) // 2
    yield from attempt(call, items[:middle])
    yield from attempt(call, items[middle:])


def _once(call: Callable[[Sequence[T]], R], items: Sequence[T]) -> R | Failure:
    # Returning ends the exception's life, and with its traceback that of the
    # arrays which the failed call still held.
    try:
        return call(items)
    except CompatEvalError:
        raise
    except Exception as error:  # noqa: BLE001 - any failure is the example's answer
        return Failure.of(error)
