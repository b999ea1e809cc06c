"""Photos in, answers out, through the form and as our own script asks."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.factories import CAT, DOG, EIGHT
from tests.serving import Reply
from tests.web.hostile import SAMPLE, WHITE
from tests.web.reading import Page
from tests.web.visiting import Visitor

SCRIPT = {"Accept": "application/json"}
NAME = "<img onerror=alert(1)>.jpg"
UNREADABLE = "This file is not a picture we can read. "
DAMAGED = "This JPEG file is damaged or ends too early."


def upload(visitor: Visitor, *files: tuple[str, bytes], model: str = "digits") -> Reply:
    return visitor.submit("/", {"model": model}, [("images", name, content) for name, content in files])


def assert_nothing_kept(visitor: Visitor) -> None:
    assert "Nothing hangs here yet" in Page(visitor.get("/history")).words


@pytest.mark.parametrize(("photo", "answer"), [(CAT, "This image is a Cat"), (DOG, "This image is a Dog")], ids=["cat", "dog"])
def test_one_photo_leads_to_a_page_of_its_own(ada: Visitor, photo: Path, answer: str) -> None:
    reply = upload(ada, (photo.name, photo.read_bytes()), model="cats-vs-dogs")
    assert reply.status == 303
    assert re.fullmatch("/predictions/[0-9A-Z]{26}", reply.headers["Location"])
    page = Page(ada.get(reply.headers["Location"]))
    assert answer in page.words
    assert photo.name in page.words


@pytest.mark.parametrize("count", [2, 10])
def test_up_to_ten_photos_are_answered_side_by_side_in_their_order(ada: Visitor, count: int) -> None:
    reply = upload(ada, *((f"drawing-{number}.png", EIGHT.read_bytes()) for number in range(count)))
    page = Page(reply)
    assert (reply.status, len(page.targets("/predictions/"))) == (200, count)
    assert re.findall(r"8 [\d.> ]+ % drawing-(\d)\.png", page.words) == [str(number) for number in range(count)]
    assert {ada.get(address).status for address in page.targets("/predictions/")} == {200}


def test_of_eleven_photos_none_is_answered(guest: Visitor) -> None:
    reply = upload(guest, *((f"{number}.png", EIGHT.read_bytes()) for number in range(11)))
    assert reply.status == 400
    assert "Send at most 10 photos at once." in Page(reply).words
    assert "not classified" not in Page(reply).words
    assert_nothing_kept(guest)


def test_bad_photos_beside_a_good_one_are_named_with_their_reasons(guest: Visitor) -> None:
    files = [("text.jpg", b"I am a cat."), ("cat.jpg", CAT.read_bytes()), ("half.jpg", CAT.read_bytes()[:4000])]
    reply = upload(guest, *files, model="cats-vs-dogs")
    words = Page(reply).words
    assert reply.status == 200
    assert f"2 photos were not classified: text.jpg {UNREADABLE}" in words
    assert f"half.jpg {DAMAGED}" in words
    assert re.search(r"The answer Cat [\d.> ]+ % cat\.jpg", words)
    assert len(Page(reply).targets("/predictions/")) == 1


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"I am a cat.", 415, UNREADABLE),
        (b"", 422, "This file is empty."),
        (CAT.read_bytes()[:4000], 422, DAMAGED),
        (bytes(600_000), 413, "This file has 0.6 MB, and at most 0.5 MB are taken."),
    ],
    ids=["text", "empty", "half", "large"],
)
def test_a_bad_photo_alone_is_an_error_and_the_model_stays_chosen(
    guest: Visitor, content: bytes, status: int, sentence: str
) -> None:
    reply = upload(guest, ("holiday.jpg", content))
    page = Page(reply)
    assert (reply.status, page.chosen) == (status, ["digits"])
    assert f"One photo was not classified: holiday.jpg {sentence}" in page.words
    assert page.words.startswith("Error: Classify a photo")
    assert_nothing_kept(guest)


def test_without_a_photo_one_is_asked_for_and_the_model_stays_chosen(guest: Visitor) -> None:
    for reply in (upload(guest, ("", b"")), guest.submit("/", {"model": "digits"})):
        assert (reply.status, Page(reply).chosen) == (400, ["digits"])
        assert "Choose a photo first." in Page(reply).words
        assert "not classified" not in Page(reply).words


def test_names_of_files_are_shown_and_never_run(guest: Visitor) -> None:
    listed = upload(guest, (NAME, EIGHT.read_bytes()), (NAME, b"no picture"))
    alone = upload(guest, (NAME, EIGHT.read_bytes()))
    pages = [Page(listed), Page(guest.get(alone.headers["Location"])), Page(guest.get("/history"))]
    assert f"One photo was not classified: {NAME} {UNREADABLE}" in pages[0].words
    for page in pages:
        assert NAME in page.words
        assert not any("onerror" in image for image in page.all("img"))


def test_a_request_over_the_limit_gets_the_form_again_with_a_sentence_and_a_good_token(guest: Visitor) -> None:
    photos = [("images", f"{number}.jpg", bytes(400_000)) for number in range(3)]
    reply = guest.submit("/", {"model": "digits"}, photos)
    page = Page(reply)
    assert reply.status == 413
    assert "Send at most 10 photos at once, together of at most 1 MB." in page.words
    assert "not classified" not in page.words
    again = guest.send(
        "/", {"csrf_token": page.field("csrf_token"), "model": "digits"}, [("images", "8.png", EIGHT.read_bytes())]
    )
    assert again.status == 303


def test_our_script_is_told_in_json_that_its_request_is_over_the_limit(guest: Visitor) -> None:
    reply = guest.classify(bytes(1_500_000), headers=SCRIPT)
    assert (reply.status, reply.headers["Content-Type"]) == (413, "application/problem+json")
    assert reply.json["code"] == "image_too_large"
    assert reply.json["detail"] == "Send at most 10 photos at once, together of at most 1 MB."


def test_thousands_of_parts_are_over_the_limit_too(guest: Visitor) -> None:
    reply = upload(guest, *[("a.png", b"")] * 1001)
    assert reply.status == 413
    assert "Send at most 10 photos at once" in Page(reply).words


def test_each_sample_is_shown_and_one_click_answers_it(ada: Visitor) -> None:
    page = Page(ada.get("/"))
    samples = page.all("button", name="sample")
    pictures = [ada.get(image["src"]) for image in page.all("img") if image["alt"].startswith("Classify the sample: ")]
    assert len(samples) == 6
    assert [picture.headers["Content-Type"] for picture in pictures] == ["image/jpeg"] * 6
    reply = ada.submit("/", {"sample": samples[0]["value"]})
    answer = Page(ada.get(reply.headers["Location"]))
    assert "This image is a Cat" in answer.words
    assert samples[0]["value"].rpartition("/")[2] in answer.words


@pytest.mark.parametrize(
    ("sample", "sentence"),
    [
        ("digits/samples/9.png", "There is no such sample."),
        ("digits/source.pkl", "There is no such sample."),
        ("digits/../../README.md", "There is no such sample."),
        ("digits", "There is no such sample."),
        ("nothing/samples/8.png", "There is no model called 'nothing'."),
        ("../digits/samples/8.png", "There is no model called '..'."),
    ],
)
def test_what_is_no_sample_is_not_found(ada: Visitor, sample: str, sentence: str) -> None:
    reply = ada.submit("/", {"sample": sample})
    assert reply.status == 404
    assert sentence in Page(reply).words


def test_the_address_can_choose_the_model_and_brings_its_samples_to_the_front(guest: Visitor) -> None:
    page = Page(guest.get("/?model=hostile"))
    assert page.chosen == ["hostile"]
    assert page.all("button", name="sample")[0]["value"] == f"hostile/{SAMPLE}"
    assert guest.get(f"/models/hostile/samples/{quote(SAMPLE)}").body == WHITE
    assert Page(guest.get("/")).chosen == Page(guest.get("/?model=nothing")).chosen == ["cats-vs-dogs"]


def test_there_is_no_answer_from_an_unknown_model(guest: Visitor) -> None:
    reply = guest.classify(CAT.read_bytes(), model="nothing")
    assert reply.status == 404
    assert "There is no model called 'nothing'." in Page(reply).words
    assert_nothing_kept(guest)


def test_our_script_gets_the_answer_as_json(ada: Visitor) -> None:
    reply = ada.classify(CAT.read_bytes(), headers=SCRIPT)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/json")
    assert set(reply.json) == {"url", "sentence", "probability", "picture"}
    assert reply.json["sentence"] == "This image is a Cat"
    assert f"Cat {reply.json['probability']}" in Page(ada.get(reply.json["url"])).words
    assert ada.get(reply.json["picture"]).headers["Content-Type"] == "image/jpeg"


@pytest.mark.parametrize(
    ("photos", "headers", "status", "told"),
    [
        ([EIGHT.read_bytes()], {}, 303, True),
        ([EIGHT.read_bytes()], SCRIPT, 200, True),
        ([b"no picture", EIGHT.read_bytes()], {}, 200, True),
        ([EIGHT.read_bytes()] * 2, {}, 200, False),
        ([b"no picture"], {}, 415, False),
    ],
    ids=["page of its own", "script", "one of two", "two", "none"],
)
def test_the_browser_is_told_where_the_time_of_one_answer_went(
    guest: Visitor, photos: list[bytes], headers: dict[str, str], status: int, told: bool
) -> None:
    reply = guest.classify(*photos, model="digits", headers=headers)
    assert (reply.status, "Server-Timing" in reply.headers) == (status, told)
    if told:
        stages = re.findall(r"(\w+);dur=(\d+\.\d{3})", reply.headers["Server-Timing"])
        assert [stage for stage, _ in stages] == ["decode", "queue", "model", "store", "total"]
        *parts, total = [float(duration) for _, duration in stages]
        assert 0 < sum(parts) <= total + 0.005


def test_our_script_gets_a_refusal_as_json(ada: Visitor) -> None:
    reply = ada.classify(b"I am a cat.", headers=SCRIPT)
    assert (reply.status, reply.headers["Content-Type"]) == (415, "application/problem+json")
    assert (reply.json["code"], reply.json["status"]) == ("unsupported_image", 415)
    assert reply.json["detail"].startswith(UNREADABLE)


def test_photos_without_a_token_are_refused_and_not_answered(guest: Visitor) -> None:
    photo = [("images", "cat.jpg", CAT.read_bytes())]
    reply = guest.send("/", {"model": "cats-vs-dogs"}, photo, headers=SCRIPT)
    assert (reply.status, reply.json["code"]) == (400, "form_refused")
    assert guest.send("/", {"csrf_token": "old", "model": "cats-vs-dogs"}, photo).status == 400
    assert_nothing_kept(guest)
