"""Long runs that print their figures: they are collected only where `make test-hard` has set TEST_HARD."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("TEST_HARD") else ["test_*.py"]
