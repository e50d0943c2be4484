"""What was asked of each figure before it was measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bar:
    """The least ratio that a row must have.

    Attributes:
        ratio: Ours to the other, as in the row; above 1 is faster or smaller.
        text: The demand in words.

    """

    ratio: float
    text: str


HELP = "start-up, --help, s: against lm-eval --help"
HELP_LIMIT = "start-up, --help, s: against the asked 0.25 s"
SMALL = "compare 10 k rows, s: against the asked 1.5 s"
LARGE = "compare 1 M rows, s: against the asked 8 s"
LARGE_MEMORY = "compare 1 M rows, peak bytes: against the asked 1.2 GB"
LINEAR = "compare 1 M rows, s: against ten times 100 k rows"
STATISTICS_SMALL = "statistics' share of 10 k rows: against the asked 5 %"
STATISTICS_LARGE = "statistics' share of 1 M rows: against the asked 5 %"
PAGE_SIZE = "report of 10 k rows with 1 k flips, bytes: against the asked 2 MB"
WARM_SKLEARN = "re-run from the cache, scikit-learn models, s: against the asked 2 s"
WARM_HF = "re-run from the cache, MiniLM classifiers, s: against the asked 2 s"
LOG_SECONDS = "samples of lm-eval, 100 MB, processor s: against the asked 3 s"
LOG_MEMORY = "samples of lm-eval, 100 MB, peak bytes: against the asked 600 MB"

BARS = {
    HELP: Bar(1.0, "not slower"),
    HELP_LIMIT: Bar(1.0, "≤ 0.25 s"),
    SMALL: Bar(1.0, "≤ 1.5 s"),
    LARGE: Bar(1.0, "≤ 8 s"),
    LARGE_MEMORY: Bar(1.0, "≤ 1.2 GB"),
    LINEAR: Bar(0.9, "linear: at most a tenth above proportion"),
    STATISTICS_SMALL: Bar(1.0, "< 5 %"),
    STATISTICS_LARGE: Bar(1.0, "< 5 %"),
    PAGE_SIZE: Bar(1.0, "≤ 2 MB"),
    WARM_SKLEARN: Bar(1.0, "≤ 2 s"),
    WARM_HF: Bar(1.0, "≤ 2 s"),
}
"""By the row's name."""

BARS_BY_BEGINNING = {
    LOG_SECONDS: Bar(1.0, "≤ 3 s"),
    LOG_MEMORY: Bar(1.0, "≤ 600 MB"),
    "HF classification, texts/s, 2 threads: against a bare length-sorted": Bar(
        0.95, "≥ 0.95 ×"
    ),
    "HF classification, texts/s, 2 threads: against transformers.pipeline": Bar(
        2.0, "≥ 2 ×"
    ),
    "LM scoring, tokens/s": Bar(1.5, "≥ 1.5 ×"),
    "training step, fine-tuned encoder, processor ms: against plain": Bar(
        1 / 1.05, "at most 5 % more"
    ),
    "training step, head, processor ms: against plain": Bar(
        1 / 1.05, "at most 5 % more"
    ),
    "parsers, joint decoding,": Bar(1.0, "≤ 2.2 decodes"),
    "parsers, exact 10 best,": Bar(1.0, "≤ 3.5 decodes"),
    "parsers, dropout-p, shared encoder,": Bar(1.0, "≤ 8 decodes"),
    "parsers, dropout-p,": Bar(1.0, "≤ 13 decodes"),
    "parsers, OLD scores 10 candidates,": Bar(1.0, "≤ 1.2 decodes"),
    "parsers, share outside": Bar(1.0, "≤ 5 %"),
}
"""By how the row's name begins."""


def bar_of(name: str) -> Bar | None:
    """Return what was asked of a row; `None` where nothing was."""
    if name in BARS:
        return BARS[name]
    for beginning, bar in BARS_BY_BEGINNING.items():
        if name.startswith(beginning):
            return bar
    return None
