"""Where the experiments on training keep their work."""

from pathlib import Path

from experiments.updates.places import work_folder

HERE = Path(__file__).parent
WORK = work_folder("training").resolve()
"""Suites, models, mitigated models and grades; nothing there is made again."""

MODELS = WORK / "models"
CACHE = WORK / "cache"
"""Stored answers, as `--cache-dir` takes it."""
