"""MLServer with a runtime of its own: the picture file comes as a BYTES tensor, and its batcher joins requests."""

from __future__ import annotations

import json

import numpy as np
from mlserver import MLModel
from mlserver.codecs import Base64Codec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse
from recipe import Classifier, decode


class Pictures(MLModel):
    """Answers every picture of a request with a line of JSON."""

    async def load(self) -> bool:
        """Open the model, once in each worker."""
        self.classifier = Classifier()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Decode all pictures that were joined, and answer with one call of the model."""
        rows = np.stack([decode(file) for file in Base64Codec.decode_input(payload.inputs[0])])
        lines = [json.dumps(answer) for answer in self.classifier.answers(rows)]
        return InferenceResponse(model_name=self.name, outputs=[StringCodec.encode_output("answers", lines, use_bytes=False)])
