"""Bytes to a checked picture, or InvalidImage: the one way by which pictures come in.

Headers are walked and held against limits before a pixel is decoded; then colours, orientation and size are put right.
"""

from app.inference.images.decoding import Image, decode, shrink
from app.inference.images.headers import ACCEPTED, ACCEPTED_MEDIA_TYPES
from app.inference.images.limits import DEFAULT_LIMITS, ImageLimits

__all__ = ["ACCEPTED", "ACCEPTED_MEDIA_TYPES", "DEFAULT_LIMITS", "Image", "ImageLimits", "decode", "shrink"]
