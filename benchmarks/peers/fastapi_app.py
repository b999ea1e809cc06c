"""FastAPI; a plain `def` runs in its thread pool, so the event loop stays free to accept."""

from __future__ import annotations

from fastapi import FastAPI, UploadFile
from fastapi.responses import JSONResponse
from recipe import Classifier

app = FastAPI()
classifier = Classifier()


@app.post("/predict")
def predict(image: UploadFile) -> JSONResponse:
    """Answer for the form's file `image`; a response as such spares FastAPI the check of a dictionary."""
    return JSONResponse(classifier.answer(image.file.read()))
