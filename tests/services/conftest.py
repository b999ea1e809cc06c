"""What tests of several services need."""

from __future__ import annotations

import pytest

from app.services import model_loader


@pytest.fixture
def frozen_follower(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the follower wait for ever, so that only who asks looks: else it could be in the middle of a look at any moment."""
    monkeypatch.setattr(model_loader, "_LOOK_EVERY_SECONDS", 3600.0)
