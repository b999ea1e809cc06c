"""What the documentation says is so: its commands run, its lists are whole."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import indent

import click
import pytest

from app import __version__
from app.cli import vitrine
from app.config import TREE, Settings
from app.factory import create_app
from app.services.accounts.api_keys import SCOPES
from tests.factories import CAT, DOG, make_services, make_settings

README = (TREE / "README.md").read_text(encoding="utf-8")


def commands(group: click.Group, path: tuple[str, ...] = ("vitrine",)) -> dict[str, click.Command]:
    """Give every command that is no group, by its full name."""
    found: dict[str, click.Command] = {}
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            found |= commands(command, (*path, name))
        else:
            found[" ".join((*path, name))] = command
    return found


def test_every_setting_is_documented_with_its_meaning() -> None:
    text = (TREE / "docs" / "settings.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `VITRINE_(\w+)` \|[^|]*\| (.*) \|$", text, re.MULTILINE))
    assert documented == {name.upper(): field.description for name, field in Settings.model_fields.items()}


def test_every_address_is_documented(tmp_path: Path) -> None:
    text = (TREE / "docs" / "addresses.md").read_text(encoding="utf-8")
    documented = {
        address: set(methods.split(", ")) for address, methods in re.findall(r"^\| `(/[^`]*)` \| ([A-Z, ]+) \|", text, re.M)
    }
    actual: dict[str, set[str]] = {}
    for rule in create_app(make_settings(tmp_path, mail="console")).url_map.iter_rules():
        actual.setdefault(rule.rule, set()).update((rule.methods or set()) - {"HEAD", "OPTIONS"})
    assert documented == actual


def test_every_command_is_documented_and_every_option_says_what_it_does() -> None:
    text = (TREE / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name, command in commands(vitrine).items():
        assert f"`{name}" in text, name
        assert command.help, name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (name, parameter.name)


def test_the_map_in_the_readme_is_whole() -> None:
    rooms = {path.name for path in (TREE / "app").iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.name for path in (TREE / "app").glob("*.py")} - {"__init__.py"}
    for room in rooms:
        assert f"`app/{room}/`" in README, room
    for file in files:
        assert f"`app/{file}`" in README, file


def test_links_between_documents_lead_somewhere() -> None:
    for document in [TREE / "README.md", TREE / "SECURITY.md", *(TREE / "docs").glob("*.md"), TREE / "models" / "README.md"]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_make_targets_in_the_readme_exist() -> None:
    makefile = (TREE / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^make (\w+)", README, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## {__version__}" in (TREE / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_way_from_a_notebook_to_a_served_model_runs_as_it_stands(tmp_path: Path) -> None:
    text = (TREE / "docs" / "your-model.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```(python|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 8
    _photos(tmp_path / "photos")
    program = "\n".join(code for kind, code in blocks if kind == "python")
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True, timeout=120)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    printed = ""
    for kind, code in blocks:
        if kind == "sh":
            environment = {**os.environ, "PATH": path, "VITRINE_DATA": str(tmp_path / "data")}
            run = subprocess.run(
                ["sh", "-euc", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
            )
            assert run.returncode == 0, run.stderr
            printed += run.stdout
    assert printed.count("zero.png: This image is a 0 (100.0 %)") == 2
    assert "How it is fed: stretched to 8 × 8 pixels; grey; 0 to 1; inverted; one flat row." in printed
    assert re.search(r"shades 1 is right on \d", printed)


def test_the_way_from_pytorch_is_the_one_that_the_scripts_network_went(tmp_path: Path) -> None:
    text = (TREE / "docs" / "from-pytorch.md").read_text(encoding="utf-8")
    (export, command, printed) = re.findall(r"^```(?:python|sh|text)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert indent(export, "    ") in (TREE / "scripts" / "build-torch-sample").read_text(encoding="utf-8")
    shutil.copy(TREE / "tests" / "data" / "networks" / "red-digits.onnx", tmp_path)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "VITRINE_DATA": str(tmp_path / "data")}
    run = subprocess.run(
        ["sh", "-euc", command], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=True
    )
    times = r"[\d.e-]+(?= ms a picture|\.\n)"
    assert re.sub(times, "T", run.stdout + run.stderr) == re.sub(times, "T", printed)


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "docs/your-model.md",
        "docs/from-pytorch.md",
        "docs/data.md",
        "docs/deploy.md",
        "docs/performance.md",
        "docs/security.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ],
)
def test_documents_speak_of_the_project_alone(name: str) -> None:
    text = (TREE / name).read_text(encoding="utf-8")
    assert f"{TREE.parent}/" not in text
    assert "/root" not in text


def _photos(folder: Path) -> None:
    """Lay out two classes of six different photos, cut from the two samples."""
    from PIL import Image

    for label, source in (("cat", CAT), ("dog", DOG)):
        (folder / label).mkdir(parents=True)
        with Image.open(source) as photo:
            for number in range(6):
                inset = 12 * number
                part = photo.crop((inset, inset * 2, photo.width - inset * 2, photo.height - inset))
                part.save(folder / label / f"{number}.png")
    shutil.copy(CAT, folder / "cat" / "whole.jpg")


def test_every_scope_is_documented_with_the_addresses_that_it_opens(tmp_path: Path) -> None:
    text = (TREE / "docs" / "api-keys.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w:]+)` \| (.*) \|$", text, re.MULTILINE)
    documented = {scope: set(re.findall(r"`([A-Z]+ /[^`]*)`", addresses)) for scope, addresses in rows}
    here = make_services(tmp_path)
    account = here.accounts.create("root@example.org", "correct horse battery", admin=True)
    app = create_app(here.settings)
    opened: dict[str, set[str]] = {}
    for scope in SCOPES:
        headers = {"Authorization": f"Bearer {here.api_keys.create(account, 'tests', scopes=(scope,))}"}
        for rule in app.url_map.iter_rules():
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                if rule.rule.startswith(("/api/v1/", "/metrics")) and rule.endpoint != "api_docs.openapi_json":
                    answer = app.test_client().open(re.sub(r"<\w+>", "nothing", rule.rule), method=method, headers=headers)
                    if answer.status_code != 403:
                        opened.setdefault(scope, set()).add(f"{method} {rule.rule}")
    assert opened == documented
