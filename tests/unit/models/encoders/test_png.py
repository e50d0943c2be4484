"""PNG images that are written in other ways are read as the same pixels."""

import struct
import zlib

import numpy as np
import pytest

from compat_eval.core.errors import DataError
from compat_eval.models.encoders.png import is_plain_png, read_png
from tests.media import png

RNG = np.random.default_rng(0)
LINES = RNG.integers(0, 256, (5, 12), np.uint8)


@pytest.mark.parametrize("filtered", range(5))
def test_every_filter_is_undone(filtered: int) -> None:
    found = read_png(png(LINES, filtered=filtered), most_pixels=1000)

    assert found.shape == (5, 12, 1)
    assert np.array_equal(found[..., 0], LINES)


def test_colours_of_neighbours_are_apart() -> None:
    found = read_png(png(LINES, colour=2, filtered=4), most_pixels=1000)

    assert np.array_equal(found, LINES.reshape(5, 4, 3))


def test_one_bit_a_pixel_is_black_and_white() -> None:
    lines = np.array([[0b10100000]], np.uint8)

    found = read_png(png(lines, depth=1), most_pixels=1000)

    assert found[0, :, 0].tolist() == [255, 0, 255, 0, 0, 0, 0, 0]


def test_a_palette_names_colours() -> None:
    found = read_png(png(np.array([[2, 0]], np.uint8), colour=3), most_pixels=10)

    assert found.tolist() == [[[6, 7, 8], [0, 1, 2]]]


def test_what_is_transparent_lies_on_white() -> None:
    lines = np.array([[10, 255, 10, 0]], np.uint8)  # grey and alpha, twice

    assert read_png(png(lines, colour=4), most_pixels=10)[0, :, 0].tolist() == [10, 255]


def test_sixteen_bits_a_sample_are_scaled() -> None:
    lines = np.array([[255, 255, 0, 0]], np.uint8)

    found = read_png(png(lines, depth=16), most_pixels=10)

    assert found[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize("cut", [20, 40, 60, -30])
def test_damaged_images_are_told(cut: int) -> None:
    with pytest.raises(DataError):
        read_png(png(LINES)[:cut], most_pixels=1000)


def test_pixels_that_break_the_checksum_are_told() -> None:
    header = struct.pack(">IIBBBBB", 4, 1, 8, 0, 0, 0, 0)
    packed = bytearray(zlib.compress(bytes(5)))
    packed[-1] ^= 1
    body = struct.pack(">I", 13) + b"IHDR" + header + bytes(4)
    body += struct.pack(">I", len(packed)) + b"IDAT" + packed + bytes(4)

    with pytest.raises(DataError, match="damaged"):
        read_png(b"\x89PNG\r\n\x1a\n" + body, most_pixels=10)


def test_an_image_that_unpacks_to_absurdly_much_is_refused() -> None:
    header = struct.pack(">IIBBBBB", 2**16, 2**16, 8, 0, 0, 0, 0)
    body = struct.pack(">I", 13) + b"IHDR" + header + bytes(4)
    data = zlib.compress(bytes(1000))
    body += struct.pack(">I", len(data)) + b"IDAT" + data + bytes(4)

    with pytest.raises(DataError, match="refused"):
        read_png(b"\x89PNG\r\n\x1a\n" + body, most_pixels=2**24)


def test_interlaced_images_are_not_read_here() -> None:
    content = bytearray(png(LINES))
    content[28] = 1

    assert is_plain_png(png(LINES))
    assert not is_plain_png(bytes(content))
