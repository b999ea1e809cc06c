"""What systemd would start: the units as it reads them itself, the socket that it hands over, the Procfile's commands."""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from configparser import RawConfigParser
from pathlib import Path

import pytest

from tests.deploy.manual import adapted, carry_out, commands
from tests.deploy.visits import assert_classifies
from tests.serving import TREE, VITRINE, RunningSite

UNITS = TREE / "deploy" / "systemd"


def unit(name: str) -> RawConfigParser:
    """Give a unit; of what stands there twice the last."""
    parsed = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign] # as they are written
    parsed.read(UNITS / name, encoding="utf-8")
    return parsed


class SystemdSite(RunningSite):
    """A site that systemd's own program starts at the first visit, with the socket and the variables of the units."""

    def launch(self) -> None:
        """Listen as the socket's unit says, but for the port."""
        service = unit("vitrine.service")["Service"]
        assert unit("vitrine.socket")["Socket"]["ListenStream"] == "127.0.0.1:8000"
        assert service["ExecStart"] == "/srv/vitrine/.venv/bin/vitrine serve"
        given = dict(word.split("=", 1) for word in shlex.split(service["Environment"]))
        wanted = {**given, **{name: value for name, value in self.environment.items() if name.startswith("VITRINE_")}}
        variables = [word for name, value in {**wanted, "PORT": str(self.port)}.items() for word in ("-E", f"{name}={value}")]
        words = ["systemd-socket-activate", "-l", f"127.0.0.1:{self.port}", *variables, *VITRINE, "serve"]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(words, cwd=TREE, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdSite]:
    with SystemdSite(tmp_path_factory.mktemp("systemd"), workers="1") as running:
        yield running


def test_a_photo_is_classified_through_the_socket_that_systemd_hands_over(site: SystemdSite) -> None:
    assert_classifies(site)
    assert '"event":"request"' in site.log


def test_whoever_comes_while_it_starts_waits_and_is_answered(tmp_path: Path) -> None:
    site = SystemdSite(tmp_path, workers="1")
    site.launch()
    try:
        deadline = time.monotonic() + 10
        while "Listening on" not in site.log:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert site.request("GET", "/readyz").status == 200  # the very first, which it is started by
    finally:
        site.stop()


def test_systemd_takes_the_units_without_a_remark(tmp_path: Path) -> None:
    changes = {"/etc/systemd/system": str(tmp_path), "#/srv/vitrine#g": f"#{TREE}#g"}
    script = adapted(commands("systemd"), changes)
    carry_out(f'test -z "$( ( {script} ) 2>&1 | tee /dev/stderr)"', dict(RunningSite(tmp_path).environment))
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / "vitrine.service")]
    told = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    found = re.search(r"Overall exposure level for vitrine.service: ([\d.]+)", told)
    assert found, told
    print(f"\nexposure: {found[1]}")
    assert float(found[1]) <= 1.5


class ProcfileSite(RunningSite):
    """The commands of the Procfile, in their order."""

    def launch(self) -> None:
        """Do what is done at a release, and become what the web is."""
        lines = dict(line.split(": ", 1) for line in (TREE / "Procfile").read_text(encoding="utf-8").splitlines())
        assert lines.keys() == {"release", "web"}
        here = shlex.join(VITRINE)
        carry_out(lines["release"].replace("vitrine", here), self.environment)
        web = lines["web"].replace("HOST=0.0.0.0 vitrine", f"HOST=127.0.0.1 exec {here}")
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(["sh", "-euc", web], cwd=TREE, env=self.environment, stdout=log, stderr=log)


def test_the_commands_of_the_procfile_classify_a_photo(tmp_path: Path) -> None:
    with ProcfileSite(tmp_path, workers="1") as site:
        assert_classifies(site)
