"""The house stands as it is drawn: floors, lengths, lazy imports, and a guard at every door."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from flask import Flask
from importlinter.cli import lint_imports

from app.config import TREE
from app.factory import create_app
from app.storage.schema import upgrade
from tests.factories import make_settings
from tests.serving import EMAIL, PASSWORD

SOURCES = sorted((TREE / "app").rglob("*.py"))

# What is imported inside a function, where, and what a start is spared by it (milliseconds, measured on one core).
LATE_IMPORTS = {
    ("app/__init__.py", "app.factory"): "1100: Flask and all doors, for whoever imports a floor below them",
    (
        "app/inference/runtimes/__init__.py",
        "app.inference.runtimes.sklearn",
    ): "2800: scikit-learn, skops, where none is needed",
    ("app/inference/runtimes/__init__.py", "app.inference.runtimes.onnx"): "5; onnxruntime behind it 30",
    ("app/inference/runtimes/onnx_session.py", "onnxruntime"): "30, and the environment must be set before",
    ("app/api/openapi.py", "spectree"): "100: SpecTree, for a document that few ask for",
    ("app/api/openapi.py", "spectree.models"): "0 after that",
    ("app/storage/schema.py", "alembic"): "140, with the next three: Alembic, where the schema is as it should be",
    ("app/storage/schema.py", "alembic.config"): "0 after that",
    ("app/storage/schema.py", "alembic.runtime.migration"): "0 after that",
    ("app/storage/schema.py", "alembic.script"): "0 after that",
    (
        "app/composition/accounts.py",
        "app.services.accounts.identity_provider",
    ): "190: Authlib, cryptography and requests, where no provider is set",
    (
        "app/composition/answers.py",
        "app.services.telemetry.tracing",
    ): "280: OpenTelemetry and requests; no collector is set",
    ("app/composition/models.py", "app.services.in_a_bucket"): "5, where no object store is named",
    ("app/storage/bucket.py", "obstore"): "20, with the next two: obstore, likewise",
    ("app/storage/bucket.py", "obstore.exceptions"): "0 after that",
    ("app/storage/bucket.py", "obstore.store"): "0 after that",
    ("app/storage/database.py", "app.storage.postgresql"): "80: psycopg, where no PostgreSQL is named",
    ("app/storage/redis_counters.py", "redis"): "200, with the next two, where no Redis is named",
    ("app/storage/redis_counters.py", "redis.backoff"): "0 after that",
    ("app/storage/redis_counters.py", "redis.retry"): "0 after that",
    ("app/http/headers.py", "flask_cors"): "3, where no other origin may use the API",
    ("app/services/mail.py", "smtplib"): "1, for most starts send no letter",
    ("app/services/accounts/passwords.py", "zxcvbn_rs_py"): "1, and 9 MB of words where somebody chooses a password",
    ("app/services/accounts/vault.py", "cryptography.fernet"): "1, for the accounts that have an app, at their logins",
    ("app/services/accounts/passkeys.py", "fido2.server"): "29, for the accounts that have passkeys, at their logins",
    ("app/services/accounts/passkeys.py", "fido2.webauthn"): "0 after that",
    ("app/services/accounts/passkeys.py", "cryptography.exceptions"): "0 after that",
    ("app/web/qr.py", "segno"): "4, for whoever sets up an app",
    ("app/services/telemetry/numbers.py", "prometheus_client"): "30, and the environment must be set before",
    ("app/services/telemetry/exposition.py", "prometheus_client"): "0 after that",
    ("app/services/telemetry/exposition.py", "prometheus_client.exposition"): "0 after that",
    (
        "app/services/telemetry/exposition.py",
        "prometheus_client.multiprocess",
    ): "1, where the numbers of several are asked for",
    ("app/services/telemetry/exposition.py", "prometheus_client.mmap_dict"): "0 after that",
    ("app/services/model_uploads.py", "app.services.sample_archive"): "5, where samples come along",
    ("app/services/model_uploads.py", "app.intake.recipe_guess"): "20, with the next two, where a model comes by the browser",
    ("app/services/model_uploads.py", "app.services.importing"): "0 after that",
    ("app/services/model_uploads.py", "app.intake.sandbox"): "0 after that",
    ("app/web/models.py", "mistune"): "14, and memory in every process, for the pages of models alone",
    ("app/web/administration.py", "app.web.evidence"): "7, for the page that compares two versions alone",
    ("app/cli/house.py", "app.services.restoring"): "9: tarfile, for a backup whose restoring was killed on the way",
    ("app/web/dashboard.py", "app.services.telemetry.traffic_report"): "20, with the next two, for the dashboard alone",
    ("app/web/dashboard.py", "app.web.live_traffic"): "0 after that",
    ("app/web/dashboard.py", "app.web.traffic_charts"): "0 after that",
    ("app/cli/train.py", "app.services.training"): "1000: scikit-learn, for every other command",
}

# Every address is on one of these lists. On the second, nobody gets further without a login or a key.
PUBLIC = {
    "GET /livez",
    "GET /readyz",
    "GET /login",
    "POST /login",
    "POST /logout",
    "POST /login/oidc",
    "GET /login/oidc/callback",
    "GET /login/passkey",
    "POST /login/passkey",
    "GET /login/second-step",
    "POST /login/second-step",
    "GET /login/second-step/passkey",
    "POST /login/second-step/passkey",
    "GET /recover",
    "POST /recover",
    "GET /recover/<token>",
    "POST /recover/<token>",
    "GET /register",
    "POST /register",
    "GET /setup/<token>",
    "GET /invitation/<token>",
    "POST /invitation/<token>",
    "POST /setup/<token>",
    "GET /api/docs",
    "GET /api/v1/openapi.json",
    "GET /static/<path:filename>",
}
GUARDED = {
    "GET /",
    "POST /",
    "GET /history",
    "GET /history.csv",
    "GET /predictions/<prediction_id>",
    "GET /predictions/<prediction_id>/picture",
    "POST /predictions/<prediction_id>/delete",
    "GET /models",
    "GET /models/<name>",
    "GET /models/<name>/samples/<path:file>",
    "GET /models/<name>/versions/<version>",
    "GET /models/<name>/versions/<version>/evidence",
    "POST /models/<name>/versions/<version>/activate",
    "POST /models/<name>/versions/<version>/rollback",
    "POST /models/<name>/versions/<version>/shadow",
    "POST /models/<name>/versions/<version>/shadow/end",
    "GET /account",
    "GET /account/password",
    "POST /account/password",
    "GET /account/email",
    "POST /account/email",
    "GET /account/email/<token>",
    "POST /account/email/<token>",
    "GET /account/download",
    "POST /account/delete",
    "GET /verify",
    "POST /verify",
    "POST /account/keys",
    "GET /account/keys/<key_id>",
    "POST /account/keys/<key_id>/revoke",
    "POST /account/identities/<int:number>/unlink",
    "POST /account/logins/<int:number>/end",
    "POST /account/logins/end-others",
    "GET /account/second-factor",
    "GET /account/second-factor/app",
    "POST /account/second-factor/app",
    "POST /account/second-factor/app/remove",
    "POST /account/second-factor/codes",
    "GET /account/second-factor/passkeys/options",
    "POST /account/second-factor/passkeys",
    "POST /account/second-factor/passkeys/<int:number>/remove",
    "GET /dashboard",
    "GET /dashboard/live",
    "GET /people",
    "POST /people/invite",
    "POST /people/invitations/<int:number>/withdraw",
    "POST /people/<int:number>/disable",
    "POST /people/<int:number>/enable",
    "POST /people/<int:number>/promote",
    "POST /people/<int:number>/demote",
    "POST /people/<int:number>/log-out",
    "POST /people/<int:number>/second-factor-off",
    "GET /administration/models/import",
    "POST /administration/models/import",
    "GET /administration/models/import/<token>",
    "POST /administration/models/import/<token>",
    "POST /administration/models/import/<token>/discard",
    "GET /administration/predictions",
    "GET /administration/keys",
    "POST /administration/keys/<key_id>/revoke",
    "GET /administration/audit-log",
    "GET /administration/<name>.csv",
    "POST /api/v1/predict",
    "POST /api/v1/models/<name>/predict",
    "POST /api/v1/models/<name>/versions/<version>/predict",
    "GET /api/v1/models",
    "POST /api/v1/models/<name>/versions/<version>/activate",
    "POST /api/v1/models/<name>/versions/<version>/rollback",
    "GET /api/v1/models/<name>/versions/<version>/shadow",
    "POST /api/v1/models/<name>/versions/<version>/shadow",
    "DELETE /api/v1/models/<name>/versions/<version>/shadow",
    "GET /api/v1/predictions",
    "GET /api/v1/predictions/<prediction_id>",
    "GET /api/v1/people",
    "GET /api/v1/audit-log",
    "GET /metrics",
}
# Of those, what needs the administrator's role, and what changes something a fresh login as well.
ADMINISTRATION = {
    "GET /models/<name>/versions/<version>/evidence",
    "POST /models/<name>/versions/<version>/activate",
    "POST /models/<name>/versions/<version>/rollback",
    "POST /models/<name>/versions/<version>/shadow",
    "POST /models/<name>/versions/<version>/shadow/end",
    *(door for door in GUARDED if door.partition(" ")[2].startswith(("/people", "/administration/", "/dashboard"))),
}
ADMINISTRATIVE_ROOMS = ("administration", "dashboard", "model_uploads", "people", "records")


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return create_app(make_settings(tmp_path, mail="console"))


def routes(app: Flask) -> Iterator[tuple[str, str]]:
    """Give every method and rule of the app; HEAD and OPTIONS are Flask's shadows of the others."""
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule.rule


