"""What networks read of images and recordings: arrays of one shape.

Images are brought to a square by averaging areas. Recordings become the logarithm of
mel-scaled power spectra, evened out by recording, so that loudness does not count, and
0 beyond their end. Nothing that a file holds is run.
"""

import io
import wave
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from compat_eval.core.arrays import Values
from compat_eval.core.errors import CapabilityError, DataError
from compat_eval.core.fingerprint import digest, library_versions
from compat_eval.core.media import Media, is_media, read_media
from compat_eval.models.encoders.png import Pixels, is_plain_png, read_png
from compat_eval.models.packages import package

_MOST_PIXELS = 2**24
_MOST_SAMPLE_BYTES = 4
_RATES = (100, 1_000_000)
"""Least and most samples a second; resampling from others would fill the memory."""
_FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_LUMA = (0.299, 0.587, 0.114)
"""ITU-R BT.601."""

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One image or recording as an array.

    Attributes:
        array: Shape as `MediaFeatures.shape`; zeros where there is an error.
        truncated: Whether a recording was longer than what is read.
        error: Why the input cannot be read; `None` where it can.

    """

    array: Floats
    truncated: bool = False
    error: str | None = None

    def __len__(self) -> int:
        return 1


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFeatures:
    """How inputs become arrays: also a model that embeds them (`Embeds`).

    Attributes:
        kind: `pixels` of images, or `log-mel` of recordings.
        size: Pixels on a side.
        colour: Whether colours are read; otherwise grey.
        rate: Samples a second to which recordings are brought.
        n_mels: Bands of the spectrum.
        n_frames: Steps in time that are read.
        hop: Samples from one step to the next; a spectrum is of twice as many.

    """

    kind: Literal["pixels", "log-mel"]
    size: int = 28
    colour: bool = False
    rate: int = 8000
    n_mels: int = 32
    n_frames: int = 64
    hop: int = 128

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of an array."""
        if self.kind == "pixels":
            return 3 if self.colour else 1, self.size, self.size
        return 1, self.n_mels, self.n_frames

    def encode(self, inputs: Sequence[Any]) -> list[MediaItem]:
        """Return one item an input: a data URI of an image, or of a recording."""
        return [self._item(given) for given in inputs]

    def embed(self, items: Sequence[MediaItem]) -> Values:
        """Return the numbers of each array in a row; nan for items in error."""
        rows = np.array([item.array.ravel() for item in items], np.float64)
        rows = rows.reshape(len(items), int(np.prod(self.shape)))
        rows[[item.error is not None for item in items]] = np.nan
        return rows

    def predict(self, items: Sequence[MediaItem]) -> pa.Table:
        """Refuse: there are arrays and no answers.

        Raises:
            CapabilityError: Always.

        """
        raise CapabilityError("features of images and recordings are no answers")

    def config(self) -> dict[str, Any]:
        """Return all of it, JSON-ready."""
        return asdict(self)

    def _item(self, given: object) -> MediaItem:
        found = np.zeros(self.shape, np.float32)
        wanted = "an image" if self.kind == "pixels" else "a recording"
        if not is_media(given):
            return MediaItem(found, error=f"the input must be {wanted} (a data URI)")
        try:
            media = read_media(str(given))
            if self.kind == "pixels":
                return MediaItem(self._pixels(pixels_of(media)))
            spectrum = self._log_mel(samples_of(media, self.rate))
        except DataError as error:
            return MediaItem(found, error=str(error))
        kept = spectrum[:, : self.n_frames]
        found[0, :, : kept.shape[1]] = kept
        return MediaItem(found, truncated=spectrum.shape[1] > self.n_frames)

    def _pixels(self, image: Pixels) -> Floats:
        plane = image.astype(np.float64) / 255
        if self.colour:
            plane = np.broadcast_to(plane, (*plane.shape[:2], 3))
        elif plane.shape[-1] == 3:  # noqa: PLR2004 - red, green, blue
            plane = plane @ np.array(_LUMA)[:, None]
        down = _averaging(plane.shape[0], self.size)
        across = _averaging(plane.shape[1], self.size)
        found = np.einsum("ih,hwc,jw->cij", down, plane, across)
        return np.asarray(found, np.float32)

    def _log_mel(self, samples: Values) -> Floats:
        """Return log power by band and time, mean 0 and variance 1 by recording."""
        width = 2 * self.hop
        n_frames = max(1, 1 + (len(samples) - width) // self.hop)
        padded = np.pad(samples, (0, max(0, width - len(samples))))
        at = self.hop * np.arange(n_frames)[:, None] + np.arange(width)
        power = np.abs(np.fft.rfft(padded[at] * np.hanning(width), axis=1)) ** 2
        bands = power @ _mel_bands(self.n_mels, width, self.rate).T
        spectrum = np.log(bands + 1e-8 * max(float(bands.max()), 1e-12))
        even = (spectrum - spectrum.mean()) / max(float(spectrum.std()), 1e-6)
        return np.asarray(even.T, np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFeaturesSource:
    """Features as a frozen model, whose vectors are stored: a `ModelSource`."""

    features: MediaFeatures

    @property
    def reference(self) -> str:
        """What it is called."""
        return f"features:{self.features.kind}"

    def fingerprint(self) -> str:
        """Return a SHA-256 of how arrays are made."""
        return digest(["media-features", 1, self.features.config()])

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready provenance."""
        libraries = library_versions("numpy", "scipy", "pillow")
        return {**self.features.config(), "libraries": libraries}

    def load(self) -> MediaFeatures:
        """Return the features: there are no weights."""
        return self.features


def pixels_of(media: Media) -> Pixels:
    """Return an image's pixels, shape (height, width, 1 or 3).

    Plain PNG is read here, all else by Pillow.

    Raises:
        DataError: The image is damaged, too large, or of a format that is not read.
        MissingPackageError: Pillow is needed and not installed.

    """
    if media.kind != "image":
        raise DataError(f"{media.mime} is no image, and the model reads images")
    if is_plain_png(media.content):
        return read_png(media.content, most_pixels=_MOST_PIXELS)
    images = package("PIL.Image", extra="images")
    try:
        with images.open(io.BytesIO(media.content), formats=_FORMATS) as image:
            n_pixels = image.width * image.height
            if n_pixels <= _MOST_PIXELS:
                return np.asarray(image.convert("RGB"), np.uint8)
    except Exception as error:  # whatever a damaged file provokes
        raise DataError(f"a damaged image: {error}") from error
    raise DataError(f"an image of {n_pixels:,} pixels is refused")


def samples_of(media: Media, rate: int) -> Values:
    """Return a recording's samples in [−1, 1] at a rate, all channels averaged.

    Raises:
        DataError: It is damaged, empty, or no WAV file with whole numbers.

    """
    if media.kind != "audio":
        raise DataError(f"{media.mime} is no recording, and the model reads those")
    try:
        with wave.open(io.BytesIO(media.content)) as file:
            size, n_channels = file.getsampwidth(), file.getnchannels()
            own, raw = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError) as error:
        raise DataError(f"no WAV file that can be read: {error}") from error
    raw = raw[: len(raw) // (size * n_channels) * size * n_channels]
    if not raw:
        raise DataError("a recording without samples")
    if size > _MOST_SAMPLE_BYTES or not _RATES[0] <= own <= _RATES[1]:
        raise DataError(
            f"a recording of {own:,} samples a second with {8 * size} bits each is "
            f"refused; {_RATES[0]:,} to {_RATES[1]:,}, with 32 bits at most, are read"
        )
    padded = np.zeros((len(raw) // size, 4), np.uint8)
    padded[:, 4 - size :] = np.frombuffer(raw, np.uint8).reshape(-1, size)
    values = padded.view("<i4")[:, 0].astype(np.float64) / 2**31
    if size == 1:  # whole numbers from 0
        values = np.frombuffer(raw, np.uint8) / 128.0 - 1.0
    mono = values.reshape(-1, n_channels).mean(axis=1)
    if own == rate:
        return np.asarray(mono, np.float64)
    shared = np.gcd(own, rate)
    resampled = package("scipy.signal").resample_poly(
        mono, rate // shared, own // shared
    )
    return np.asarray(resampled, np.float64)


def _averaging(n: int, size: int) -> Values:
    """Return weights that average `n` pixels to `size`, each over its area."""
    edges = np.linspace(0, n, size + 1)
    low = np.maximum(edges[:-1, None], np.arange(n))
    high = np.minimum(edges[1:, None], np.arange(n) + 1)
    return np.asarray(np.clip(high - low, 0, None) * size / n, np.float64)


def _mel_bands(n_mels: int, width: int, rate: int) -> Values:
    """Return triangular bands, evenly spaced in mel, shape (n_mels, width/2 + 1)."""
    highest = 2595 * np.log10(1 + rate / 2 / 700)
    mels = np.linspace(0, highest, n_mels + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hertz = np.arange(width // 2 + 1) * rate / width
    rising = (hertz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - hertz) / (edges[2:] - edges[1:-1])[:, None]
    return np.asarray(np.clip(np.minimum(rising, falling), 0, None), np.float64)
