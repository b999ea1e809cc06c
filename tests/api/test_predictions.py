"""The predict endpoints, through real Gunicorn and real SQLite."""

from __future__ import annotations

import base64
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.api.asking import as_form, as_json, assert_problem, make_key, send, services_of
from tests.factories import CAT, DOG, EIGHT
from tests.serving import RunningSite


def test_tells_what_is_on_a_photo(site: RunningSite) -> None:
    answer = site.predict(CAT.read_bytes()).json
    assert (answer["label"], answer["model"]) == ("cat", {"name": "cats-vs-dogs", "version": "1"})
    assert [p["label"] for p in answer["predictions"]] == ["cat", "dog"]
    assert answer["probability"] == answer["predictions"][0]["probability"] > 0.9
    assert sum(p["probability"] for p in answer["predictions"]) == pytest.approx(1, abs=1e-6)
    assert answer["stored"] is True
    with Image.open(CAT) as photo:
        assert (answer["image"]["format"], answer["image"]["width"], answer["image"]["height"]) == ("JPEG", *photo.size)
    timings = answer["timings_ms"]
    assert list(timings) == ["decode", "queue", "model", "store", "total"]
    assert min(timings["decode"], timings["model"], timings["store"]) > 0
    # Rounded to a thousandth each.
    assert timings["total"] >= timings["decode"] + timings["model"] + timings["store"] - 0.002


def test_form_raw_and_base64_are_one_path(site: RunningSite) -> None:
    photo = DOG.read_bytes()
    text = base64.b64encode(photo).decode()
    replies = [
        site.predict(photo),
        site.predict(photo, content_type="image/jpeg"),
        site.predict(photo, content_type="application/x-www-form-urlencoded"),
        send(site, *as_form(("image", "dog.jpg", photo))),
        send(site, *as_json({"image": text})),
        send(site, *as_json({"image": f"data:image/jpeg;base64,{text}"})),
    ]
    assert [reply.status for reply in replies] == [200] * 6
    rows = np.array([[p["probability"] for p in reply.json["predictions"]] for reply in replies])
    assert np.abs(rows - rows[0]).max() < 1e-6
    assert len({reply.json["image"]["sha256"] for reply in replies}) == 1
    assert len({reply.json["id"] for reply in replies}) == 6


def test_names_a_model_and_a_version(site: RunningSite) -> None:
    for path in ("/api/v1/models/digits/predict", "/api/v1/models/digits/versions/1/predict?top_k=3"):
        answer = site.predict(EIGHT.read_bytes(), path).json
        assert (answer["label"], answer["model"]["name"]) == ("8", "digits")
    assert len(answer["predictions"]) == 3


@pytest.mark.parametrize("path", ["/api/v1/models/nothing/predict", "/api/v1/models/digits/versions/9/predict"])
def test_an_unknown_model_is_not_found(site: RunningSite, path: str) -> None:
    assert_problem(site.predict(EIGHT.read_bytes(), path), 404, "model_not_found")


@pytest.mark.parametrize("query", ["top_k=0", "top_k=two", "top_k=1.5", "limit=3"])
def test_a_query_that_means_nothing_is_refused(site: RunningSite, query: str) -> None:
    assert_problem(site.predict(EIGHT.read_bytes(), f"/api/v1/predict?{query}"), 400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b'{"image": 5}',
        b'{"image": ""}',
        b'{"image": "?!"}',
        b'{"image": "YQ==", "more": 1}',
    ],
)
def test_json_of_another_shape_is_refused(site: RunningSite, body: bytes) -> None:
    assert_problem(send(site, body, {"Content-Type": "application/json"}), 400, "invalid_request")


def test_a_form_holds_one_file_called_image(site: RunningSite) -> None:
    photo = EIGHT.read_bytes()
    for parts in ([("picture", "8.png", photo)], [("image", "8.png", photo)] * 2, []):
        assert_problem(send(site, *as_form(*parts)), 400, "invalid_request")


def test_what_is_no_picture_is_a_clear_refusal_and_the_next_photo_works(site: RunningSite) -> None:
    photo = CAT.read_bytes()
    assert_problem(send(site, *as_form(("image", "cat.jpg", b"I am a cat."))), 415, "unsupported_image")
    assert_problem(site.predict(photo[: len(photo) // 2]), 422, "invalid_image")
    assert_problem(site.predict(b""), 422, "invalid_image")
    assert_problem(site.predict(_sixty_megapixels()), 422, "image_too_complex")
    assert site.predict(photo).json["label"] == "cat"


def test_a_file_over_the_limit_is_refused_before_it_is_read(site: RunningSite) -> None:
    assert_problem(site.predict(b"\xff" * 20_000_001), 413, "image_too_large")
    assert_problem(send(site, *as_form(("image", "big.jpg", b"\xff" * 20_100_000))), 413, "image_too_large")
    assert_problem(send(site, *as_json({"image": "A" * 27_000_000})), 413, "image_too_large")


@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic dnRyOnZ0cg=="}, {"Authorization": "Bearer vtr_a_b_c"}]
)
def test_without_a_good_key_nobody_is_let_in(site: RunningSite, header: dict[str, str]) -> None:
    reply = site.request("POST", "/api/v1/predict", EIGHT.read_bytes(), header)
    assert_problem(reply, 401, "invalid_key")
    assert reply.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_without_the_scope_is_not_enough(site: RunningSite) -> None:
    assert site.key  # there is an account from now on
    reader = make_key(services_of(site), scopes=("models:read",))
    reply = site.request("POST", "/api/v1/predict", EIGHT.read_bytes(), key=reader)
    assert_problem(reply, 403, "missing_scope")


def test_addresses_and_methods_that_do_not_exist_answer_as_problems(site: RunningSite) -> None:
    assert_problem(site.request("GET", "/api/v1/nothing"), 404, "not_found")
    reply = site.request("GET", "/api/v1/predict")
    assert_problem(reply, 405, "method_not_allowed")
    assert "POST" in reply.headers["Allow"]


def _sixty_megapixels() -> bytes:
    file = BytesIO()
    Image.new("1", (10_000, 6_000)).save(file, "PNG")
    return file.getvalue()