def test_the_floors_hold() -> None:
    assert lint_imports(config_filename=str(TREE / "pyproject.toml")) == 0


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    graph = grimp.build_graph("app", exclude_type_checking_imports=True)
    graph.remove_import(importer="app", imported="app.factory")
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' -> '.join([*path[path.index(module) :], module])}"
        if module not in done:
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                visit(imported, (*path, module))
            done.add(module)

    for module in sorted(graph.modules):
        visit(module, ())


@pytest.mark.parametrize(
    "floor",
    [
        "app.inference",
        "app.inference.predictor",
        "app.inference.images",
        "app.intake",
        "app.intake.conversion",
        "app.estimators",
        "app.training",
    ],
)
def test_the_floors_below_know_nothing_of_the_web_or_the_database(floor: str) -> None:
    assert_not_imported(floor, "flask", "werkzeug", "sqlalchemy", "click")


# What a start may load, in modules: each costs about a millisecond of every start, and memory in every process.
START_BUDGET = 1142


def test_a_start_keeps_to_its_budget_of_imports() -> None:
    program = "import app.cli.serve, app.factory, app.server.worker"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", program], cwd=TREE, capture_output=True, text=True, check=True
    )
    loaded = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")][1:]
    # Libraries that colour tracebacks come with the tools of the tests alone.
    counted = [name for name in loaded if name.partition(".")[0] not in ("rich", "pygments", "attr", "markdown_it", "mdurl")]
    late = {"sklearn", "scipy", "onnxruntime", "skops", "onnx", "alembic", "mako", "spectree", "prometheus_client", "mistune"}
    late |= {"flask_cors", "joserfc", "requests", "redis", "fido2", "segno", "obstore", "opentelemetry"}
    assert late & {name.partition(".")[0] for name in loaded} == set()
    assert len(counted) <= START_BUDGET, f"{len(counted)} modules: what of it could be imported on first use?"


