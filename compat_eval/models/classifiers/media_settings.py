"""How trainings read images and recordings, as settings."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from compat_eval.core.media import is_media, read_media
from compat_eval.models.encoders.media_features import MediaFeatures
from compat_eval.models.training.train import Settings


class MediaSettings(Settings):
    """What is read of images and recordings."""

    features: Literal["pixels", "log-mel"] | None = None
    """What is read: pixels of images, or log-mel spectra of recordings; by default what
    the first input is."""
    size: int = Field(default=28, ge=4, le=512)
    """Pixels on a side to which images are brought."""
    colour: bool = False
    """Whether colours of images are read; otherwise grey."""
    rate: int = Field(default=8000, ge=1000, le=192_000)
    """Samples a second to which recordings are brought."""
    n_mels: int = Field(default=32, ge=4, le=256)
    """Bands of the spectra."""
    n_frames: int = Field(default=64, ge=4, le=4096)
    """Steps in time that are read of a recording; a longer one is cut."""
    hop: int = Field(default=128, ge=8)
    """Samples from one step in time to the next."""

    def made_features(self, inputs: Sequence[str] = ()) -> MediaFeatures:
        """Return what reads the inputs.

        Args:
            inputs: Of the training; the first one tells the kind where the settings do
                not.

        """
        kind = self.features
        if kind is None:
            first = next(filter(is_media, inputs), None)
            audio = first is not None and read_media(first).kind == "audio"
            kind = "log-mel" if audio else "pixels"
        return MediaFeatures(
            kind=kind,
            size=self.size,
            colour=self.colour,
            rate=self.rate,
            n_mels=self.n_mels,
            n_frames=self.n_frames,
            hop=self.hop,
        )
