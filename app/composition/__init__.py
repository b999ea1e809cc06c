"""Builds what lives as long as the process, without Flask: for the factory, the command line and workers."""

from app.composition.given import image_limits, signing_key
from app.composition.models import objects_of, repository_of
from app.composition.services import AccountServices, Services
from app.composition.wiring import compose

__all__ = ["AccountServices", "Services", "compose", "image_limits", "objects_of", "repository_of", "signing_key"]
