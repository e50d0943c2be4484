"""Runs made by hand, in the form of `comparison.json` and its neighbours.

The numbers follow from the rows by the definitions, written out here once more,
so that what a page shows can be checked against what was put in.
"""

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from compat_eval.core.examples import Examples
from compat_eval.core.grades import Level
from compat_eval.core.predictions import Predictions
from compat_eval.runs.directory import Run
from compat_eval.tasks import TASKS
from compat_eval.tasks import task as task_of

LABELS = {
    "banking": ("balance", "transfer", "freeze account", "pay bill", "report fraud"),
    "travel": ("book flight", "car rental", "travel alert", "lost luggage"),
    "home": ("play music", "lights on", "thermostat", "shopping list"),
    "small talk": ("greeting", "joke", "oos"),
}
DOMAIN = {label: domain for domain, labels in LABELS.items() for label in labels}
OPENINGS = ("please", "could you", "i want to", "hey,", "can you help me with", "")
ENDINGS = ("now", "for tomorrow", "again", "as soon as possible", "", "at home")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One example with both answers."""

    id: str
    text: str
    gold: str | None
    old: str | None
    new: str | None
    old_score: float | None = 0.9
    new_score: float | None = 0.8
    old_margin: float | None = 0.8
    new_margin: float | None = 0.6
    old_error: str | None = None
    new_error: str | None = None
    slices: Mapping[str, str] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        old, new = self.old == self.gold, self.new == self.gold
        return {
            (True, True): "kept",
            (True, False): "broken",
            (False, True): "fixed",
            (False, False): "missed",
        }[old, new]


def wilson(part: float, whole: float) -> tuple[float, float]:
    z = 1.959963984540054
    share, square = part / whole, z * z
    middle = (share + square / (2 * whole)) / (1 + square / whole)
    half = z * math.sqrt(share * (1 - share) / whole + square / (4 * whole**2))
    half /= 1 + square / whole
    return max(0.0, middle - half), min(1.0, middle + half)


def share(
    part: float, whole: int, why: str = "no units were compared"
) -> dict[str, Any]:
    if not whole:
        return estimate(None, None, None, n=0, method="wilson", reason=why)
    return estimate(part / whole, *wilson(part, whole), n=whole, method="wilson")


def estimate(
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    n: int = 1000,
    method: str = "wilson",
    reason: str | None = None,
) -> dict[str, Any]:
    return {
        "value": value,
        "low": low,
        "high": high,
        "confidence": 0.95,
        "method": method,
        "n": n,
        "reason": reason,
    }


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    counts = Counter(row.cell for row in rows)
    a, b, c, d = (counts[cell] for cell in ("kept", "broken", "fixed", "missed"))
    n = len(rows)
    half = 1.96 * math.sqrt(b + c) / n if n else 0.0
    change = (c - b) / n if n else None
    relative = b * n / ((a + b) * (b + d)) if (a + b) and (b + d) else None
    return {
        "units": n,
        "clusters": None,
        "design_effect": None,
        "counts": {"kept": a, "broken": b, "fixed": c, "missed": d},
        "statistics": {
            "accuracy_old": share(a + b, n),
            "accuracy_new": share(a + c, n),
            "accuracy_change": estimate(
                change,
                None if change is None else change - half,
                None if change is None else change + half,
                n=n,
                method="newcombe",
                reason=None if n else "no units were compared",
            ),
            "nfr": share(b, n),
            "pfr": share(c, n),
            "nfi": share(b, b + d, "new makes no error"),
            "relative_nfr": estimate(
                relative,
                n=n,
                method="multinomial-bootstrap",
                reason="old is never right or new makes no error"
                if relative is None
                else None,
            ),
            "btc": share(a, a + b, "old is never right"),
            "bec": share(d, b + d, "new makes no error"),
            "churn": share(sum(row.old != row.new for row in rows), n),
        },
        "mcnemar_p": 0.0307 if b + c else None,
    }


def gate(verdict: str = "fail", **changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "quantity": "nfr",
        "level": "example",
        "slice": None,
        "of": None,
        "relative": False,
        "ids": [],
        "bound": None,
        "semantics": "certify",
        "direction": "at_most",
        "limit": 0.005,
        "estimate": share(13, 1000),
        "verdict": verdict,
        "fresh_examples": None,
        "fresh_power": None,
        "reason": None,
        "p_value": 0.0021,
        "alpha": 0.05,
    }
    return {**made, **changes}


def calibration(rows: Sequence[Row], side: str) -> dict[str, Any]:
    bins: list[dict[str, Any]] = []
    for i in range(10):
        low, high = i / 10, (i + 1) / 10
        inside = [
            (float(score), bool(getattr(row, side) == row.gold))
            for row in rows
            if (score := getattr(row, f"{side}_score")) is not None
            and low < score <= high
        ]
        n = len(inside)
        bins.append(
            {
                "low": low,
                "high": high,
                "n": n,
                "confidence": sum(s for s, _ in inside) / n if n else None,
                "accuracy": sum(r for _, r in inside) / n if n else None,
            }
        )
    total = sum(b["n"] for b in bins)
    gaps = [b["n"] * abs(b["confidence"] - b["accuracy"]) for b in bins if b["n"]]
    value = sum(gaps) / total if total else None
    ece = estimate(value, n=total, method="bootstrap", reason=None)
    if value is not None:
        ece = {**ece, "low": max(0.0, value - 0.01), "high": value + 0.012}
    return {"bins": bins, "ece": ece}


def confusion_flow(rows: Sequence[Row]) -> list[dict[str, Any]]:
    broken = Counter((r.gold, r.old, r.new) for r in rows if r.cell == "broken")
    ranked = sorted(broken.items(), key=lambda item: (-item[1], str(item[0])))
    return [
        {"gold": gold, "old": old, "new": new, "count": count}
        for (gold, old, new), count in ranked
    ]


def slices(rows: Sequence[Row]) -> list[dict[str, Any]]:
    names = sorted({item for row in rows for item in row.slices.items()})
    return [
        {
            "name": f"{name}={value}",
            "level": "example",
            **summary([row for row in rows if row.slices.get(name) == value]),
        }
        for name, value in names
    ]


def made_run(
    rows: Sequence[Row],
    *,
    gates: Sequence[Mapping[str, Any]] = (),
    verdict: str = "none",
    task: Mapping[str, Any] | None = None,
    manifest: Mapping[str, Any] | None = None,
    coverage: Mapping[str, int] | None = None,
    **top: Any,
) -> Run:
    flow = confusion_flow(rows)
    made_task = {
        "name": "toy-intents",
        "kind": "classification",
        "n_examples": len(rows),
        "levels": {"example": summary(rows)},
        "metrics": {},
        "slices": slices(rows),
        "slice_search": [],
        "confusion_flow": flow[:50],
        "confusion_flow_rest": sum(one["count"] for one in flow[50:]),
        "calibration": None,
        "noise": None,
        "fragility": {
            "noise_band": None,
            "labels_to_overturn": None,
            "reason": "no NFR gate of whole examples passed or failed",
            "suspects": [],
        },
        "labels": None,
        **(task or {}),
    }
    sides = {"only_old": 0, "only_new": 0, "neither": 0, **(coverage or {})}
    roles = {
        "old": {"missing": sides["only_new"] + sides["neither"]},
        "new": {"missing": sides["only_old"] + sides["neither"]},
    }
    for name, role in roles.items():
        errors = sum(getattr(row, f"{name}_error") is not None for row in rows)
        answered = len(rows) - role["missing"]
        role |= {"answered": answered, "errors": errors, "unasked": 0}
    made_task["updates"] = _updates(made_task, {"both": len(rows), **sides}, roles)
    comparison = {
        "schema_version": 2,
        "suite": "toy-intents",
        "verdict": verdict,
        "doubts": [],
        "notes": [],
        "settings": {
            "levels": ["example"],
            "confidence": 0.95,
            "correction": "holm",
            "seed": 0,
            "on_mismatch": "refuse",
            "on_missing": "fail",
            "resamples": 10_000,
        },
        "coverage": roles,
        "left_out": {"mismatched": 0, "dropped": 0, "without_gold": 0},
        "tasks": [made_task],
        "gates": [dict(one) for one in gates],
        **top,
    }
    return Run(
        path=Path("run"),
        comparison=comparison,
        manifest={**_manifest(), **(manifest or {})},
        examples=_examples(rows),
        answers={role: _predictions(rows, role) for role in ("old", "new")},
    )


def described(name: str, kind: str) -> dict[str, Any]:
    """Return a level as a run of a kind describes it."""
    known = task_of(kind).levels if kind in TASKS.names() else ()
    unknown = Level(name, "unit", "units")
    return next((one for one in known if one.name == name), unknown).to_dict()


def _updates(
    task: dict[str, Any], pair: Mapping[str, int], roles: dict[str, Any]
) -> list[dict[str, Any]]:
    """Move what is said of updates out of a task; each mitigation adds a role."""
    noise, tried = task.pop("noise"), task.pop("mitigations", ())
    judged = {
        "old": "old",
        "new": "new",
        "coverage": pair,
        "agreement": 0.7,
        "levels": task.pop("levels"),
        "statistics": task.pop("metrics"),
        "slices": task.pop("slices"),
    }
    kept = ("name", "kind", "n_examples")
    judged["analyses"] = {k: task.pop(k) for k in list(task) if k not in kept}
    plain = {**judged, "slices": [], "analyses": {}}
    found = [judged]
    task["levels"] = [described(name, task["kind"]) for name in judged["levels"]]
    if noise is not None:
        roles["old again"] = roles["old"]
        found.append({**plain, "new": "old again", "analyses": {"noise": noise}})
    for one in tried:
        from_old, from_new, errors = one
        roles[from_old["new"]] = {**roles["new"], "errors": errors}
        found += [{**plain, **from_old}, {**plain, **from_new}]
    return found


def varied_rows(
    n: int, *, broken: int, fixed: int, missed: int, seed: int = 7
) -> list[Row]:
    """Rows with believable texts, labels, scores and slices."""
    rng = random.Random(seed)  # noqa: S311
    cells = ["broken"] * broken + ["fixed"] * fixed + ["missed"] * missed
    cells += ["kept"] * (n - len(cells))
    rng.shuffle(cells)
    return [_varied_row(i, cell, rng) for i, cell in enumerate(cells)]


def _varied_row(i: int, cell: str, rng: random.Random) -> Row:
    gold = rng.choice(sorted(DOMAIN))
    if cell == "broken" and rng.random() < 0.5:
        gold = rng.choice(LABELS["banking"])
    others = [label for label in LABELS[DOMAIN[gold]] if label != gold]
    wrong = rng.choice(others) if rng.random() < 0.8 else "oos"
    wrong = "joke" if wrong == gold else wrong
    old = gold if cell in ("kept", "broken") else wrong
    new = gold if cell in ("kept", "fixed") else wrong
    text = f"{rng.choice(OPENINGS)} {gold} {rng.choice(ENDINGS)}".strip()
    sure = {"kept": 0.96, "broken": 0.62, "fixed": 0.71, "missed": 0.55}[cell]
    scores = [min(0.999, max(0.08, rng.gauss(sure, 0.12))) for _ in range(2)]
    return Row(
        id=f"test-{i:05d}",
        text=text,
        gold=gold,
        old=old,
        new=new,
        old_score=scores[0],
        new_score=scores[1],
        old_margin=max(0.0, 2 * scores[0] - 1.0),
        new_margin=max(0.0, 2 * scores[1] - 1.0),
        slices={
            "domain": DOMAIN[gold],
            "length": "short" if len(text) < 24 else "long",
        },
    )


def _examples(rows: Sequence[Row]) -> Examples:
    names = sorted({name for row in rows for name in row.slices})
    return Examples(
        pa.table(
            {
                "id": [row.id for row in rows],
                "input": [row.text for row in rows],
                "gold": pa.array([row.gold for row in rows], pa.string()),
                **{
                    f"slice.{name}": pa.array(
                        [row.slices.get(name) for row in rows], pa.string()
                    )
                    for name in names
                },
            }
        )
    )


def _predictions(rows: Sequence[Row], side: str) -> Predictions:
    answers = [getattr(row, side) for row in rows]
    return Predictions(
        pa.table(
            {
                "id": [row.id for row in rows],
                "prediction": pa.array(answers, pa.string()),
                "score": pa.array(
                    [getattr(row, f"{side}_score") for row in rows], pa.float64()
                ),
                "margin": pa.array(
                    [getattr(row, f"{side}_margin") for row in rows], pa.float64()
                ),
                "correct.example": [
                    answer == row.gold
                    for answer, row in zip(answers, rows, strict=True)
                ],
                "error": pa.array(
                    [getattr(row, f"{side}_error") for row in rows], pa.string()
                ),
            }
        )
    )


def _manifest() -> dict[str, Any]:
    def side(name: str, digest: str) -> dict[str, Any]:
        return {
            "reference": f"hf:models/{name}",
            "fingerprint": digest * 8,
            "describe": {"format": "safetensors", "dtype": "float32", "labels": 16},
        }

    return {
        "schema_version": 2,
        "created": "2026-11-21T04:00:00+00:00",
        "roles": {
            "old": side("intents-v1", "3fa1c09b"),
            "new": side("intents-v2", "b7740e52"),
        },
        "suite": {"name": "toy-intents", "task": {"kind": "classification"}},
        "environment": {"python": "3.11.7", "numpy": "2.1.0", "platform": "Linux"},
        "command": "compat-eval compare models/intents-v1 models/intents-v2",
        "timings": {"old": 1.25, "new": 1.5},
        "seed": 0,
    }
