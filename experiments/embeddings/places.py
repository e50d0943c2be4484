"""Where the experiments on embeddings keep their work."""

from pathlib import Path

from experiments.updates.places import work_folder

HERE = Path(__file__).parent
WORK = work_folder("embeddings").resolve()
"""Models, vectors and measured rows; nothing there is made again."""
