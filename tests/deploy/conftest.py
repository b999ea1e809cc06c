"""What needs other servers, root or minutes is collected only where `make test-deploy` has set TEST_DEPLOY."""

from __future__ import annotations

import os
from pathlib import Path

_QUICK = {"test_prefix.py"}
_HERE = Path(__file__).parent
collect_ignore = [] if os.environ.get("TEST_DEPLOY") else sorted({path.name for path in _HERE.glob("test_*.py")} - _QUICK)