def test_a_start_without_such_models_needs_no_scikit_learn() -> None:
    assert_not_imported("app.factory", "sklearn", "scipy", "onnxruntime", "skops", "alembic")


def test_a_worker_that_serves_a_forest_needs_numpy_alone() -> None:
    assert_not_imported("app.inference.runtimes.forest", "sklearn", "scipy", "joblib", "skops", "onnxruntime")


def test_a_worker_that_serves_only_what_came_along_holds_no_scikit_learn(tmp_path: Path) -> None:
    program = (
        "import sys; from app.factory import create_app; from app.http.context import services; app = create_app();\n"
        "with app.app_context(): services().loader.warm_up()\n"
        "print([name for name in ('onnxruntime', 'sklearn', 'scipy', 'joblib') if name in sys.modules])"
    )
    environment = {**os.environ, "VITRINE_DATA": str(tmp_path)}
    printed = subprocess.run(
        [sys.executable, "-c", program], cwd=TREE, capture_output=True, text=True, check=True, env=environment
    ).stdout
    assert printed.strip().splitlines()[-1] == "['onnxruntime']"


def test_what_is_imported_late_is_named_with_its_reason() -> None:
    found = set()
    for path in SOURCES:
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if isinstance(node, ast.ImportFrom):
                    found.add((path.relative_to(TREE).as_posix(), str(node.module)))
                elif isinstance(node, ast.Import):
                    found |= {(path.relative_to(TREE).as_posix(), alias.name) for alias in node.names}
    assert found == LATE_IMPORTS.keys()


