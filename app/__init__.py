"""Vitrine puts a trained image classifier behind glass.

Importing a floor of the application must not import Flask, so `create_app` is looked up only when somebody asks for it.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.factory import create_app

# Flask-Security loads this wherever it is installed, and with it 300 modules that take 200 ms and 9 MB; nothing here uses it.
sys.modules.setdefault("authlib.integrations.flask_client", None)  # type: ignore[arg-type] # so that its import fails

__version__ = "0.1.0"
__all__ = ["__version__", "create_app"]


def __getattr__(name: str) -> object:
    """Give `create_app` on first use (PEP 562)."""
    if name == "create_app":
        from app.factory import create_app

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
