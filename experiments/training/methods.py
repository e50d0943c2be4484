"""What is tried: each method with its settings, as `--mitigate` takes it.

Settings of one method stand under one name, and dev chooses among them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from experiments.training.answering import Made, plain

_ALLOW = "overlap=allow"
"""2 of CLINC150's 4,500 test queries in scope are training queries, too. All models of
an update learn from the same queries, and so must those that recipes train."""

WEIGHTS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
SOUP = 4
"""Warm starts in a soup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An old and a new model, and the other new ones of the update.

    Attributes:
        old: Production.
        new: What would replace it.
        others: Other new models, of other random seeds.
        old_others: Other old models, likewise.
        seed: Random seed of NEW.

    """

    old: Made
    new: Made
    others: tuple[Made, ...]
    old_others: tuple[Made, ...]
    seed: int

    def under(
        self,
        method: str,
        *,
        new: Made | None = None,
        further: Sequence[tuple[str, Made]] = (),
    ) -> Made:
        """Return OLD and NEW (or another in its place) under a method."""
        return Made(
            method=method, old=self.old, new=new or self.new, further=tuple(further)
        )

    def warm(self, further: int = 0) -> Made:
        """Return NEW trained from OLD's weights on, with its seed or a further one."""
        seed = f",train_seed={self.seed + 100 * further}" if further else ""
        return self.under(f"warm-start:{_ALLOW}{seed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method with one setting.

    Attributes:
        name: What its settings stand under.
        text: How a user asks for it, as `--mitigate` takes it.
        make: Returns the model that it makes of a pair.
        setting: What tells this setting from others; `None` where it is the only one.
        delta: How much accuracy a setting may lose on dev and still be chosen.
        make_old: Returns what stands in OLD's place, where something else does.

    """

    name: str
    text: str
    make: Callable[[Pair], Made]
    setting: float | str | None = None
    delta: float = 0.0
    make_old: Callable[[Pair], Made] | None = None


RETRAINED_DELTA = 0.005
"""For models that are trained anew: their answers differ by chance in both directions,
and no interval of this width lies above 0."""


def combined(
    name: str, texts: Sequence[tuple[float | str | None, str]]
) -> list[Method]:
    """Return a combination of OLD and NEW with its settings."""
    return [
        Method(name=name, text=text, setting=setting, make=_under(text))
        for setting, text in texts
    ]


def recipe(name: str, *texts: str) -> list[Method]:
    """Return a recipe with its settings; each is told by what it sets."""
    only = len(texts) == 1
    return [
        Method(
            name=name,
            text=allowing(text),
            setting=None if only else text.partition(":")[2],
            delta=RETRAINED_DELTA,
            make=_under(allowing(text)),
        )
        for text in texts
    ]


def allowing(text: str) -> str:
    """Return a recipe that learns from all training examples."""
    return f"{text}{',' if ':' in text else ':'}{_ALLOW}"


def mix() -> list[Method]:
    return combined("mix", [(w, f"mix:weight={w}") for w in WEIGHTS])


def ensemble() -> list[Method]:
    """Return NEW with its other seeds as one."""
    return [
        Method(
            name="ensemble of NEW",
            text="ensemble:with=…",
            make=lambda pair: pair.under(
                "ensemble", further=[("with", one) for one in pair.others]
            ),
        )
    ]


def interpolated() -> list[Method]:
    """Return OLD's weights averaged with those of NEW that began from them."""
    return [
        Method(
            name="bcwi",
            text=f"bcwi:weight={weight} of warm-start:{_ALLOW}",
            setting=weight,
            delta=RETRAINED_DELTA,
            make=_on_warm(f"bcwi:weight={weight}"),
        )
        for weight in WEIGHTS
    ]


def fisher_interpolated() -> list[Method]:
    """Return the same with each weight's share by OLD's Fisher information."""
    return [
        Method(
            name="fisher-bcwi",
            text=f"fisher-bcwi:weight={weight} of warm-start:{_ALLOW}",
            setting=weight,
            delta=RETRAINED_DELTA,
            make=_on_warm(f"fisher-bcwi:weight={weight}"),
        )
        for weight in (0.3, 0.5, 0.7, 0.9)
    ]


def at_half() -> list[Method]:
    """Return mixing and interpolation with a fixed weight, for every update of a chain.

    Then OLD is what the last update made.
    """
    weights = (0.3, 0.5)
    made = combined("mix", [(w, f"mix:weight={w}") for w in weights])
    return made + [one for one in interpolated() if one.setting in weights]


def soup() -> list[Method]:
    """Return the average weights of several models that began from OLD's."""
    return [
        Method(
            name=f"soup of {SOUP} warm starts",
            text=f"soup:with=… of warm-start:{_ALLOW}",
            make=lambda pair: pair.under(
                "soup",
                new=pair.warm(),
                further=[("with", pair.warm(at)) for at in range(1, SOUP)],
            ),
        )
    ]


def _under(text: str) -> Callable[[Pair], Made]:
    return lambda pair: pair.under(text)


def _on_warm(text: str) -> Callable[[Pair], Made]:
    return lambda pair: pair.under(text, new=pair.warm())


def pairs_of(old: Sequence[str], new: Sequence[str]) -> list[Pair]:
    """Return each old model with its new one."""
    return [
        Pair(
            old=plain(one),
            new=plain(other),
            others=_others(other, new),
            old_others=_others(one, old),
            seed=int(other.rpartition("-")[2]),
        )
        for one, other in zip(old, new, strict=True)
    ]


def _others(name: str, names: Sequence[str]) -> tuple[Made, ...]:
    """Return the other models of a version, each once."""
    return tuple(plain(one) for one in dict.fromkeys(names) if one != name)


def _elodi(text: str, one: Made, others: Sequence[Made]) -> Made:
    """Return a model trained towards itself and others of its kind."""
    return Made(
        method=allowing(text),
        old=one,
        new=one,
        further=tuple(("with", other) for other in others),
    )


CALIBRATED = combined(
    "mix, OLD calibrated",
    [(w, f"mix:weight={w},old_temperature=dev") for w in (0.3, 0.5)],
)
WITHIN = combined(
    "mix within OLD's labels",
    [(w, f"mix:weight={w},offset=dev") for w in (0.3, 0.4, 0.5, 0.6, 0.7)],
)
"""With an offset of the labels that only NEW has, by accuracy on dev."""

GATED = combined(
    "gated fusion", [(t, f"gated:tilt={t}") for t in (-1.0, 0.0, 1.0, 2.0)]
)
ROUTE = combined("route by NEW's answer", [(None, "route")])

WARM = recipe("warm start", "warm-start")
KD = recipe(
    "distillation",
    "soft-distill:where=everywhere,alpha=0.5,temperature=2",
    "soft-distill:where=everywhere,alpha=0.9,temperature=2",
)
_WARM_KD = [
    f"soft-distill:where=everywhere,alpha={share},temperature=2,start=old"
    for share in (0.2, 0.5, 0.9)
]
WARM_KD = recipe("warm start + distillation", *_WARM_KD[1:])
WARM_KD_OVER_ALL = recipe(
    "warm start + distillation",
    *_WARM_KD[1:],
    *(f"{one},over=all" for one in _WARM_KD),
)
KD_OVER_ALL = recipe(
    "distillation",
    "soft-distill:where=everywhere,alpha=0.5,temperature=2,over=all",
)
"""For added classes: OLD also teaches that these are improbable on what it knows."""

FOCAL_DEFAULTS = [
    *recipe("focal KL, the paper's settings", "focal:distance=kl"),
    *recipe("focal LM, the paper's settings", "focal:distance=lm"),
]
FOCAL = recipe("focal distillation", "focal:distance=kl,alpha=1,beta=5,temperature=2")
HELD_OUT = recipe(
    "focal, out-of-fold gate",
    "focal:distance=kl,alpha=1,beta=5,temperature=2,gate=out-of-fold",
)
UNGATED = recipe(
    "focal, the same weight everywhere",
    "focal:distance=kl,alpha=6,beta=0,temperature=2",
)
"""Distillation at the mean weight of the gated ones where OLD is always right."""

FURTHER = [
    *recipe("naive", "naive"),
    *recipe("LDI", *(f"ldi:share={share}" for share in (0.3, 0.5, 0.7))),
    *recipe("new error", "new-error"),
    *recipe("strict imitation", "strict-imitation"),
    *combined("cost ratio", [(r, f"cost-ratio:ratio={r}") for r in (2, 10)]),
]

MARGIN = recipe(
    "margin-preserving",
    *(f"margin:bias={bias}" for bias in (0.25, 0.5, 1, 2, 4)),
    *(f"margin:bias={bias},start=new" for bias in (0.25, 0.5, 1)),
)
OFFSET = combined(
    "offset of new classes", [(b, f"offset:bias={b}") for b in (0.25, 0.5, 1, 2, 4)]
)
"""The twin of margin-preserving training, without training."""
ELODI = [
    Method(
        name="ELODI, both sides",
        text=f"{text},with=…,{_ALLOW}",
        setting=text.partition(":")[2],
        delta=RETRAINED_DELTA,
        make=partial(lambda text, pair: _elodi(text, pair.new, pair.others), text),
        make_old=partial(
            lambda text, pair: _elodi(text, pair.old, pair.old_others), text
        ),
    )
    for text in (
        "elodi:teacher=new",
        "elodi:teacher=new,share=0.5",
        "elodi:teacher=new,start=new",
        "elodi:teacher=new,start=new,share=0.95",
        "elodi:teacher=new,start=new,exclude_true=false",
    )
]
"""In the paper OLD and NEW each learn from an ensemble of their own kind."""
