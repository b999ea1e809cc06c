"""Nginx in front of several hosts, as docs/deploy.md has it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

from tests.deploy.nginx import Nginx
from tests.machines.hosts import Host
from tests.waiting import wait_until


class Front(Nginx):
    """Reached over TLS; what it needs is in its own folder."""

    def start(self, hosts: Sequence[Host]) -> Self:
        """Start it in front of two hosts, and wait until it answers."""
        first, second = hosts
        changes = {
            "10.0.0.1:8000": f"{first.address}:{first.port}",
            "10.0.0.2:8000": f"{second.address}:{second.port}",
            "/photos.example.org/g": "/127.0.0.1/g",
        }
        self.prepare("Several machines", os.environ, changes)
        self.launch()
        wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        connection = self.connect()
        try:
            connection.request("GET", "/livez")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()
