"""BentoML, two workers; it opens the uploaded picture itself, as its documentation shows."""

from __future__ import annotations

from typing import Any

import bentoml
import numpy as np
from PIL.Image import Image
from recipe import Classifier, row_of


@bentoml.service(workers=2, traffic={"timeout": 60})
class Pictures:
    """One model behind BentoML's server."""

    def __init__(self) -> None:
        self.classifier = Classifier()

    @bentoml.api
    def predict(self, image: Image) -> dict[str, Any]:
        """Answer for the form's file `image`."""
        return self.classifier.answers(row_of(image)[np.newaxis])[0]
