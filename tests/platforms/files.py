"""The files in deploy/, as they are, and the published schemas that they are held against."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any
from zipfile import ZipFile

import yaml
from jsonschema import Draft4Validator, Draft202012Validator
from referencing import Registry, Resource

from app.config import Settings
from tests.serving import TREE

DEPLOY = TREE / "deploy"
KUBERNETES = "1.37.0"
_SCHEMAS = TREE / ".venv" / "schemas"
_SECRET = re.compile(r"SECRET|PASSWORD|TOKEN|KEY", re.IGNORECASE)


def read(name: str) -> Any:
    """Give what a file holds that is one document."""
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def known_settings() -> set[str]:
    """Give the names of all settings, as the environment bears them."""
    return {f"VITRINE_{name.upper()}" for name in Settings.model_fields}


def assert_settings(given: dict[str, str]) -> None:
    """See that these are settings, and can be read."""
    ours = {name: value for name, value in given.items() if name.startswith("VITRINE_")}
    assert ours
    assert ours.keys() <= known_settings(), ours.keys() - known_settings()
    Settings.model_validate({name.removeprefix("VITRINE_").lower(): value for name, value in ours.items()})


def assert_no_secret(text: str) -> None:
    """See that no secret stands in a file, under a name that tells one."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        assert not (_SECRET.search(name) and value), line


@cache
def _from_wheel(package: str, path: str) -> Any:
    (wheel,) = _SCHEMAS.glob(f"{package}-*.whl")
    with ZipFile(wheel) as opened:
        return json.loads(opened.read(path))


def kubernetes_faults(thing: dict[str, Any]) -> list[str]:
    """Give what Kubernetes' strict schema has against an object: an unknown field, too."""
    group, _, version = thing["apiVersion"].rpartition("/")
    name = "-".join(part for part in (thing["kind"].lower(), group.partition(".")[0], version) if part)
    return _faults(_kubernetes(f"{name}.json"), thing)


def kubernetes_part_faults(kind: str, thing: dict[str, Any]) -> list[str]:
    """Give what it has against a part of an object, such as `core.v1.Container`."""
    definitions = _kubernetes("_definitions.json")
    return _faults({**definitions["$defs"][f"io.k8s.api.{kind}"], "$id": "https://kubernetes.io/api/part"}, thing)


def _kubernetes(name: str) -> Any:
    return _from_wheel("kubernetes_validate", f"kubernetes_validate/kubernetes-json-schema/v{KUBERNETES}-local-strict/{name}")


def _faults(schema: dict[str, Any], thing: Any) -> list[str]:
    definitions = Resource.from_contents(_kubernetes("_definitions.json"))
    # A part names its fellows as if it stood among them.
    registry: Registry[Any] = Registry().with_resource("https://kubernetes.io/api/_definitions.json", definitions)
    pointed = json.loads(json.dumps(schema).replace('"#/$defs/', '"/api/_definitions.json#/$defs/'))
    return [
        f"{error.json_path}: {error.message}" for error in Draft202012Validator(pointed, registry=registry).iter_errors(thing)
    ]


def compose_faults(thing: dict[str, Any]) -> list[str]:
    """Give what the Compose specification's schema has against a file."""
    schema = _from_wheel("check_jsonschema", "check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    return [f"{error.json_path}: {error.message}" for error in Draft202012Validator(schema).iter_errors(thing)]


def cloud_init_faults(thing: dict[str, Any]) -> list[str]:
    """Give what cloud-init's schema has against a file, and the keys that no module of it reads."""
    schema = json.loads((_SCHEMAS / "cloud-config.json").read_text(encoding="utf-8"))
    read_by_modules = {name for part in schema["$defs"].values() for name in part.get("properties", {})}
    unread = [f"{name}: nobody reads it" for name in thing.keys() - read_by_modules]
    return unread + [f"{list(error.path)}: {error.message}" for error in Draft4Validator(schema).iter_errors(thing)]
