"""`vitrine show`: a page for guests while it runs, nothing of it afterwards, and no hand on a site that is set up here."""

from __future__ import annotations

import os
import pickle
import pty
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB

from app.cli.showing import name_of
from tests.cli.running import Ran, refusal_of
from tests.factories import make_picture
from tests.serving import RunningSite, free_port
from tests.showing import ModelOnShow
from tests.waiting import wait_until
from tests.web.reading import Page
from tests.web.visiting import Visitor

SIDE = 6
LIGHT = ("images", "light.png", make_picture((250, 250, 250)))
# Whatever this is taken from, it is not the page's.
STRANGE = "raise SystemExit('the file of somebody else was run')\n"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the pickle of a classifier that tells dark pictures of 6 by 6 grey levels from light ones."""
    levels = np.linspace(0, 1, 80)[:, np.newaxis] * np.ones(SIDE * SIDE)
    noise = np.random.default_rng(0).normal(0, 0.05, levels.shape)
    file = tmp_path_factory.mktemp("models") / "Night & Day.pkl"
    file.write_bytes(pickle.dumps(GaussianNB().fit(levels + noise, np.where(levels[:, 0] > 0.5, 1, 0))))
    return file


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[ModelOnShow]:
    """Give that classifier on show."""
    with ModelOnShow(tmp_path_factory.mktemp("shown"), model, "--labels", "night,day") as running:
        yield running


def visitor_of(running: ModelOnShow, folder: Path) -> Visitor:
    """Give somebody who comes to the page."""
    site = RunningSite(folder)
    site.port, site.url = running.port, running.url
    return Visitor(site)


def refused(folder: Path, *words: str | Path) -> str:
    """Give the line by which a file is refused; nothing is left behind."""
    running = ModelOnShow(folder, *words)
    before = running.left
    running.start()
    code = running.wait()
    assert running.left == before
    return refusal_of(Ran(code, running.out, running.complaints))


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Give what lies in a folder, with the time of its last change."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def test_a_file_is_told_of_as_an_import_does_and_answers_whoever_comes(shown: ModelOnShow, tmp_path: Path) -> None:
    lines = shown.out.splitlines()
    assert lines[0] == "Read without being run: GaussianNB."
    assert "Seen from its 36 features: grey pictures of 6x6." in lines
    assert lines[-4] == "Classes: night, day."
    assert lines[-3].startswith("Proven on ")
    assert lines[-2].startswith("Served by ")
    assert lines[-1] == f"Your model is at {shown.url} (Ctrl-C ends it)"
    visitor = visitor_of(shown, tmp_path)
    page = Page(visitor.get("/"))
    assert (page.status, len(page.all("input", type="file", name="images"))) == (200, 1)
    assert "The answer Day" in Page(visitor.submit("/", {}, [LIGHT])).words
    assert Page(visitor.get("/models")).targets("/models/") == ["/models/night-day"]


def test_a_visitor_s_login_at_a_site_beside_it_is_left_alone(shown: ModelOnShow, tmp_path: Path) -> None:
    visitor = visitor_of(shown, tmp_path)
    assert visitor.submit("/", {}, [LIGHT]).status == 200
    assert set(visitor.cookies) == {f"vitrine-{shown.port}"}


def test_nothing_of_it_stays_when_ctrl_c_ends_it(tmp_path: Path, model: Path) -> None:
    with ModelOnShow(tmp_path, model) as running:
        (left,) = running.left
        folder = running.temporary / left
        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / "models" / "night-day" / "1").is_dir()
        assert running.end(signal.SIGINT) == 0
        assert (running.left, running.complaints) == ([], "")
        assert not Path("/dev/shm", f"vitrine-{running.pid}").exists()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", running.port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_nothing_stays_when_it_is_told_to_end_or_its_terminal_closes(tmp_path: Path, model: Path, number: int) -> None:
    with ModelOnShow(tmp_path, model) as running:
        assert running.end(number) == 0
        assert running.left == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_nothing_stays_when_it_is_ended_before_there_is_a_page(tmp_path: Path, model: Path, number: int, code: int) -> None:
    running = ModelOnShow(tmp_path, model)
    running.start()
    wait_until(lambda: list(running.temporary.glob("*/vitrine.db")))
    assert running.end(number) == code
    assert running.left == []
    assert "Your model" not in running.out


def test_who_sits_before_it_is_told_what_goes_on_and_may_close_the_terminal(tmp_path: Path, model: Path) -> None:
    terminal, inside = pty.openpty()
    running = ModelOnShow(tmp_path, model)
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        running.start_in_terminal(inside)
        os.close(inside)
        shown = b""
        while b"(Ctrl-C ends it)" not in shown:
            shown += screen.read(4096)
    lines = shown.decode().splitlines()
    assert lines[0] == f"Importing {model.name}: it is read, opened once in confinement, converted and proven."
    assert lines[1] == "Read without being run: GaussianNB."
    assert running.wait() == 0
    assert running.left == []


def test_what_a_killed_one_left_is_gone_with_the_next_and_what_runs_is_left_alone(tmp_path: Path, model: Path) -> None:
    with ModelOnShow(tmp_path, model) as first:
        (abandoned,) = first.left
        workers = Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()
        assert first.end(signal.SIGKILL) == -signal.SIGKILL
        assert first.left == [abandoned]
        # A worker sees that it is alone, and ends.
        wait_until(lambda: not any(Path("/proc", worker).exists() for worker in workers))
    with ModelOnShow(tmp_path, model) as second:
        assert len(second.left) == 1
        assert abandoned not in second.left
        assert "No such file" in refused(tmp_path, "gone.pkl")
        assert "The answer 1" in Page(visitor_of(second, tmp_path).submit("/", {}, [LIGHT])).words


def test_it_listens_on_this_machine_alone_and_only_where_it_was_asked_to(tmp_path: Path, model: Path) -> None:
    port = free_port()
    with ModelOnShow(tmp_path, model, "--port", str(port)) as running:
        assert running.port == port
        rows = [line.split() for table in ("tcp", "tcp6") for line in Path("/proc/net", table).read_text().splitlines()[1:]]
        listening = [row[1] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"]
        assert listening == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken_is_told_before_the_file_is_looked_at(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        said = refused(tmp_path, "gone.pkl", "--port", str(port))
    assert said.startswith(f"Port {port} of 127.0.0.1 cannot be used (Address already in use): ")


def test_a_site_that_is_set_up_here_is_not_touched(tmp_path: Path, model: Path) -> None:
    counting = tmp_path / "counting"
    counting.mkdir()
    with RunningSite(tmp_path, workers="1") as site:
        site.make_account()
        key = site.data / "secret_key"
        shell = {
            "VITRINE_DATA": str(site.data),
            "vitrine_database_url": f"sqlite:///{site.data / 'other.db'}",
            "VITRINE_SECRET_KEY_FILE": str(key),
            "VITRINE_MODELS": str(site.data / "models"),
            "VITRINE_REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
            "VITRINE_MAIL": str(tmp_path / "letters"),
            "VITRINE_PUBLIC_URL": "https://photos.example.org",
            "VITRINE_HOST": "0.0.0.0",
            "VITRINE_ACCESS": "private",
            "VITRINE_OF_ANOTHER_AGE": "1",
            "PORT": str(site.port),
            "HOST": "0.0.0.0",
            "GUNICORN_CMD_ARGS": f"--bind 0.0.0.0:{free_port()}",
            "PROMETHEUS_MULTIPROC_DIR": str(counting),
        }
        site.stop()
        before = contents(site.data)
        with ModelOnShow(tmp_path, model, **shell) as running:
            assert running.port != site.port
            visitor = visitor_of(running, tmp_path)
            assert "The answer 1" in Page(visitor.submit("/", {}, [LIGHT])).words
            assert running.end() == 0
        assert contents(site.data) == before
        assert list(counting.iterdir()) == []
        assert not (tmp_path / "letters").exists()


def test_files_beside_the_notebook_are_not_taken_for_its_own(tmp_path: Path, model: Path) -> None:
    for name in ("wsgi", "gunicorn.conf", "app", "sklearn", "flask"):
        (tmp_path / f"{name}.py").write_text(STRANGE)
    (tmp_path / "model.pkl").write_bytes(model.read_bytes())
    with ModelOnShow(tmp_path, "model.pkl") as running:
        assert "The answer 1" in Page(visitor_of(running, tmp_path).submit("/", {}, [LIGHT])).words


class Harm:
    """A pickle that makes a folder when it is opened."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, (str(self._canary),)


def test_a_file_that_would_do_harm_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Harm(tmp_path / "canary")))
    said = refused(tmp_path, "evil.pkl")
    assert said.startswith("The file was not opened: it would use posix.mkdir, which a trained classifier does not need.")
    assert not (tmp_path / "canary").exists()


def test_what_has_to_be_said_with_a_file_is_told_as_an_import_does(tmp_path: Path, model: Path) -> None:
    rows = np.random.default_rng(0).random((40, 35))
    (tmp_path / "odd.pkl").write_bytes(pickle.dumps(RidgeClassifier().fit(rows, rows[:, 0] > 0.5)))
    assert "takes 35 numbers, which fits no one square picture: say the size" in refused(tmp_path, "odd.pkl")
    assert "2 classes, but 3 labels were given" in refused(tmp_path, model, "--labels", "a,b,c")


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("model.pkl", "model"),
        ("My_Model (2).joblib", "my-model-2"),
        ("models/digits", "digits"),
        ("猫.pkl", "model"),
        ("--.pkl", "model"),
        ("x" * 64 + ".pkl", "model"),
    ],
)
def test_a_model_is_called_as_its_file_is(file: str, name: str) -> None:
    assert name_of(Path(file)) == name
