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


_ONE_MODEL = (
    "warm start",
    "soup of 4 warm starts",
    "bcwi",
    "warm start + distillation",
)
_DISTILLED = (
    "distillation",
    "focal distillation",
    "focal, out-of-fold gate",
    "focal, the same weight everywhere",
    "warm start + distillation",
)
_ADDED = {EVERY: -0.001, FURTHER: -0.006}
_ADDED_ONE = {EVERY: -0.002, FURTHER: -0.004}

BARS = (
    *(
        _bar("mix", update, 0.45, -0.002, setting=0.5)
        for update in ("seed", "tuned", "data", "architecture")
    ),
    _bar("mix", "seed", 0.35),
    _bar("mix", "architecture", 0.4),
    *(_bar("warm start", update, 0.25, -0.003) for update in ("seed", "data")),
    _bar("soup of 4 warm starts", "seed", 0.4, -0.003),
    *(_bar("bcwi", update, 0.5, -0.006, setting=0.5) for update in ("seed", "data")),
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
    *(
        _bar(
            f"{name} at every update",
            f"{chain}-{version}",
            cut,
            -0.005,
            of=(name,),
            setting=0.5,
        )
        for chain in ("chain", "hwu-chain")
        for name in ("mix", "bcwi")
        for version, cut in (("v1", 0.3), ("v2", 0.35))
    ),
)
"""Each kind of mitigation, on each kind of update that it was demanded for."""