def test_files_and_functions_are_short() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= 300, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef) and "migrations" not in path.parts:
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 40, f"{path}:{node.name} has {length} lines"


def test_every_route_is_on_one_list(app: Flask) -> None:
    assert not PUBLIC & GUARDED
    assert {f"{method} {rule}" for method, rule in routes(app)} == PUBLIC | GUARDED


def test_nobody_gets_through_a_guarded_door_without_a_login_or_a_key(app: Flask) -> None:
    client = app.test_client()
    for method, rule in routes(app):
        if f"{method} {rule}" not in GUARDED:
            continue
        address = re.sub(r"<int:\w+>", "1", rule).replace("<path:file>", "x").replace("<", "").replace(">", "")
        answer = client.open(address, method=method)
        if rule.startswith(("/api/", "/metrics")):
            assert answer.status_code == 401, (method, rule)
        else:
            assert answer.status_code == 302, (method, rule)
            assert answer.headers["Location"].startswith("/login"), (method, rule)


def test_the_administration_is_guarded_and_looks_or_changes_but_never_both(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[0] in ADMINISTRATIVE_ROOMS]
    methods = {(rule.rule, *(rule.methods or set()) - {"OPTIONS", "HEAD"}) for rule in rules}
    assert {" ".join(reversed(each)) for each in methods} == ADMINISTRATION <= GUARDED


def test_a_member_gets_through_no_door_of_the_administration(app: Flask) -> None:
    services = app.extensions["vitrine"]
    upgrade(services.engine, copies=services.settings.data / "copies")
    services.accounts.create(EMAIL, PASSWORD)
    client = app.test_client()
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/login").text)[0]
    fields = {"email": EMAIL, "password": PASSWORD, "csrf_token": token}
    assert client.post("/login", data=fields).status_code == 302
    token = re.findall(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/account").text)[0]
    for door in ADMINISTRATION:
        method, rule = door.split()
        address = re.sub(r"<int:\w+>", "1", rule).replace("<", "").replace(">", "")
        data = {"csrf_token": token} if method == "POST" else None
        assert client.open(address, method=method, data=data).status_code == 403, door


def assert_not_imported(module: str, *unwanted: str) -> None:
    """Import a module in a fresh interpreter and find none of the unwanted ones."""
    program = f"import sys, {module}; print([name for name in {unwanted!r} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", program], cwd=TREE, capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]", f"{module} imports {printed.strip()}"
