"""Write the questions of the suite library-desk-sums, with their answers.

    python experiments/suites/library_desk_sums.py > questions.jsonl

The same random seed gives the same bytes; every sentence was written for this suite.
"""

import json
import random
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction

SEED, EACH = 20, 40

Sum = tuple[str, Fraction | int]


def fines(rng: random.Random) -> Sum:
    """Late books, some of them excused."""
    books, days = rng.randint(4, 12), rng.randint(3, 30)
    cents = rng.choice([10, 15, 25])
    free = rng.randint(2, books - 1)
    text = (
        f"{books} books come back {days} days late. The fine is {cents} cents a day "
        f"for each book, but {free} of them are children's books, which cost nothing. "
        "How many euros must the reader pay?"
    )
    return text, Fraction((books - free) * days * cents, 100)


def shelves(rng: random.Random) -> Sum:
    """Books on shelves, the last of which is not full."""
    shelves, each, gaps = rng.randint(4, 30), rng.randint(20, 45), rng.randint(1, 19)
    text = (
        f"A bookcase has {shelves} shelves for {each} books each. On the last shelf "
        f"{gaps} places are free, and all others are full. How many books stand there?"
    )
    return text, shelves * each - gaps


def members(rng: random.Random) -> Sum:
    """Members who come and go, in percent."""
    before, percent = rng.randrange(400, 4000, 100), rng.choice([5, 10, 15, 20, 25])
    left = rng.randint(11, 99)
    text = (
        f"A library had {before:,} members. In spring their number rose by {percent} "
        f"%, and in autumn {left} left. How many members has it now?"
    )
    return text, before * (100 + percent) // 100 - left


def hours(rng: random.Random) -> Sum:
    """Hours in which the desk is open."""
    days, start, end = rng.randint(4, 6), rng.randint(8, 11), rng.randint(16, 20)
    pause, weeks = rng.choice([30, 45, 60]), rng.randint(2, 8)
    text = (
        f"The desk is open on {days} days a week from {start} to {end} o'clock, with a "
        f"break of {pause} minutes each day. For how many hours is it open in {weeks} "
        "weeks?"
    )
    return text, weeks * days * (end - start - Fraction(pause, 60))


def copies(rng: random.Random) -> Sum:
    """Pages on both sides of sheets, an odd one counting as a sheet."""
    pages, readers, cents = rng.randint(7, 60), rng.randint(2, 25), rng.choice([8, 12])
    text = (
        f"A leaflet of {pages} pages is copied on both sides of the paper for "
        f"{readers} readers. A sheet costs {cents} cents. How many euros do all "
        "copies cost?"
    )
    return text, Fraction((pages + 1) // 2 * readers * cents, 100)


def written(value: Fraction | int) -> str:
    """Return a number without an end that says nothing."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")


def questions() -> Iterator[dict[str, str]]:
    """Yield every question with its answer."""
    rng = random.Random(SEED)  # noqa: S311 - no secret
    kinds: tuple[Callable[[random.Random], Sum], ...] = (
        fines,
        shelves,
        members,
        hours,
        copies,
    )
    for kind in kinds:
        for at in range(EACH):
            text, value = kind(rng)
            name = kind.__name__
            yield {
                "id": f"{name}-{at + 1:02}",
                "topic": name,
                "question": text,
                "answer": written(value),
            }


if __name__ == "__main__":
    sys.stdout.writelines(json.dumps(one) + "\n" for one in questions())
