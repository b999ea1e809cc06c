"""Prometheus itself: its tools take the files of deploy/observability, and it asks a real site and wakes somebody."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.api.asking import make_key, services_of
from tests.deploy.manual import adapted
from tests.factories import CAT
from tests.observability import FOLDER, dashboard_queries
from tests.serving import EMAIL, PASSWORD, RunningSite, free_port
from tests.waiting import wait_until
from tests.web.visiting import Visitor

HERE = Path(__file__).parent


def promtool(*words: str | Path) -> str:
    done = subprocess.run(["promtool", *map(str, words)], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def lay_out(folder: Path, key: str, changes: dict[str, str]) -> Path:
    """Put the files where an operator would, with a key of the site, and give the configuration."""
    shutil.copy(FOLDER / "alerts.yml", folder)
    (folder / "vitrine.key").write_text(key, encoding="ascii")
    given = (FOLDER / "prometheus.yml").read_text(encoding="utf-8")
    configuration = folder / "prometheus.yml"
    configuration.write_text(adapted(given, {"/etc/prometheus/vitrine.key": "vitrine.key", **changes}), encoding="utf-8")
    return configuration


def test_the_rules_are_rules_and_the_configuration_is_one(tmp_path: Path) -> None:
    assert "13 rules found" in promtool("check", "rules", FOLDER / "alerts.yml")
    assert "SUCCESS" in promtool("check", "config", lay_out(tmp_path, "vtr_", {}))


def test_each_alert_fires_when_it_should_and_not_before(tmp_path: Path) -> None:
    for path in (FOLDER / "alerts.yml", HERE / "alerts.test.yml"):
        shutil.copy(path, tmp_path)
    assert "SUCCESS" in promtool("test", "rules", tmp_path / "alerts.test.yml")
    named = {rule["alert"] for rule in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"][0]["rules"]}
    told = yaml.safe_load((HERE / "alerts.test.yml").read_text())["tests"]
    fired = {each["alertname"] for test in told for each in test["alert_rule_test"] if each.get("exp_alerts")}
    assert fired == named


def test_every_query_of_the_dashboard_is_one(tmp_path: Path) -> None:
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(dashboard_queries())]
    (tmp_path / "queries.yml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    assert f"{len(rules)} rules found" in promtool("check", "rules", tmp_path / "queries.yml")


class RunningPrometheus:
    """A Prometheus on a loopback port that asks every second."""

    def __init__(self, url: str) -> None:
        self._url = url

    def ask(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self._url}/-/ready", timeout=10) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def value(self, query: str) -> float | None:
        """Give what a query finds now, if it finds one thing."""
        found = self.ask(f"query?query={urllib.request.quote(query)}")["result"]  # type: ignore[attr-defined]
        return float(found[0]["value"][1]) if len(found) == 1 else None

    def firing(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}


@contextmanager
def prometheus(configuration: Path) -> Iterator[RunningPrometheus]:
    folder, port = configuration.parent, free_port()
    words = ["prometheus", f"--config.file={configuration}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen([*words, f"--web.listen-address=127.0.0.1:{port}"], cwd=folder, stdout=log, stderr=log)
        try:
            running = RunningPrometheus(f"http://127.0.0.1:{port}")
            wait_until(running.ready)
            yield running
        finally:
            process.terminate()
            process.wait(30)


def test_prometheus_asks_a_site_with_its_key_and_wakes_somebody(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", public_url="http://photos.example.org", plain_http="yes") as site:
        here = services_of(site)
        here.accounts.create(EMAIL, PASSWORD, admin=True)
        key = make_key(here, scopes=("predict", "metrics:read"))
        changes = {"127.0.0.1:8000": f"127.0.0.1:{site.port}", "interval: 15s": "interval: 1s"}
        configuration = lay_out(tmp_path, key, changes)
        rules = configuration.with_name("alerts.yml")
        rules.write_text(rules.read_text(encoding="utf-8").replace("for: 2m", "for: 2s"), encoding="utf-8")
        with prometheus(configuration) as asking:
            wait_until(lambda: asking.value('up{job="vitrine"}') == 1)
            wait_until(lambda: asking.value("vitrine_workers_ready") == 2)
            for _ in range(5):
                assert site.request("POST", "/api/v1/predict", CAT.read_bytes(), key=key).status == 200
            wait_until(lambda: asking.value('vitrine_requests_total{kind="predict", status="2xx"}') == 5)
            assert asking.firing() == set()
            stranger = Visitor(site)
            token = stranger.token_of("/login")
            for _ in range(60):
                fields = {"email": "nobody@example.org", "password": "wrong but long enough", "csrf_token": token}
                stranger.send("/login", fields)
            wait_until(lambda: "VitrineLoginsFail" in asking.firing())
            site.stop()
            wait_until(lambda: "VitrineDown" in asking.firing())


def test_prometheus_with_no_key_learns_nothing(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="1") as site:
        changes = {"127.0.0.1:8000": f"127.0.0.1:{site.port}", "interval: 15s": "interval: 1s"}
        with prometheus(lay_out(tmp_path, "vtr_none", changes)) as asking:
            wait_until(lambda: asking.value('up{job="vitrine"}') == 0)
            (target,) = asking.ask("targets")["activeTargets"]
            assert "401" in target["lastError"]
