"""Building an image needs root and minutes: these tests are collected only where `make test-deploy` has set TEST_DEPLOY."""

from __future__ import annotations

import os

collect_ignore_glob = [] if os.environ.get("TEST_DEPLOY") else ["test_*.py"]
