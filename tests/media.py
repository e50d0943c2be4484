"""Small images and recordings, written by the standard library alone."""

import io
import struct
import wave
import zlib

import numpy as np
import numpy.typing as npt

from compat_eval.core.media import Media

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_Bytes = npt.NDArray[np.uint8]


def png(lines: _Bytes, *, colour: int = 0, depth: int = 8, filtered: int = 0) -> bytes:
    """Return a PNG image of lines of bytes, all with one filter."""
    height, n_bytes = lines.shape
    step = _CHANNELS[colour] * depth // 8 or 1
    width = n_bytes * 8 // depth // _CHANNELS[colour]
    raw = b""
    for row in range(height):
        line = lines[row].astype(int)
        above = lines[row - 1].astype(int) if row else np.zeros(n_bytes, int)
        left = np.concatenate([np.zeros(step, int), line[:-step]])
        guess = {0: 0 * line, 1: left, 2: above, 3: (left + above) // 2}
        if filtered == 4:
            corner = np.concatenate([np.zeros(step, int), above[:-step]])
            first = left + above - corner
            apart = np.abs(np.stack([first - left, first - above, first - corner]))
            chosen = np.argmin(apart, axis=0)
            guess[4] = np.choose(chosen, [left, above, corner])
        raw += (
            bytes([filtered]) + ((line - guess[filtered]) % 256).astype("u1").tobytes()
        )
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    palette = [(b"PLTE", bytes(range(30)))] if colour == 3 else []
    parts = [(b"IHDR", header), *palette, (b"IDAT", zlib.compress(raw)), (b"IEND", b"")]
    body = b""
    for kind, data in parts:
        body += struct.pack(">I", len(data)) + kind + data
        body += struct.pack(">I", zlib.crc32(kind + data))
    return b"\x89PNG\r\n\x1a\n" + body


def wav(samples: npt.NDArray[np.float64], *, rate: int = 8000, size: int = 2) -> bytes:
    """Return a WAV recording of samples in [−1, 1)."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(size)
        out.setframerate(rate)
        if size == 1:
            out.writeframes((samples * 127 + 128).astype("u1").tobytes())
        else:
            out.writeframes((samples * 32767).astype("<i2").tobytes())
    return file.getvalue()


def image_uri(grey: int, name: str = "", side: int = 8) -> str:
    """Return an image that is all one grey."""
    content = png(np.full((side, side), grey, np.uint8))
    return Media(mime="image/png", name=name, content=content).uri


def tone_uri(hertz: float, name: str = "", seconds: float = 0.2) -> str:
    """Return a recording of one tone."""
    at = np.arange(int(8000 * seconds)) / 8000
    content = wav(0.5 * np.sin(2 * np.pi * hertz * at))
    return Media(mime="audio/wav", name=name, content=content).uri
