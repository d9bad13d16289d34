"""A raw photo as a picture of a shard, developed when its colors are wanted."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from reelbow.pictures.averages import Averages, shape_and_average
from reelbow.pictures.geometry import Crop, round_to_bytes
from reelbow.pictures.raw_files import decode_raw
from reelbow.shards.batches import ThumbnailOptions


@dataclass(frozen=True)
class RawPhoto:
    """The bytes of a raw photo.

    They are not handed on as those of other images: many raw files are TIFFs, whose
    picture is only a preview.
    """

    data: bytes

    def shape(self, options: ThumbnailOptions) -> tuple[NDArray[np.uint8], Averages]:
        """Make it small and average it, as `DecodedPicture` says."""
        picture = decode_raw(self.data, max_pixels=options.max_pixels)
        return shape_and_average(
            picture,
            full=picture.shape[:2],
            crop=Crop.parse(options.crop) if options.crop else None,
            height=options.height,
            space=options.mean_space,
        )

    def to_bgr(self) -> NDArray[np.uint8]:
        """Give all its pixels, as `DecodedPicture` says."""
        picture = decode_raw(self.data)
        return np.asarray(
            cv2.cvtColor(round_to_bytes(picture), cv2.COLOR_RGB2BGR), np.uint8
        )
