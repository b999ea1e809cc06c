"""The user data for EC2: cloud-init reads all of it, and what it writes and runs fits together."""

from __future__ import annotations

import configparser
import re
import shlex
import subprocess

import pytest

from tests.platforms.files import DEPLOY, assert_no_secret, assert_settings, cloud_init_faults, read
from tests.test_dockerfile import LAST, words_of

GIVEN = read("aws-ec2/user-data.yaml")
FILES = {one["path"]: one["content"] for one in GIVEN["write_files"]}
UNIT = FILES["/etc/systemd/system/vitrine.service"]


def setting(name: str) -> str:
    """Give what the unit says, its lines joined as systemd joins them."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign,assignment]
    unit.read_string(re.sub(r"\\\n\s*", "", UNIT))
    return unit["Service"][name]


def environment(path: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in FILES[path].splitlines())


def test_it_is_user_data_of_the_kind_that_cloud_init_knows_by_its_first_line() -> None:
    assert (DEPLOY / "aws-ec2" / "user-data.yaml").read_text(encoding="utf-8").splitlines()[0] == "#cloud-config"


def test_cloud_init_knows_all_of_it() -> None:
    assert cloud_init_faults(GIVEN) == []


@pytest.mark.parametrize("wrong", [{"packges": ["docker.io"]}, {"package_update": "perhaps"}, {"write_files": [{"pth": "/a"}]}])
def test_a_mistake_would_be_found(wrong: dict[str, object]) -> None:
    assert cloud_init_faults({**GIVEN, **wrong})


def test_its_commands_are_shell() -> None:
    for command in GIVEN["runcmd"]:
        done = subprocess.run(["sh", "-n"], input=command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")


def test_what_its_commands_read_is_written() -> None:
    commands = "\n".join(GIVEN["runcmd"])
    assert ". /etc/vitrine/image" in commands
    assert "systemctl enable --now vitrine" in commands
    assert "IMAGE" in environment("/etc/vitrine/image")
    assert set(re.findall(r"/etc/vitrine/[\w.]+", commands + UNIT)) <= FILES.keys()


def test_its_settings_exist_and_none_is_a_secret() -> None:
    assert_settings(environment("/etc/vitrine/settings.env"))
    for text in FILES.values():
        assert_no_secret(text)


def test_the_unit_runs_the_image_as_confined_as_it_can_be() -> None:
    words = shlex.split(setting("ExecStart"))
    assert words[:2] == ["/usr/bin/docker", "run"]
    assert words[-1] == "${IMAGE}"
    line = " ".join(words)
    for part in ("--read-only", "--tmpfs /tmp", "--cap-drop ALL", "--security-opt no-new-privileges"):
        assert part in line
    assert f"--volume vitrine:{words_of('VOLUME', LAST)[0]}" in line
    assert f"--publish 127.0.0.1:8000:{words_of('EXPOSE', LAST)[0]}" in line
    assert f"--env-file {setting('EnvironmentFile').replace('image', 'settings.env')}" in line


def test_the_end_is_waited_for() -> None:
    assert int(shlex.split(setting("ExecStop"))[3]) == 30 < int(setting("TimeoutStopSec"))


def test_the_proxy_in_front_leads_to_the_port_that_is_published_here() -> None:
    proxy = FILES["/etc/caddy/Caddyfile"]
    (name,) = re.findall(r"^(\S+) \{$", proxy, re.MULTILINE)
    assert environment("/etc/vitrine/settings.env")["VITRINE_PUBLIC_URL"] == f"https://{name}"
    assert "reverse_proxy 127.0.0.1:8000\n" in proxy
    assert "max_size 100MB" in proxy
    assert {"caddy", "docker.io"} == set(GIVEN["packages"])
    # Its own comes with the package, and would be asked about.
    (written,) = [one for one in GIVEN["write_files"] if one["path"].startswith("/etc/caddy/")]
    assert written["defer"] is True
