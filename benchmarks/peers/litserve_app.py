"""LitServe: `python litserve_app.py PORT LARGEST_BATCH`, where 1 switches its batching off.

No `from __future__ import annotations`: LitServe looks at the signatures of the methods.
"""

import sys
from typing import Any

import litserve
import numpy as np
from recipe import Classifier, decode

WAIT_SECONDS = 0.01  # for company; what LitServe's own examples use


class OneByOne(litserve.LitAPI):
    """Answers each picture by itself."""

    def setup(self, device):  # noqa: ARG002 - LitServe names it
        """Open the model, once in each inference worker."""
        self.classifier = Classifier()

    def decode_request(self, request):
        """Turn the form's file `image` into a row."""
        return decode(request["image"].file.read())

    def predict(self, row) -> dict[str, Any]:
        """Answer for one row."""
        return self.classifier.answers(row[np.newaxis])[0]

    def encode_response(self, output):
        """Leave the answer as it is: LitServe makes JSON of it."""
        return output


class Together(OneByOne):
    """Answers what arrives within `WAIT_SECONDS` with one call; LitServe stacks the rows and hands out the answers."""

    def predict(self, rows) -> list[dict[str, Any]]:
        """Answer for a matrix of rows."""
        return self.classifier.answers(rows)


if __name__ == "__main__":
    port, largest = int(sys.argv[1]), int(sys.argv[2])
    api = OneByOne() if largest == 1 else Together(max_batch_size=largest, batch_timeout=WAIT_SECONDS)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=2, timeout=60)
    server.run(host="127.0.0.1", port=port, log_level="warning", generate_client_file=False)
