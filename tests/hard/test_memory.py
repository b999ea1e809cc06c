"""Memory: large photos at once, and very many small ones one after another."""

from __future__ import annotations

import http.client
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from tests.faults.load import DIGITS, PHOTO
from tests.hard.memory import pss_of
from tests.serving import RunningSite

AT_ONCE, MOST_BYTES = 32, 600_000_000
ROUNDS, REQUESTS = 6, 5_000
SLOPE_BYTES = 1_000_000  # for 10,000 requests


def twelve_megapixels() -> bytes:
    """Give a photo as a phone makes it, of three to five megabytes."""
    chance = np.random.default_rng(12)
    colours = chance.integers(0, 255, (75, 100, 3), dtype=np.uint8)
    coarse = Image.fromarray(colours).resize((4000, 3000), Image.Resampling.BICUBIC)
    noise = chance.normal(0, 6, (3000, 4000, 1))
    file = BytesIO()
    Image.fromarray((np.asarray(coarse) + noise).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def test_thirty_two_large_photos_at_once(tmp_path: Path) -> None:
    photo = twelve_megapixels()
    with RunningSite(tmp_path, workers="2", key_limit="0") as site:
        assert site.predict(photo).status == 200
        highest, over = [pss_of(site)], threading.Event()

        def watch() -> None:
            while not over.wait(0.05):
                highest.append(pss_of(site))

        watcher = threading.Thread(target=watch)
        watcher.start()
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            replies = list(pool.map(lambda _: site.predict(photo), range(3 * AT_ONCE)))
        seconds = time.monotonic() - began
        over.set()
        watcher.join()
    assert {reply.status for reply in replies} <= {200, 503}
    answered = sum(reply.status == 200 for reply in replies)
    print(
        f"\n{AT_ONCE} photos of 12 megapixels ({len(photo) / 1e6:.1f} MB) at once: at most {max(highest) / 1e6:.0f} MB in all; "
        f"{answered} of {len(replies)} answered, the others told to come again; {seconds:.0f} s"
    )
    assert answered >= AT_ONCE
    assert max(highest) < MOST_BYTES


def test_the_slope_of_memory(tmp_path: Path) -> None:
    with RunningSite(tmp_path, workers="2", key_limit="0", log_requests="no") as site:
        assert site.key

        def send(_: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=60)
            headers = {"Authorization": f"Bearer {site.key}", "Content-Type": "image/png"}
            for _ in range(REQUESTS // 4):
                connection.request("POST", DIGITS, PHOTO, headers)
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200
            connection.close()

        held = []
        for _ in range(ROUNDS):
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(send, range(4)))
            held.append(pss_of(site))
    # The first rounds fill caches.
    slope = float(np.polyfit(np.arange(len(held) - 2), held[2:], 1)[0]) * 10_000 / REQUESTS
    print(
        f"\n{ROUNDS * REQUESTS} requests: {', '.join(f'{count / 1e6:.1f}' for count in held)} MB; "
        f"{slope / 1e6:+.2f} MB for 10,000 requests"
    )
    assert slope < SLOPE_BYTES
