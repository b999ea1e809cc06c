"""What the files of deploy/observability ask Prometheus for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.serving import TREE

FOLDER = TREE / "deploy" / "observability"
# Grafana puts a length of time in its place.
_INTERVAL = "$__rate_interval"
_NAME = re.compile(r"\bvitrine_\w+")
_SELECTOR = re.compile(r"\b(vitrine_\w+)\{([^}]*)\}")
_LABEL = re.compile(r'(\w+)\s*(?:=~|!=|!~|=)\s*"')
# What Prometheus adds by itself.
_ADDED = {"job", "instance", "le"}


def rules() -> list[dict[str, Any]]:
    """Give the alert rules."""
    (group,) = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def dashboard() -> dict[str, Any]:
    """Give the dashboard for Grafana."""
    found: dict[str, Any] = json.loads((FOLDER / "dashboard.json").read_text(encoding="utf-8"))
    return found


def dashboard_queries() -> Iterator[str]:
    """Give every query of the dashboard as Prometheus gets it."""
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace(_INTERVAL, "5m").replace("$job", "vitrine")


def queries() -> list[str]:
    """Give every query of the alerts and the dashboard."""
    return [*(str(rule["expr"]) for rule in rules()), *dashboard_queries()]


def metrics_named() -> set[str]:
    """Give every metric that is named in them."""
    return {name for query in queries() for name in _NAME.findall(query)}


def labels_named() -> set[tuple[str, str]]:
    """Give every metric with each label by which it is chosen."""
    chosen = (match for query in queries() for match in _SELECTOR.findall(query))
    return {(name, label) for name, inside in chosen for label in _LABEL.findall(inside) if label not in _ADDED}
