"""Values that services are made of, as the settings have them."""

from __future__ import annotations

from app.config import Settings
from app.inference.images import ImageLimits
from app.services.private_files import secret_key


def image_limits(settings: Settings) -> ImageLimits:
    """Give the limits of pictures as the settings have them."""
    return ImageLimits(
        file_bytes=int(settings.max_file_mb * 1_000_000),
        pixels=int(settings.max_megapixels * 1_000_000),
        side=settings.max_side,
        pixel_scans=settings.max_pixel_scans,
    )


def signing_key(settings: Settings) -> str:
    """Give the key that signs cookies; the first call makes it in the data folder."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = None if settings.secret_key is None else settings.secret_key.get_secret_value()
    return secret_key(given=given, given_file=settings.secret_key_file, own_file=settings.data / "secret_key")
