"""Pictures described by a frozen network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.estimators.pictures import PictureTransformer
from app.inference.backbones import open_backbone


class ImageEmbedding(PictureTransformer):
    """Describe pictures by what a frozen network sees in them.

    The backbone is named, not held: a pickle of this transformer has its name and its digest in it, and the weights are
    opened on first use, once a process. Where the backbone that lies in `models/backbones` has another digest than the one
    at `fit`, `transform` raises `app.errors.InvalidPackage` rather than answer differently.

    Parameters
    ----------
    backbone : str, default="efficientnet-lite0"
        Name of a network in `models/backbones`.

    Attributes
    ----------
    sha256_ : str
        Digest of the backbone at `fit`.
    picture_shape_ : tuple of int
        Height and width of the pictures, in pixels.
    n_features_in_ : int
        Numbers in one picture: height * width * 3.

    References
    ----------
    M. Tan and Q. V. Le. EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks. ICML, 2019.

    Examples
    --------
    >>> import numpy as np
    >>> from app.estimators import ImageEmbedding
    >>> pictures = np.zeros((2, 64, 64, 3), dtype=np.uint8)
    >>> ImageEmbedding().fit_transform(pictures).shape
    (2, 1280)
    """

    def __init__(self, backbone: str = "efficientnet-lite0") -> None:
        self.backbone = backbone

    def _learn(self) -> None:
        self.sha256_ = open_backbone(self.backbone).sha256

    def _features(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return open_backbone(self.backbone, self.sha256_).embed(pixels)
