"""A site inside a real Apache, with the configuration of deploy/apache."""

from __future__ import annotations

import os
from pathlib import Path

from tests.deploy.manual import adapted
from tests.deploy.servers import ServerSite
from tests.serving import TREE

# As Debian has it around its sites.
_MAIN = """
ServerRoot {folder}
ServerName localhost
PidFile apache.pid
ErrorLog error.log
Mutex posixsem
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule reqtimeout_module /usr/lib/apache2/modules/mod_reqtimeout.so
Include mods-enabled/*.load
WSGISocketPrefix {folder}/wsgi
Include sites-enabled/*.conf
"""
# Apache does not run as root. As root the test is somebody else in a namespace of its own, who may read the same files.
_NOBODY = ["unshare", "--user", "--map-user=1000", "--map-group=1000"] if os.geteuid() == 0 else []


class ApacheSite(ServerSite):
    """The manual's commands, with folders of the test's own, and then Apache; mounted at a path where one is given."""

    def __init__(self, folder: Path, *, mounted_at: str = "", **settings: str) -> None:
        super().__init__(folder, "Apache with mod_wsgi", {}, **settings)
        self._mounted_at = mounted_at

    @property
    def script(self) -> str:
        """The commands, and the start that an operator's system does."""
        folder = self.data.parent
        changes = {
            "exec apache2ctl configtest": f"{' '.join(_NOBODY)} apache2 -t -f {folder}/apache2.conf\n"
            f"exec {' '.join(_NOBODY)} apache2 -DFOREGROUND -f {folder}/apache2.conf",
            ".venv/bin/mod_wsgi-express": "mod_wsgi-express",
            ".venv/bin/vitrine": "python -m app.cli",
            "/etc/apache2": str(folder),
            "#/srv/vitrine#g": f"#{TREE}#g",
            "deploy/apache/vitrine.conf >": f"deploy/apache/vitrine.conf | sed -e 's# user=vitrine##' "
            f"-e 's#[*]:80#127.0.0.1:{self.port}#' -e 's#ScriptAlias / #ScriptAlias {self._mounted_at or '/'} #' >",
        }
        return adapted(super().script, changes)

    @property
    def environment(self) -> dict[str, str]:
        """The environment, which an operator writes into /etc/apache2/envvars."""
        return {**super().environment, "PROMETHEUS_MULTIPROC_DIR": str(self.data.parent / "numbers")}

    def launch(self) -> None:
        """Write what is around the site, and start."""
        folder = self.data.parent
        for name in ("mods-enabled", "sites-enabled"):
            (folder / name).mkdir(exist_ok=True)
        (folder / "apache2.conf").write_text(_MAIN.format(folder=folder, port=self.port), encoding="utf-8")
        super().launch()
