"""Machines that share nothing but services: hosts with addresses and data folders of their own, and the services."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from threading import Thread

import pytest

from app.composition import Services, compose
from app.config import load_settings
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.s3_server import RunningS3
from tests.serving import TREE, VITRINE, Reply, RunningSite

SECRET = "kW3-vT9_qLx7ZbN2mRf8sYc4HdJ6gPa0"


class Host(RunningSite):
    """One machine: its own address, its own data folder, and a process group that can be killed as a power cut would."""

    def __init__(self, folder: Path, address: str, public: str, environment: dict[str, str], **settings: str) -> None:
        super().__init__(folder, host=address, public_url=public, trusted_proxies="1", secret_key=SECRET, **settings)
        self.address = address
        self._given = environment
        # As a proxy that speaks TLS with visitors asks.
        self.asked_as = {"Host": public.partition("://")[2], "X-Forwarded-Proto": public.partition("://")[0]}

    @property
    def environment(self) -> dict[str, str]:
        """The environment that commands on this machine have."""
        return {**super().environment, **self._given}

    def launch(self) -> None:
        """Start, in a process group of its own, and wait for nothing."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*VITRINE, "serve"], cwd=TREE, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def die(self) -> None:
        """Kill all of its processes at once, without a word to any."""
        os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait(30)

    def connect(self) -> http.client.HTTPConnection:
        """Give a connection to this machine, past whatever shares visitors out."""
        return http.client.HTTPConnection(self.address, self.port, timeout=60)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        *,
        key: str | None = None,
    ) -> Reply:
        """Ask as the proxy does."""
        return super().request(method, path, body, {**self.asked_as, **(headers or {})}, key=key)


@dataclass
class Machines:
    """Two hosts and what they share."""

    one: Host
    other: Host
    postgres: RunningPostgres
    redis: RunningRedis
    store: RunningS3

    @property
    def both(self) -> tuple[Host, Host]:
        """Both hosts."""
        return self.one, self.other

    @cached_property
    def services(self) -> Services:
        """The services as a command on the first host has them."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.one.environment.items():
                patch.setenv(name, value)
            return compose(load_settings())


@contextmanager
def running_machines(folder: Path, public: str, **settings: str) -> Iterator[Machines]:
    """Start PostgreSQL, Redis, an S3 server and two hosts at once."""
    with ExitStack() as stack:
        for name in ("redis", "s3", "one", "other"):
            (folder / name).mkdir()
        postgres = stack.enter_context(RunningPostgres())
        redis = stack.enter_context(RunningRedis(folder / "redis"))
        store = stack.enter_context(RunningS3(folder / "s3"))
        shared = {"database_url": postgres.database(), "redis_url": redis.url, "store": store.url, "workers": "2", **settings}
        hosts = [
            Host(folder / name, address, public, store.environment, **shared)
            for name, address in (("one", "127.0.0.2"), ("other", "127.0.0.3"))
        ]
        for host in hosts:
            stack.callback(stop, host)
        starts = [Thread(target=host.start) for host in hosts]
        for start in starts:
            start.start()
        for start in starts:
            start.join()
        machines = Machines(hosts[0], hosts[1], postgres, redis, store)
        yield machines
        machines.services.engine.dispose()


def stop(host: Host) -> None:
    """End a host that was started and was not killed."""
    if host._process is not None:
        host.stop()
