"""Scikit-learn transformers that pickles name: these import paths never move."""

from app.estimators.embedding import ImageEmbedding
from app.estimators.gradients import OrientedGradients
from app.estimators.pixels import FlatPixels

__all__ = ["FlatPixels", "ImageEmbedding", "OrientedGradients"]
