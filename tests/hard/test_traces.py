"""A collector of traces that takes everything and never answers."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.factories import CAT
from tests.serving import RunningSite


def test_it_keeps_neither_a_request_nor_the_end_waiting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        with RunningSite(tmp_path, workers="1", traces=f"http://127.0.0.1:{silent.getsockname()[1]}") as site:
            assert site.predict(CAT.read_bytes()).status == 200
            asked, _ = silent.accept()
            with asked:
                for _ in range(20):
                    assert site.predict(CAT.read_bytes()).status == 200
                assert site.stop() == 0
        assert "Failed to export" in site.log
