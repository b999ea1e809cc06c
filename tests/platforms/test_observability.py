"""The alert rules and the dashboard name nothing that a real site does not tell, and leave out nothing that it does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from app.config import TREE
from app.services.audit_log import COMMAND_LINE
from tests.api.asking import make_key, services_of
from tests.factories import make_picture, publish
from tests.observability import dashboard, labels_named, metrics_named, rules
from tests.serving import EMAIL, PASSWORD, RunningSite
from tests.waiting import wait_until
from tests.web.visiting import Visitor


def numbers_of(site: RunningSite, key: str) -> dict[str, set[str]]:
    """Give the names of all series, each with those of its labels."""
    reply = site.request("GET", "/metrics", key=key)
    assert reply.status == 200
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(reply.body.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Give what a site tells once everything has happened on it that is counted."""
    with RunningSite(tmp_path_factory.mktemp("observed"), workers="1") as site:
        here = services_of(site)
        here.accounts.create(EMAIL, PASSWORD, admin=True)
        key = make_key(here, scopes=("predict", "metrics:read"))
        for _ in range(2):
            publish(here.repository, "observed")
        here.shadows.begin("observed", "2", 1.0, COMMAND_LINE)
        Visitor(site).log_in(password="wrong but long enough")
        site.request("POST", "/api/v1/predict", b"no picture", key=key)

        def everything() -> bool:
            answered = site.request("POST", "/api/v1/models/observed/predict", make_picture(), key=key)
            found = numbers_of(site, key)
            return answered.status == 200 and {"vitrine_shadow_answers_total", "vitrine_batches_total"} <= found.keys()

        wait_until(everything, every=0.2)
        return numbers_of(site, key)


def test_every_metric_that_is_named_is_there(told: dict[str, set[str]]) -> None:
    assert len(metrics_named()) > 15
    assert metrics_named() <= told.keys()


def test_every_label_that_is_named_is_there(told: dict[str, set[str]]) -> None:
    assert len(labels_named()) > 5
    assert {(name, label) for name, label in labels_named() if label not in told[name]} == set()


def test_every_metric_that_is_there_is_on_the_dashboard_and_in_the_manual(told: dict[str, set[str]]) -> None:
    parts = {"vitrine_prediction_seconds_count", "vitrine_prediction_seconds_sum"}
    assert told.keys() - parts <= metrics_named()
    manual = (TREE / "docs" / "deploy.md").read_text(encoding="utf-8")
    written = set(re.findall(r"^\| `(vitrine_\w+)` \|", manual, re.MULTILINE))
    assert written == {name.removesuffix("_bucket") for name in told.keys() - parts}


def test_alerts_have_names_of_ours_and_say_what_is_wrong() -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(set(names)) == len(names)
    for rule in rules():
        assert rule["alert"].startswith("Vitrine")
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"]["summary"].endswith(".")


def test_the_dashboard_is_whole_and_takes_its_source_from_whoever_opens_it() -> None:
    board = dashboard()
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {variable["name"] for variable in board["templating"]["list"]} == {"datasource", "job"}
    for panel in panels:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert panel["title"]


def test_no_panel_lies_on_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert all(x < 24 for x, _ in cells)
        assert not taken & cells, panel["title"]
        taken |= cells


def test_nothing_in_the_files_is_of_a_place_of_ours() -> None:
    for path in Path(TREE / "deploy" / "observability").iterdir():
        assert not re.search(r"vtr_[0-9a-f]{12}|/home/|/root/", path.read_text(encoding="utf-8")), path
