"""How a picture becomes the array a model was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageOps

from app.inference.images import Image

Fit = Literal["stretch", "crop", "pad"]
Colour = Literal["rgb", "bgr", "grey"]
Scale = Literal["0-255", "0-1", "0-16", "-1-1", "imagenet", "standardised"]
Layout = Literal["flat", "flat-channels-first", "height-width-channels", "channels-height-width"]

_RESAMPLING = PillowImage.Resampling.BICUBIC
# Of the ImageNet photos scaled to 0 to 1, in the order R, G, B, as torchvision's pretrained networks were fed.
_IMAGENET_MEAN, _IMAGENET_DEVIATION = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
# What a standardised row is led back to, whose own mean and deviation are lost.
_MIDDLE, _SPREAD = 127.5, 64.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything between a decoded picture and a model's input, as plain data that a manifest can hold.

    The scale "imagenet" subtracts the mean of ImageNet's photos from levels of 0 to 1 and divides by their deviation, colour by
    colour (grey takes the mean of the three); "standardised" does so with the picture's own mean and deviation, over all its
    numbers, the deviation being at least one over the root of how many these are (as TensorFlow's per_image_standardization).
    """

    width: int
    height: int
    fit: Fit = "stretch"
    colour: Colour = "rgb"
    scale: Scale = "0-1"
    layout: Layout = "flat"
    invert: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.width, self.height

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one row of the model's input."""
        channels = 1 if self.colour == "grey" else 3
        if self.layout == "height-width-channels":
            return self.height, self.width, channels
        if self.layout == "channels-height-width":
            return channels, self.height, self.width
        return (self.height * self.width * channels,)

    def array(self, image: Image) -> NDArray[np.generic]:
        """Give one row of the model's input, of the shape `shape`.

        The dtype is uint8 for the scale "0-255", so that a model sees the very numbers `numpy.asarray(photo)` gave its
        author, and float64 for all others, as dividing such an array gives.
        """
        return self._lay_out(self._scaled(self._coloured(self._fitted(image.picture))))

    def resized(self, image: Image) -> NDArray[np.uint8]:
        """Give the picture as the model sees it, before its levels are changed: RGB, shape (height, width, 3)."""
        return np.asarray(self._fitted(image.picture), np.uint8)

    def levels(self, rows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the pictures that rows of the model's input stand for: RGB levels, shape (n, height, width, 3), not rounded.

        It undoes `array` but for its resizing and, where it standardised, the brightness and contrast; levels may lie outside
        0 to 255 where no picture gives such a row.
        """
        channels = 1 if self.colour == "grey" else 3
        if self.layout in ("flat-channels-first", "channels-height-width"):
            pixels = rows.reshape(-1, channels, self.height, self.width).transpose(0, 2, 3, 1)
        else:
            pixels = rows.reshape(-1, self.height, self.width, channels)
        levels = np.asarray(pixels, np.float64)
        match self.scale:
            case "0-1":
                levels = levels * 255.0
            case "0-16":
                levels = levels / 16.0 * 255.0
            case "-1-1":
                levels = (levels + 1.0) * 127.5
            case "imagenet":
                mean, deviation = self._imagenet()
                levels = (levels * deviation + mean) * 255.0
            case "standardised":
                levels = levels * _SPREAD + _MIDDLE
        if self.invert:
            levels = 255.0 - levels
        coloured = levels[..., ::-1] if self.colour == "bgr" else levels
        return np.broadcast_to(coloured, (*coloured.shape[:3], 3)).astype(np.float64)

    def _fitted(self, picture: PillowImage.Image) -> PillowImage.Image:
        if picture.size == self.size:
            return picture
        if self.fit == "crop":
            return ImageOps.fit(picture, self.size, _RESAMPLING)
        if self.fit == "pad":
            return ImageOps.pad(picture, self.size, _RESAMPLING, color=(255, 255, 255))
        return picture.resize(self.size, _RESAMPLING)

    def _coloured(self, picture: PillowImage.Image) -> NDArray[np.uint8]:
        if self.colour == "grey":
            return np.asarray(picture.convert("L"), dtype=np.uint8)[:, :, np.newaxis]
        pixels = np.asarray(picture, dtype=np.uint8)
        return pixels[:, :, ::-1] if self.colour == "bgr" else pixels

    def _scaled(self, pixels: NDArray[np.uint8]) -> NDArray[np.generic]:
        if self.invert:
            pixels = 255 - pixels
        match self.scale:
            case "0-255":
                return pixels
            case "0-1":
                return pixels / 255.0
            case "0-16":
                return pixels / 255.0 * 16.0
            case "-1-1":
                return pixels / 127.5 - 1.0
            case "imagenet":
                mean, deviation = self._imagenet()
                return (pixels / 255.0 - mean) / deviation
            case "standardised":
                return np.asarray((pixels - pixels.mean()) / max(float(pixels.std()), pixels.size**-0.5))

    def _imagenet(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the mean and the deviation of each channel, in the order of the recipe."""
        if self.colour == "grey":
            return _IMAGENET_MEAN.mean(keepdims=True), _IMAGENET_DEVIATION.mean(keepdims=True)
        order = slice(None, None, -1 if self.colour == "bgr" else 1)
        return _IMAGENET_MEAN[order], _IMAGENET_DEVIATION[order]

    def _lay_out(self, pixels: NDArray[np.generic]) -> NDArray[np.generic]:
        if self.layout in ("flat-channels-first", "channels-height-width"):
            pixels = pixels.transpose(2, 0, 1)
        return np.ascontiguousarray(pixels).reshape(self.shape)
