"""The machine that is measured on: which of its cores are used, what it is, and how busy others keep it."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the numbers were taken on."""

    processor: str
    cores: int
    cores_used: int
    memory_gb: float
    kernel: str
    python: str


def use_cores(count: int) -> None:
    """Keep this process, and all that it starts, on the first so many cores that it may use."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def describe_machine() -> Machine:
    """Read what the machine is."""
    lines = (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return Machine(
        processor=processor,
        cores=os.cpu_count() or 1,
        cores_used=len(os.sched_getaffinity(0)),
        memory_gb=round(memory / 1e9, 1),
        kernel=platform.release(),
        python=platform.python_version(),
    )


def busy_seconds() -> float:
    """Give the time for which the cores in use were busy for anybody, and what a hypervisor kept from them."""
    names = {f"cpu{number}" for number in os.sched_getaffinity(0)}
    busy = 0
    for line in (_PROC / "stat").read_text(encoding="utf-8").splitlines():
        name, *fields = line.split()
        if name in names:
            user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, fields[:8])
            busy += user + nice + system + interrupts + soft_interrupts + stolen
    return busy / _TICKS


def own_seconds() -> float:
    """Give the processor time of this process and of those it has waited for, wrk among them."""
    return sum(os.times()[:4])


def today() -> str:
    """Give the date and the time to the minute, with the offset from UTC."""
    return time.strftime("%Y-%m-%d %H:%M %z")
