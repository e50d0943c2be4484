"""The demands that were made before anything was measured, but for a prototype."""

from collections.abc import Mapping, Sequence

from experiments.training.answering import EVERY, FURTHER
from experiments.training.bars import Bar
from experiments.training.updates import PLANS


def _bar(
    what: str,
    update: str,
    cut: float,
    gain: float | Mapping[str, float] = 0.0,
    *,
    of: Sequence[str] = (),
    setting: float | str | None = None,
) -> Bar:
    return Bar(
        what=what,
        update=PLANS[update].update.title,
        treatments=of or (what,),
        cut=cut,
        gains=gain if isinstance(gain, Mapping) else {"example": gain},
        setting=setting,
    )


_ARCHITECTURE = ("architecture", "tfidf")
_ONE_MODEL = (
    "warm start",
    "soup of 4 warm starts",
    "bcwi",
    "fisher-bcwi",
    "warm start + distillation",
)
_DISTILLED = (
    "distillation",
    "conditional distillation",
    "focal distillation",
    "focal, out-of-fold gate",
    "warm start + distillation",
    "logit-difference inhibition",
)
_ADDED = {EVERY: -0.001, FURTHER: -0.006}
_ADDED_ONE = {EVERY: -0.002, FURTHER: -0.004}

BARS = (
    *(
        _bar("mix", update, 0.45, -0.002, setting=0.5)
        for update in ("seed", "data", *_ARCHITECTURE)
    ),
    _bar("mix", "seed", 0.35),
    *(_bar("mix", update, 0.4) for update in _ARCHITECTURE),
    *(_bar("warm start", update, 0.25, -0.003) for update in ("seed", "data")),
    *(
        _bar("soup of 4 warm starts", update, 0.4, -0.003)
        for update in ("seed", "data")
    ),
    *(_bar("bcwi", update, 0.5, -0.006) for update in ("seed", "data")),
    _bar("ensembles of 5 → 5", "seed", 0.5),
    _bar("ELODI, both sides", "seed", 0.35, -0.003),
    *(
        _bar("one served model", update, 0.4, of=_ONE_MODEL)
        for update in ("seed", "data")
    ),
    _bar("distillation family", "data", 0.25, -0.005, of=_DISTILLED),
    _bar("two models", "classes", 0.3, _ADDED, of=("mix", "mix within OLD's labels")),
    _bar(
        "one model",
        "classes",
        0.18,
        _ADDED_ONE,
        of=("warm start + distillation", "margin-preserving"),
    ),
)
"""Each kind of mitigation, on each kind of update that it was demanded for."""
