"""Compose's file with its servers' names led to servers of a test, and the secrets that the documents make."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg.sql import SQL

from app.services.private_files import write_private
from tests.platforms.files import read
from tests.postgres import RunningPostgres
from tests.redis_server import RunningRedis
from tests.serving import TREE
from tests.waiting import wait_until

SERVICES = read("compose/compose.yaml")["services"]
VITRINE = SERVICES["vitrine"]


def documented() -> str:
    """Give the commands of the documents that make the secrets, without those that need a certificate, root or Docker."""
    text = (TREE / "docs" / "deploy.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(cd deploy/compose .*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition(" && chown")[0] for line in block.splitlines() if not re.search(r"docker|tls\.", line)]
    return "\n".join(lines)


def make_secrets(folder: Path) -> Path:
    """Carry the commands out, and give the folder of the secrets."""
    (folder / "deploy" / "compose").mkdir(parents=True)
    subprocess.run(["sh", "-euc", documented()], cwd=folder, check=True, timeout=60)
    return folder / "deploy" / "compose" / "secrets"


def settings_over(postgres: RunningPostgres, redis: RunningRedis, secrets: Path, *, seen_at: Path) -> dict[str, str]:
    """Give the settings of the file over servers of the test; the site sees the folder of the secrets at another place.

    PostgreSQL asks for the password from now on, which is put into the passfile for where this one listens.
    """
    database = urlsplit(postgres.database())
    _ask_for_the_password(database.geturl(), (secrets / "postgres_password").read_text())
    where = f"{database.hostname}:{database.port}:{database.path.strip('/')}:{database.username}:"
    passfile = (secrets / "passfile").read_text()
    assert passfile.startswith("postgres:5432:vitrine:vitrine:")
    write_private(secrets / "passfile", where + passfile.strip().rpartition(":")[2])
    return {
        **VITRINE["environment"],
        "VITRINE_SECRET_KEY_FILE": str(seen_at / "secret_key"),
        "VITRINE_DATABASE_URL": f"{database.geturl()}?passfile={seen_at / 'passfile'}",
        "VITRINE_REDIS_URL": redis.url,
    }


def _ask_for_the_password(database: str, password: str) -> None:
    """Let the server ask its user for a password from now on, as the image of PostgreSQL does by itself."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SQL("ALTER ROLE postgres PASSWORD {}").format(password))
        (rules,) = connection.execute("SHOW hba_file").fetchone() or ("",)
        connection.execute(SQL("COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO {}").format(rules))
        connection.execute("SELECT pg_reload_conf()")
    wait_until(lambda: _is_refused(database))


def _is_refused(database: str) -> bool:
    try:
        psycopg.connect(database).close()
    except psycopg.OperationalError:
        return True
    return False
