"""The peers: how each is started. Two processes or workers each, as for Vitrine; a better setting is welcome here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.load.wires import Wire
from benchmarks.places import HERE, Places
from benchmarks.servers.running import Launch

_APPS = HERE / "peers"
DRAFT = "+draft"


@dataclass(frozen=True)
class Peer:
    """One peer; the first word of its command is looked up in the environment `venv`."""

    name: str
    title: str
    venv: str
    command: str
    packages: tuple[str, ...]
    path: str = "/predict"
    wire: Wire = "form"
    folder: Path = _APPS
    environment: Mapping[str, str] = field(default_factory=dict)

    def program(self, places: Places) -> Path:
        """Give the file that is run."""
        return places.venvs / self.venv / "bin" / self.command.split()[0]

    def launch(self, places: Places, model: Path, *, draft: bool) -> Launch:
        """Say how it is started for a model file, with JPEGs decoded whole or by draft."""
        program = self.program(places)
        path = f"{program.parent}:/usr/local/bin:/usr/bin:/bin"  # BentoML looks for its own tools there
        home = str(places.home / "bentoml")  # where it would else write into the home folder
        given = {"BENCH_MODEL": str(model), "PATH": path, "BENTOML_HOME": home, **self.environment}
        return Launch(
            name=self.name + (DRAFT if draft else ""),
            title=self.title + (", draft" if draft else ""),
            kind="draft" if draft else "plain",
            command=(str(program), *self.command.split()[1:]),
            folder=self.folder,
            path=self.path,
            environment={**given, **({"BENCH_DRAFT": "yes"} if draft else {})},
            wire=self.wire,
        )


_GUNICORN = "gunicorn --bind 127.0.0.1:{port} --workers 2"
PEERS = {
    peer.name: peer
    for peer in (
        Peer("fastapi", "FastAPI, Uvicorn, 2 workers", "web",
             "uvicorn fastapi_app:app --host 127.0.0.1 --port {port} --workers 2 --log-level warning --no-access-log",
             ("fastapi", "uvicorn")),
        Peer("flask", "Flask, Gunicorn, 2 sync workers", "web", f"{_GUNICORN} flask_app:app", ("flask", "gunicorn")),
        Peer("flask-threads", "Flask, Gunicorn, 2 workers of 4 threads", "web",
             f"{_GUNICORN} --worker-class gthread --threads 4 flask_app:app", ("flask", "gunicorn")),
        Peer("litserve", "LitServe, 2 workers", "litserve", "python litserve_app.py {port} 1", ("litserve",)),
        Peer("litserve-batches", "LitServe, 2 workers, batches of 32 in 10 ms", "litserve",
             "python litserve_app.py {port} 32", ("litserve",)),
        Peer("bentoml", "BentoML, 2 workers", "bentoml",
             "bentoml serve bentoml_app:Pictures --host 127.0.0.1 --port {port}", ("bentoml",),
             environment={"BENTOML_DO_NOT_TRACK": "true",
                          "BENTOML_CONFIG_OPTIONS": "services.logging.access.enabled=false"}),
        Peer("mlserver", "MLServer, 2 workers, batches of 32 in 10 ms", "mlserver", "mlserver start .", ("mlserver",),
             path="/v2/models/pictures/infer", wire="v2", folder=_APPS / "mlserver",
             environment={"MLSERVER_HOST": "127.0.0.1", "MLSERVER_HTTP_PORT": "{port}", "MLSERVER_GRPC_PORT": "{port2}",
                          "MLSERVER_METRICS_PORT": "{port3}", "PYTHONPATH": ".."}),
    )
}  # fmt: skip
