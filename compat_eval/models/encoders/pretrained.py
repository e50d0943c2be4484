"""Pretrained encoders and tokenizers of transformers, read from their directories."""

from pathlib import Path
from typing import Any

from compat_eval.core.errors import ModelError
from compat_eval.core.text import words_of
from compat_eval.models.packages import package, quiet_transformers


def read_encoder(directory: Path, auto: Any, **options: Any) -> Any:  # noqa: ANN401
    """Read a pretrained encoder.

    Args:
        directory: Where it is.
        auto: Class of transformers that reads it.
        options: Of that class.

    Raises:
        ModelError: There is none.

    """
    torch = package("torch")
    if not (directory / "config.json").is_file():
        raise ModelError(
            f"{directory}: no config.json; --encoder names the directory of a "
            "pretrained encoder of transformers"
        )
    try:
        with quiet_transformers():
            return auto.from_pretrained(
                directory,
                dtype=torch.float32,
                use_safetensors=True,
                local_files_only=True,
                **options,
            )
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"{directory}: cannot be read as a pretrained encoder: {error}"
        ) from error


def load_tokenizer(directory: Path, reference: str, *, trust_code: bool = False) -> Any:  # noqa: ANN401
    """Read the tokenizer beside a model, running code that comes with it if trusted.

    Raises:
        ModelError: It is damaged.
        MissingPackageError: transformers is not installed.

    """
    transformers = package("transformers")
    try:
        return transformers.AutoTokenizer.from_pretrained(
            directory, trust_remote_code=trust_code, local_files_only=True
        )
    except Exception as error:  # whatever a damaged file provokes
        raise ModelError(
            f"{reference}: the tokenizer in {directory} cannot be read: "
            f"{words_of(error)}"
        ) from error
