"""Reads a .safetensors file: eight bytes of length, a JSON header of that length, then raw little-endian numbers.

Format: huggingface/safetensors, README "Format". Nothing in such a file can run; what is not as the header says is refused.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_LONGEST_HEADER = 100_000_000  # the format's own limit
_KINDS = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "BF16": "<u2",
    "I64": "<i8",
    "I32": "<i4",
    "U8": "|u1",
    "BOOL": "|b1",
}


def read_tensors(path: Path) -> dict[str, Floats]:
    """Return name -> numbers, as 32-bit floats. Raises ValueError when the file is none of this format, OSError as reading does."""
    whole = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(whole[:8].tobytes(), "little") if len(whole) >= 8 else _LONGEST_HEADER
    if length >= min(len(whole), _LONGEST_HEADER):
        raise ValueError(f"{path.name}: expected a safetensors file, got a header longer than the file.")
    try:
        header: dict[str, Any] = json.loads(whole[8 : 8 + length].tobytes())
    except ValueError:
        raise ValueError(f"{path.name}: expected a safetensors file, got no JSON header.") from None
    numbers = whole[8 + length :]
    return {name: _tensor(name, told, numbers) for name, told in header.items() if name != "__metadata__"}


def _tensor(name: str, told: Any, numbers: NDArray[np.uint8]) -> Floats:
    try:
        kind, shape, (begin, end) = told["dtype"], tuple(told["shape"]), told["data_offsets"]
        raw = np.frombuffer(numbers[begin:end], _KINDS[kind]).reshape(shape)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"tensor {name}: expected a known kind, and bytes that fill its shape; got {told}.") from error
    if kind == "BF16":  # the upper half of a 32-bit float
        return (raw.astype(np.uint32) << 16).view(np.float32)
    return raw.astype(np.float32, copy=False)
