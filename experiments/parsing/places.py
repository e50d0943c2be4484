"""Where the experiments find their data and keep their work."""

import os
from pathlib import Path

from compat_eval.core.examples import Examples
from compat_eval.tasks.conllu import read_conllu
from compat_eval.tasks.dependency_table import examples_of

HERE = Path(__file__).parent
WORK = Path(".work/parsing")
"""Models and candidates; git ignores it, and every step found there is not repeated."""


def treebank(split: str) -> Examples:
    """Return UD English EWT's `train`, `dev` or `test` sentences."""
    root = Path(os.environ.get("COMPAT_EVAL_DATA", "../shared/data"))
    return examples_of(
        read_conllu(root / "ud_english_ewt" / f"en_ewt-ud-{split}.conllu")
    )
