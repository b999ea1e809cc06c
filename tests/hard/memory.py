"""How much memory a site takes."""

from __future__ import annotations

import re
from pathlib import Path

from tests.serving import RunningSite


def pss_of(site: RunningSite) -> int:
    """Give the memory of all of a site's processes in bytes, what they share counted once."""
    total = 0
    for pid in (site.pid, *site.workers):
        found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
        total += int(found[1]) * 1024 if found else 0
    return total
