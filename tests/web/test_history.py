"""One's own predictions: found, paged, looked at and deleted, and nobody else's."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO, StringIO

import pytest
from PIL import Image

from tests.factories import EIGHT
from tests.pictures import drawn, stored
from tests.serving import Reply, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, make_visitor

SECRET = b"taken at home"


def keep(visitor: Visitor, *names: str, content: bytes = EIGHT.read_bytes()) -> list[str]:
    """Classify a drawing under each of these names, and give the addresses of the answers."""
    reply = visitor.submit("/", {"model": "digits"}, [("images", name, content) for name in names])
    return [reply.headers["Location"]] if reply.status == 303 else Page(reply).targets("/predictions/")


def files_on(page: Page) -> list[str]:
    """Give the names of the files on a page of the history, in their order."""
    return [words["title"] for words in page.all("p", **{"class": "exhibit__file"})]


def rows_of(reply: Reply) -> list[dict[str, str]]:
    """Give the rows of a CSV file, each by the names of its columns."""
    return list(csv.DictReader(StringIO(reply.body.decode(), newline="")))


def telling_photo() -> bytes:
    """Give a photo with a secret in everything that is not pixels, and a page after its end."""
    metadata = Image.Exif()
    metadata.update({0x010E: SECRET.decode(), 0x0112: 6})
    photo = stored(drawn(1600, 1200), "JPEG", exif=metadata.tobytes(), comment=SECRET)
    return photo + b"<!DOCTYPE html><script>alert('" + SECRET + b"')</script>"


def told(reply: Reply) -> tuple[int, bytes]:
    """Give an error page without the number of its request and the token of its form, which tells the second."""
    page = re.sub(rb'(?<=name="csrf_token" )[^>]*', b"", reply.body)
    return reply.status, page.replace(reply.headers["X-Request-Id"].encode(), b"")


def test_an_empty_history_says_what_will_hang_there(guest: Visitor) -> None:
    page = Page(guest.get("/history"))
    assert "Nothing hangs here yet Photos that you classify appear here with their answers." in page.words


def test_the_newest_answer_comes_first(guest: Visitor) -> None:
    addresses = [*keep(guest, "first.png"), *keep(guest, "second.png", "third.png"), *keep(guest, "fourth.png")]
    page = Page(guest.get("/history"))
    assert files_on(page) == ["fourth.png", "third.png", "second.png", "first.png"]
    assert page.targets("/predictions/") == addresses[::-1]
    assert "4 answers, the newest first." in page.words


def test_a_picture_without_a_name_has_none_made_up(site: RunningSite) -> None:
    told = site.predict(EIGHT.read_bytes(), "/api/v1/models/digits/predict").json
    owner = make_visitor(site)
    for path in ("/history", f"/predictions/{told['id']}"):
        reply = owner.get(path)
        assert "Digits" in Page(reply).words or "8" in Page(reply).words
        assert ">None<" not in reply.body.decode()
        assert "None" not in Page(reply).words


def test_a_long_history_is_turned_page_by_page(guest: Visitor) -> None:
    names = [f"{number:02}.png" for number in range(27)]
    for start in range(0, 27, 9):
        keep(guest, *names[start : start + 9])
    first, second = Page(guest.get("/history")), Page(guest.get("/history?page=2"))
    assert files_on(first) + files_on(second) == names[::-1]
    assert len(files_on(first)) == 24
    assert "27 answers" in first.words
    assert "Page 1 of 2" in first.words
    assert [link["href"] for link in first.all("a", rel="next")] == ["/history?page=2"]
    assert [link["href"] for link in second.all("a", rel="prev")] == ["/history?page=1"]
    assert not first.all("a", rel="prev")
    assert not second.all("a", rel="next")
    for odd, same in {"99": second, "0": first, "-1": first, "two": first, "9" * 30: second}.items():
        assert files_on(Page(guest.get(f"/history?page={odd}"))) == files_on(same)


def test_a_deleted_answer_is_gone_with_its_pictures(guest: Visitor) -> None:
    gone, stays = keep(guest, "gone.png", "stays.png")
    page = Page(guest.get(gone))
    assert page.all("form", method="post", action=f"{gone}/delete")
    assert_redirect(guest.submit(f"{gone}/delete", page=gone), "/history")
    page = Page(guest.get("/history"))
    assert "The prediction and its picture are deleted." in page.words
    assert (files_on(page), page.targets("/predictions/")) == (["stays.png"], [stays])
    assert [guest.get(gone + part).status for part in ("", "/picture", "/picture?size=thumbnail")] == [404] * 3
    assert guest.get(f"{stays}/picture").status == 200
    assert not list((guest.site.data / "pictures").glob(f"*/{gone.rpartition('/')[2]}.*"))


def test_deleting_takes_a_form(guest: Visitor) -> None:
    (address,) = keep(guest, "stays.png")
    assert guest.get(f"{address}/delete").status == 405
    assert guest.send(f"{address}/delete").status == 400
    assert guest.get(address).status == 200


@pytest.mark.parametrize("part", ["", "/picture", "/picture?size=thumbnail"])
def test_the_answer_of_another_is_as_one_that_never_was(site: RunningSite, ada: Visitor, part: str) -> None:
    (address,) = keep(ada, "private.png")
    eve, never = make_visitor(site, "eve@example.org"), "/predictions/01K9Z3N2V6Q8R4T7W1X5Y0B3CD"
    assert told(eve.get(address + part)) == told(eve.get(never + part))
    assert eve.get(address + part).status == 404
    assert ada.get(address + part).status == 200


def test_nobody_deletes_or_lists_the_answer_of_another(site: RunningSite, ada: Visitor) -> None:
    (address,) = keep(ada, "private.png")
    eve = make_visitor(site, "eve@example.org")
    reply = eve.submit(f"{address}/delete", page="/account")
    assert reply.status == 404
    assert "There is no such prediction, or it is not yours." in Page(reply).words
    assert "private.png" not in Page(eve.get("/history")).words
    assert files_on(Page(ada.get("/history")))[0] == "private.png"


def test_each_guest_has_a_history_of_his_own(small_site: RunningSite, guest: Visitor) -> None:
    (address,) = keep(guest, "mine.png")
    other = Visitor(small_site)
    assert (guest.get(address).status, other.get(address).status) == (200, 404)
    assert "Nothing hangs here yet" in Page(other.get("/history")).words


@pytest.mark.parametrize(("size", "longest"), [("picture", 1024), ("thumbnail", 320)])
def test_a_picture_is_made_anew_with_nothing_but_its_pixels(guest: Visitor, size: str, longest: int) -> None:
    (address,) = keep(guest, "telling.jpg", content=telling_photo())
    reply = guest.get(f"{address}/picture?size={size}")
    assert (reply.status, reply.headers["Content-Type"]) == (200, "image/jpeg")
    assert SECRET in telling_photo()
    assert SECRET not in reply.body
    assert reply.body.endswith(b"\xff\xd9")
    with Image.open(BytesIO(reply.body)) as picture:
        assert not picture.getexif()
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert picture.height == longest > picture.width, "the photo stands upright"


@pytest.mark.parametrize("size", ["picture", "thumbnail"])
def test_nothing_in_a_picture_may_run_and_only_its_owner_may_keep_it(guest: Visitor, size: str) -> None:
    (address,) = keep(guest, "eight.png")
    headers = guest.get(f"{address}/picture?size={size}").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"].startswith("private, ")


def test_the_history_shows_thumbnails_and_when_each_was_asked(guest: Visitor) -> None:
    (address,) = keep(guest, "eight.png")
    page = Page(guest.get("/history"))
    assert [image["src"] for image in page.all("img")] == [f"{address}/picture?size=thumbnail"]
    assert re.search(r"8 [\d.> ]+ % eight\.png \d+ \w+ \d{4}, \d\d:\d\d UTC", page.words)


def test_all_of_a_history_is_a_file_for_spreadsheets_in_which_no_cell_is_run(guest: Visitor) -> None:
    addresses = [*keep(guest, "=1+1.png"), *keep(guest, *(f"{number}.png" for number in range(1, 10)))]
    (way,) = Page(guest.get("/history")).targets("/history.csv")
    reply = guest.get(way)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert re.fullmatch(r'attachment; filename="history-\d{4}-\d\d-\d\d\.csv"', reply.headers["Content-Disposition"])
    assert (reply.headers["Cache-Control"], reply.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    rows = rows_of(reply)
    assert [row["file_name"] for row in rows] == [*(f"{number}.png" for number in range(9, 0, -1)), "'=1+1.png"]
    assert [f"/predictions/{row['id']}" for row in rows] == addresses[::-1]
    first = rows[0]
    assert (first["model"], first["version"], first["label"]) == ("digits", "1", "8")
    assert json.loads(first["scores"])[0] == ["8", float(first["probability"])]
    assert json.loads(first["picture"])["format"] == "PNG"
    assert first["created_at"].endswith("+00:00")


def test_nobody_finds_the_answers_of_another_in_the_file(site: RunningSite, ada: Visitor) -> None:
    keep(ada, "private.png")
    eve = make_visitor(site, "eve@example.org")
    keep(eve, "hers.png")
    assert {row["file_name"] for row in rows_of(eve.get("/history.csv"))} == {"hers.png"}
    assert "private.png" in {row["file_name"] for row in rows_of(ada.get("/history.csv"))}
    assert Visitor(site).get("/history.csv").status == 302


def test_a_guests_file_holds_what_the_guest_asked_and_an_empty_history_its_head(
    small_site: RunningSite, guest: Visitor
) -> None:
    keep(guest, "mine.png")
    assert [row["file_name"] for row in rows_of(guest.get("/history.csv"))] == ["mine.png"]
    other = Visitor(small_site).get("/history.csv")
    assert (other.status, rows_of(other), other.body.count(b"\n")) == (200, [], 1)
    assert Page(Visitor(small_site).get("/history")).targets("/history.csv") == []


def test_the_file_is_given_twenty_times_in_an_hour(guest: Visitor) -> None:
    keep(guest, "mine.png")
    replies = [guest.get("/history.csv").status for _ in range(21)]
    assert replies == [200] * 20 + [429]
