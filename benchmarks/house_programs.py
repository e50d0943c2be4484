"""What `house.py` runs in a process of its own: programs, as text."""

ENTERED = '''
import inspect
import json
import sys

import compat_eval

root = compat_eval.__path__[0]
entered = set()


def profile(frame, event, argument):
    """Note the file of every function that is called; a module's own code is none."""
    code = frame.f_code
    if event == "call" and code.co_flags & inspect.CO_OPTIMIZED:
        if code.co_filename.startswith(root):
            entered.add(code.co_filename)


words = ["compare", "old.jsonl", "new.jsonl", "--out", "run", "-q"]
sys.setprofile(profile)
try:
    from compat_eval.cli import main

    main(words)
except SystemExit as end:
    if end.code:
        raise
finally:
    sys.setprofile(None)
ours = [name for name in sys.modules if name.partition(".")[0] == "compat_eval"]
print(json.dumps({"entered": len(entered), "imported": sorted(ours)}))
'''
"""Compare two files; print how many files were entered, and what was imported."""

COUNTED_MODELS = '''
import numpy as np
import pyarrow as pa

LABELS = ("a", "b")


def note(word):
    with open("counted.log", "a", encoding="utf-8") as log:
        log.write(word + "\\n")


class Toy:
    """Knows what is even; mixes with its like, proposes, scores."""

    labels = LABELS

    def __init__(self, wrong):
        self.wrong = wrong

    def encode(self, inputs):
        return [list(text) for text in inputs]

    def logits(self, items):
        numbers = np.array([int("".join(item)) for item in items], int)
        sign = np.where(numbers % 10 == self.wrong, -1.0, 1.0)
        even = np.where(numbers % 2 == 0, 1.0, -1.0) * sign
        return np.stack([even, -even], axis=-1).reshape(-1, 2)

    def predict(self, items):
        best = self.logits(items).argmax(axis=-1)
        answers = pa.array([LABELS[at] for at in best], pa.string())
        return pa.table({"prediction": answers})

    def propose(self, items, *, k, rng):
        order = (-self.logits(items)).argsort(axis=-1)
        return [[LABELS[at] for at in row[:k]] for row in order]

    def log_probability(self, items, answers):
        scores = self.logits(items)
        scores = scores - np.logaddexp(scores[:, :1], scores[:, 1:])
        return [
            np.array([row[LABELS.index(one)] for one in given])
            for row, given in zip(scores, answers, strict=True)
        ]

    def mixture(self, own, others):
        return Mixed(((own, self), *others))


class Mixed(Toy):
    def __init__(self, parts):
        self.parts = parts

    def logits(self, items):
        return sum(weight * model.logits(items) for weight, model in self.parts)


def old():
    note("load-old")
    return Toy(3)


def new():
    note("load-new")
    return Toy(4)
'''
"""Two models that note when they are loaded."""

COUNTED_KIND = '''
from counted_models import note

from compat_eval.tasks import TASKS


def counted():
    """The classification task, which notes when an answer is graded."""
    plain = TASKS.load("classification")

    class Counted(plain):
        def grade(self, *given, **named):
            note("grade")
            return super().grade(*given, **named)

        def correct(self, *given, **named):
            note("grade")
            return super().correct(*given, **named)

    return Counted()
'''
"""A task kind that notes when it grades."""
