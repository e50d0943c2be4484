"""The head of a safetensors file, read without reading its tensors.

The format: eight bytes with the length of a JSON object, little-endian; that
object, tensor name to `dtype`, `shape` and `data_offsets`; then the tensors.
https://github.com/huggingface/safetensors#format
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compat_eval.core.errors import ModelError
from compat_eval.core.files import parse_json

_PREFIX = 8
_LONGEST_HEADER = 100_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorsHeader:
    """What a safetensors file holds.

    Attributes:
        shapes: Shape of each tensor, by name.
        dtypes: The distinct types, such as `F32`.

    """

    shapes: Mapping[str, tuple[int, ...]]
    dtypes: frozenset[str]

    @property
    def n_parameters(self) -> int:
        """How many numbers the tensors hold in all."""
        return sum(math.prod(shape) for shape in self.shapes.values())


def read_header(path: Path) -> TensorsHeader:
    """Read and check the head of a safetensors file.

    Raises:
        ModelError: The file is no safetensors file, or was cut short.

    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_PREFIX), "little")
        if not 0 < length <= min(_LONGEST_HEADER, size - _PREFIX):
            raise _damaged(path, f"its header cannot be found in {size} bytes")
        fields = _fields(path, file.read(length))
    data = max((f["data_offsets"][1] for f in fields.values()), default=0)
    end = _PREFIX + length + data
    if size != end:
        raise _damaged(path, f"its header promises {end} bytes, and it has {size}")
    return TensorsHeader(
        shapes={name: tuple(f["shape"]) for name, f in fields.items()},
        dtypes=frozenset(f["dtype"] for f in fields.values()),
    )


def _fields(path: Path, text: bytes) -> dict[str, Any]:
    try:
        fields = parse_json(text)
        fields.pop("__metadata__", None)
        for tensor in fields.values():
            _ = tensor["dtype"], tuple(tensor["shape"]), int(tensor["data_offsets"][1])
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise _damaged(path, f"its header cannot be read ({error})") from error
    return dict(fields)


def _damaged(path: Path, why: str) -> ModelError:
    return ModelError(
        f"{path}: not a whole safetensors file: {why}. Copy or download it again."
    )
