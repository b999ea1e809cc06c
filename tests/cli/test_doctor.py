"""`vitrine doctor`: a line for each thing, the code of the worst, and nothing changed, whatever is broken."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import doctor as module
from app.cli.checks.address import running_site
from app.cli.checks.finding import Case, Finding, good
from app.composition import signing_key
from app.errors import InvalidPackage
from tests.cli.running import Ran, Run
from tests.factories import EIGHT, make_services, make_settings, publish
from tests.serving import TREE, VITRINE, RunningSite

PROXIED = {"public_url": "https://photos.example.org", "trusted_proxies": "1"}
# A disk of 64 kilobytes, which takes nothing, over the data folder.
FULL_DISK = 'mount -t tmpfs -o size=64k,mode=0700,ro tmpfs "$1"; shift; exec "$@"'
# What the site itself makes within a fifth of a second after it was asked something.
COUNTERS = {"usage.mdb", "usage.mdb-lock"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the data folder of a site that is well, with one small model."""
    services = make_services(tmp_path_factory.mktemp("made"))
    publish(services.repository)
    signing_key(services.settings)
    services.engine.dispose()
    return services.settings.data


@pytest.fixture
def prepared(data: Path, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give such a folder of this test's own, without the models that come along."""
    monkeypatch.setenv("VITRINE_MODELS", str(tmp_path / "shipped"))
    return shutil.copytree(made, data)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """Give a site that runs, behind a proxy with https as it believes."""
    with RunningSite(tmp_path_factory.mktemp("running"), **PROXIED, workers="1") as site:
        yield site


def lines(ran: Ran) -> list[tuple[str, str, str]]:
    """Give level, matter and sentence of each line; nothing stands on standard error."""
    assert ran.err == "", ran
    found = []
    for line in ran.out.splitlines():
        level, rest = line.split(maxsplit=1)
        about, what = rest.split(": ", 1)
        found.append((level, about, what))
    return found


def told(ran: Ran, matter: str) -> list[tuple[str, str]]:
    """Give level and sentence of each line on a matter."""
    return [(level, what) for level, about, what in lines(ran) if about == matter]


def snapshot(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Give everything in a folder: its mode, when it was changed, and what it holds."""
    found = {}
    for path in [folder, *folder.rglob("*")]:
        about = path.stat()
        found[str(path)] = (about.st_mode, about.st_mtime_ns, path.read_bytes() if path.is_file() else b"")
    return found


def test_a_site_that_is_well_is_told_so_line_by_line_and_left_as_it_was(vitrine: Run, prepared: Path) -> None:
    before = snapshot(prepared)
    ran = vitrine("doctor")
    assert ran.code == 0, ran.out
    assert {level for level, *_ in lines(ran)} == {"good"}
    assert {about for _, about, _ in lines(ran)} == {about for about, _ in module.CHECKS} - {"redis", "store"}
    assert snapshot(prepared) == before
    quiet = vitrine("doctor", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_before_the_first_start_it_says_what_to_do_and_makes_nothing(vitrine: Run, data: Path) -> None:
    ran = vitrine("doctor", "--quiet")
    assert (ran.code, {level for level, *_ in lines(ran)}) == (1, {"warning"})
    assert all("`vitrine prepare`" in what for *_, what in lines(ran))
    assert not data.exists()


def test_what_is_wrong_decides_on_the_code_and_the_others_are_looked_at_all_the_same(vitrine: Run, prepared: Path) -> None:
    (prepared / "secret_key").chmod(0o644)
    (prepared / "vitrine.db").write_bytes(b"no database" * 1000)
    ran = vitrine("doctor")
    assert ran.code == 2
    assert told(ran, "secret key")[0][0] == "error"
    assert told(ran, "database")[0][0] == "error"
    assert told(ran, "models")[-1] == ("good", "shade 1 opens and answers.")
    assert "Traceback" not in ran.out


def test_broken_settings_are_all_told_and_keep_no_check_from_being_made(
    vitrine: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("PORT", "correct-horse"), ("MAX_FOTOS", "3"), ("REGISTRATION", "open")):
        monkeypatch.setenv(f"VITRINE_{name}", value)
    ran = vitrine("doctor")
    assert ran.code == 2
    assert [level for level, _ in told(ran, "settings")] == ["error", "error", "error", "good"]
    assert "correct-horse" not in ran.out
    assert told(ran, "models")[-1] == ("good", "shade 1 opens and answers.")


def test_a_check_that_fails_itself_says_so_and_the_others_go_on(
    vitrine: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_case: Case) -> Iterator[Finding]:
        yield good("The first half is well.")
        raise RuntimeError("SELECT secret")

    def shut(_case: Case) -> Iterator[Finding]:
        raise PermissionError(13, "Permission denied", "/srv/secret")
        yield

    def refuse(_case: Case) -> Iterator[Finding]:
        raise InvalidPackage("A folder of models cannot be read.")
        yield

    def well(_case: Case) -> Iterator[Finding]:
        yield good("All is well.")

    monkeypatch.setattr(module, "CHECKS", (("one", fail), ("two", shut), ("three", refuse), ("four", well)))
    ran = vitrine("doctor")
    assert ran.code == 2
    assert [(level, what.partition(" →")[0]) for level, _, what in lines(ran)[1:]] == [
        ("good", "The first half is well."),
        ("error", "This could not be looked at: RuntimeError."),
        ("error", "This could not be looked at: Permission denied."),
        ("error", "This could not be looked at: A folder of models cannot be read."),
        ("good", "All is well."),
    ]


def test_what_a_terminal_would_obey_is_not_printed(vitrine: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VITRINE_DATA", str(prepared.parent / "a\x1b[31m\nb"))
    ran = vitrine("doctor", "--quiet")
    assert "\x1b" not in ran.out
    assert len(lines(ran)) == 4


def test_as_json_programs_read_the_same(vitrine: Run, prepared: Path) -> None:
    (prepared / "secret_key").chmod(0o644)
    (prepared / "models" / "shade" / ".staging-a").mkdir()
    ran = vitrine("doctor", "--json", "--quiet")
    read = json.loads(ran.out)
    assert (ran.code, read["level"]) == (2, "error")
    assert [(each["about"], each["level"]) for each in read["findings"]] == [("secret key", "error"), ("models", "warning")]
    assert all(each["what"] and each["mend"] for each in read["findings"])
    assert len(json.loads(vitrine("doctor", "--json").out)["findings"]) > 10


def test_what_the_manual_shows_is_what_is_printed(vitrine: Run, prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (shown,) = re.findall(r"^```\n((?:error|warning|good) .*?)^```", (TREE / "docs" / "deploy.md").read_text(), re.M | re.S)
    prepared.chmod(0o755)
    monkeypatch.setenv("VITRINE_PUBLIC_URL", PROXIED["public_url"])
    monkeypatch.delenv("VITRINE_MODELS")
    printed = vitrine("doctor").out.splitlines()
    assert set(shown.replace("/srv/vitrine", str(prepared)).splitlines()) <= set(printed)


def test_colours_are_for_a_terminal_alone(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHECKS", ())
    # Which of both its output is decides click, as everywhere.
    assert CliRunner().invoke(module.doctor, color=True).output.startswith("\x1b[32mgood")
    assert CliRunner().invoke(module.doctor).output.startswith("good")


def test_a_full_disk_that_is_only_read_is_told(prepared: Path) -> None:
    apart = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    within = ["sh", "-euc", FULL_DISK, "sh", str(prepared), *VITRINE, "doctor", "--quiet"]
    ran = subprocess.run([*apart, *within], cwd=TREE, env=os.environ, capture_output=True, text=True, check=False, timeout=120)
    assert (ran.returncode, ran.stderr) == (2, "")
    assert f"error    data folder: The site may not write to {prepared}." in ran.stdout
    assert "error    disk: Only 0.1 MB are free" in ran.stdout


def test_beside_a_running_site_it_disturbs_nothing_and_finds_it_ready(running: RunningSite) -> None:
    picture, environment = EIGHT.read_bytes(), {**running.environment, "VITRINE_PUBLIC_URL": running.url}
    assert running.predict(picture, "/api/v1/models/digits/predict").json["stored"]
    before = {path.relative_to(running.data).as_posix() for path in running.data.rglob("*")}
    command = [*VITRINE, "doctor", "--online", "--json"]
    with subprocess.Popen(command, cwd=TREE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        answers = 0
        while process.poll() is None:
            answer = running.predict(picture, "/api/v1/models/digits/predict")
            assert (answer.status, answer.json["stored"]) == (200, True)
            answers += 1
            time.sleep(0.05)
        out, err = process.communicate()
    told = [finding["what"] for finding in json.loads(out)["findings"]]
    assert (process.returncode, err) == (0, b""), told
    assert {f"The site at {running.url} is ready.", f"{running.url} leads here."} <= set(told)
    assert answers > 1
    assert {path.relative_to(running.data).as_posix() for path in running.data.rglob("*")} <= before | COUNTERS


@pytest.mark.parametrize(("proxies", "said"), [(1, "heeds what proxies on this machine say"), (0, "settings name none")])
def test_a_running_site_shows_whether_it_heeds_proxies(running: RunningSite, tmp_path: Path, proxies: int, said: str) -> None:
    settings = make_settings(tmp_path, port=running.port, public_url=PROXIED["public_url"], trusted_proxies=proxies)
    found = list(running_site(Case(settings, online=True)))
    assert found[0].what.endswith("is ready.")
    assert said in found[1].what
