"""Plain Flask, as most tutorials serve a pickled classifier; Gunicorn runs it."""

from __future__ import annotations

from flask import Flask, Response, jsonify, request
from recipe import Classifier

app = Flask(__name__)
classifier = Classifier()


@app.post("/predict")
def predict() -> Response:
    """Answer for the form's file `image`; Flask itself says 400 where there is none."""
    return jsonify(classifier.answer(request.files["image"].read()))
