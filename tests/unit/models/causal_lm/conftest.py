"""Tiny causal language models."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.models.causal_toys import save_causal


@pytest.fixture(scope="session")
def causal(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Save a random decoder; the same seed gives the same weights."""
    pytest.importorskip("torch")
    pytest.importorskip("transformers")

    def make(seed: int = 0, **options: Any) -> Path:
        return save_causal(tmp_path_factory.mktemp("causal"), seed, **options)

    return make
