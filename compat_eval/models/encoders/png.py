"""PNG images as arrays: enough of the format for images as data sets have them.

W3C, "Portable Network Graphics Specification", third edition,
https://www.w3.org/TR/png-3/. Interlaced images are left to Pillow.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from compat_eval.core.errors import DataError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Numbers a pixel, by colour type: grey, RGB, palette, grey and RGB with alpha."""
_GREY, _PALETTE = (0, 4), 3
_DEPTHS = (1, 2, 4, 8, 16)

Pixels = npt.NDArray[np.uint8]


def is_plain_png(content: bytes) -> bool:
    """Whether these are the bytes of a PNG image that is not interlaced."""
    return content.startswith(_SIGNATURE) and content[28:29] == b"\0"


def read_png(content: bytes, *, most_pixels: int) -> Pixels:
    """Return an image's pixels, shape (height, width, 1 or 3); alpha lies on white.

    Raises:
        DataError: The bytes are damaged, or of an image with more pixels.

    """
    chunks: dict[bytes, bytes] = {}
    for kind, data in _chunks(content):
        chunks[kind] = chunks.get(kind, b"") + data
    try:
        width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
        n_channels = _CHANNELS[colour]
        if not 0 < width * height <= most_pixels or depth not in _DEPTHS:
            raise DataError(f"a PNG image of {width} × {height} pixels is refused")
        n_bytes = (width * n_channels * depth + 7) // 8
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(chunks[b"IDAT"], height * (n_bytes + 1))
        unpacker.decompress(unpacker.unconsumed_tail, 1)  # reads the checksum
    except (KeyError, struct.error, zlib.error) as error:
        raise DataError(f"a damaged PNG image: {error!r}") from error
    if len(raw) < height * (n_bytes + 1) or not unpacker.eof:
        raise DataError("a damaged PNG image: it is cut off")
    lines = np.frombuffer(raw, np.uint8).reshape(height, n_bytes + 1)
    step = max(1, n_channels * depth // 8)
    samples = _samples(_unfiltered(lines, step), width * n_channels, depth)
    image = samples.reshape(height, width, n_channels)
    if colour == _PALETTE:
        return _coloured(image[..., 0], chunks.get(b"PLTE", b""))
    return _opaque(_scaled(image, depth), grey=colour in _GREY)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[at : at + 8])
        yield kind, content[at + 8 : at + 8 + size]
        at += size + 12


def _unfiltered(lines: Pixels, step: int) -> Pixels:
    """Undo the filter of each line (sections 9.2 to 9.4)."""
    above = np.zeros(lines.shape[1] - 1, np.uint8)
    found = np.empty((len(lines), lines.shape[1] - 1), np.uint8)
    for row, line in enumerate(lines):
        kind, filtered = int(line[0]), line[1:]
        if kind == 0:
            found[row] = filtered
        elif kind == 2:  # noqa: PLR2004 - the number of a filter
            found[row] = filtered + above
        else:
            found[row] = _by_bytes(kind, filtered.tolist(), above.tolist(), step)
        above = found[row]
    return found


def _by_bytes(kind: int, line: list[int], above: list[int], step: int) -> list[int]:
    if kind not in (1, 3, 4):
        raise DataError(f"a damaged PNG image: there is no filter {kind}")
    found: list[int] = []
    for at, byte in enumerate(line):
        left = found[at - step] if at >= step else 0
        if kind == 1:
            guess = left
        elif kind == 3:  # noqa: PLR2004
            guess = (left + above[at]) // 2
        else:
            guess = _paeth(left, above[at], above[at - step] if at >= step else 0)
        found.append((byte + guess) & 255)
    return found


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    apart = (abs(guess - left), abs(guess - above), abs(guess - corner))
    return (left, above, corner)[apart.index(min(apart))]


def _samples(lines: Pixels, n_samples: int, depth: int) -> npt.NDArray[np.uint16]:
    """Return the numbers of each line, `depth` bits each."""
    if depth == 16:  # noqa: PLR2004 - bits
        pairs = lines.reshape(len(lines), -1, 2).astype(np.uint16)
        return np.asarray(pairs[..., 0] * 256 + pairs[..., 1], np.uint16)
    if depth == 8:  # noqa: PLR2004
        return lines.astype(np.uint16)
    bits = np.unpackbits(lines, axis=1)[:, : n_samples * depth]
    places = 1 << np.arange(depth)[::-1]
    grouped = bits.reshape(len(lines), n_samples, depth)
    return np.asarray((grouped * places).sum(axis=-1), np.uint16)


def _scaled(image: npt.NDArray[np.uint16], depth: int) -> Pixels:
    largest = (1 << depth) - 1
    return np.asarray(
        (image.astype(np.uint32) * 255 + largest // 2) // largest, np.uint8
    )


def _coloured(image: npt.NDArray[np.uint16], palette: bytes) -> Pixels:
    colours = np.frombuffer(palette[: len(palette) // 3 * 3], np.uint8).reshape(-1, 3)
    if not len(colours) or int(image.max()) >= len(colours):
        raise DataError("a damaged PNG image: its palette lacks a colour")
    return np.asarray(colours[image], np.uint8)


def _opaque(image: Pixels, *, grey: bool) -> Pixels:
    n_colours = 1 if grey else 3
    if image.shape[-1] == n_colours:
        return image
    alpha = image[..., n_colours:].astype(np.uint32)
    mixed = image[..., :n_colours] * alpha + 255 * (255 - alpha)
    return np.asarray((mixed + 127) // 255, np.uint8)
