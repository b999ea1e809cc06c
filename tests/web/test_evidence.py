"""What a version would change, before it answers: shown to administrators, and of other people's pictures the answers alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.inference.repository import Repository
from tests.evidence import GREYS, grey, publish_at
from tests.serving import RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

ADMIN, MEMBER = "grace@example.org", "bob@example.org"


@pytest.fixture(scope="module")
def admin(small_site: RunningSite) -> Visitor:
    """Give an administrator who has just logged in."""
    small_site.make_account(ADMIN, admin=True)
    return make_visitor(small_site, ADMIN)


@pytest.fixture(scope="module")
def member(small_site: RunningSite) -> Visitor:
    """Give an account without a role."""
    return make_visitor(small_site, MEMBER)


@pytest.fixture
def repository(small_site: RunningSite) -> Repository:
    return Repository(shipped=None, own=small_site.data / "models")


def versions(repository: Repository, name: str, *lines: int, greys: tuple[int, ...] = GREYS) -> list[str]:
    """Publish versions that draw the line there, the first of which is active, and give their addresses."""
    made = [publish_at(repository, line, greys, name) for line in lines]
    return [f"/models/{name}/versions/{package.manifest.version}" for package in made]


def shown(visitor: Visitor, address: str) -> Page:
    page = Page(visitor.get(f"{address}/evidence"))
    assert page.status == 200, page.words
    return page


def sent(visitor: Visitor, address: str, **more: str) -> dict[str, str]:
    """Give what the form on the page with the evidence sends."""
    reply = visitor.get(f"{address}/evidence")
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', reply.body.decode()))
    assert set(fields) == {"csrf_token", "seen"}
    return {**fields, **more}


def predicted(visitor: Visitor, name: str, level: int) -> str:
    """Have a picture answered, and give the identifier of the answer."""
    reply = visitor.submit("/", {"model": name}, [("images", f"secret-{level}.png", grey(level, (300, 200)))])
    return reply.headers["Location"].rpartition("/")[2]


def test_the_page_of_a_version_leads_to_the_evidence_and_sends_nothing_itself(admin: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "leading", 128, 130)
    page = Page(admin.get(second))
    assert f"{second}/evidence" in page.targets(second)
    assert not page.all("form", action=f"{second}/activate")


def test_what_flips_is_shown_with_its_picture_and_both_answers(admin: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "flipping", 128, 160)
    page = shown(admin, second)
    assert "Version 2 in place of 1 1 of 4 pictures gets another answer from version 2." in page.words
    assert "replayed 4 same 3 flipped 1" in page.words
    assert "right by version 1 4 of 4 labelled samples right by version 2 3 of 4 labelled samples" in page.words
    assert re.search(r"Version 1 Light [>\d. ]+ % Version 2 Dark [>\d. ]+ % Right is Light", page.words)
    (image,) = page.all("img")
    assert image["alt"] == "Grey 150"
    assert admin.get(image["src"]).body == grey(150)
    assert "Replayed: 4 sample pictures." in page.words
    assert not page.all("input", name="confirmed")


def test_few_flips_need_no_second_word_and_are_written_down(admin: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "few", 128, 160)
    assert_redirect(admin.send(f"{second}/activate", sent(admin, second)), second)
    assert repository.active_version("few") == "2"
    assert "activated version 2 in place of 1, 1 of 4 replayed pictures flipped" in Page(admin.get(second)).words


def test_too_many_flips_are_to_be_confirmed(admin: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "many", 128, 10)
    page = shown(admin, second)
    (tick,) = page.all("input", name="confirmed")
    assert (tick["type"], tick["value"], "required" in tick) == ("checkbox", "yes", True)
    assert "Let version 2 answer all the same" in page.words
    assert_redirect(admin.send(f"{second}/activate", sent(admin, second)), f"{second}/evidence")
    assert repository.active_version("many") == "1"
    assert "Version 2 answers 2 of 4 replayed pictures otherwise than version 1" in shown(admin, second).words
    assert_redirect(admin.send(f"{second}/activate", sent(admin, second, confirmed="yes")), second)
    assert repository.active_version("many") == "2"
    assert "2 of 4 replayed pictures flipped" in Page(admin.get(second)).words


@pytest.mark.parametrize("seen", ["", "nonsense", "of another model"])
def test_figures_that_were_not_shown_here_count_for_nothing(admin: Visitor, repository: Repository, seen: str) -> None:
    _, second = versions(repository, f"forged-{len(seen)}", 128, 10)
    _, harmless = versions(repository, f"harmless-{len(seen)}", 128, 130)
    fields = sent(admin, second, seen=sent(admin, harmless)["seen"] if seen == "of another model" else seen)
    assert_redirect(admin.send(f"{second}/activate", fields), f"{second}/evidence")
    assert repository.active_version(f"forged-{len(seen)}") == "1"


def test_other_peoples_pictures_are_counted_and_never_shown(
    admin: Visitor, member: Visitor, guest: Visitor, repository: Repository
) -> None:
    _, second = versions(repository, "private", 128, 220, greys=())
    theirs = [predicted(member, "private", 150), predicted(member, "private", 160), predicted(guest, "private", 170)]
    mine = predicted(admin, "private", 180)
    page, body = shown(admin, second), admin.get(f"{second}/evidence").body.decode()
    assert "All 4 pictures that were replayed get another answer from version 2." in page.words
    assert "Other people's pictures: nobody but their owners sees them" in page.words
    assert "Version 1 Version 2 Pictures Light Dark 3" in page.words
    (image,) = page.all("img")
    assert image["src"].startswith(f"/predictions/{mine}/picture")
    assert admin.get(image["src"]).headers["Content-Type"] == "image/jpeg"
    assert f"/predictions/{mine}" in page.targets("/predictions/")
    for name in theirs:
        assert name not in body
        assert admin.get(f"/predictions/{name}/picture").status == 404
    for secret in ("secret-1", MEMBER):
        assert secret not in body
    assert "the 4 newest pictures that are kept" in page.words
    assert "Kept pictures are small copies of what was sent" in page.words


def test_a_picture_that_was_deleted_is_replayed_no_more(admin: Visitor, member: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "deleted", 128, 220, greys=())
    name = predicted(member, "deleted", 150)
    assert "The one picture that was replayed gets another answer from version 2." in shown(admin, second).words
    assert member.submit(f"/predictions/{name}/delete", page=f"/predictions/{name}").status == 303
    page = shown(admin, second)
    assert "Nothing was replayed, so nobody knows yet which answers change: neither version came with samples" in page.words
    assert_redirect(admin.send(f"{second}/activate", sent(admin, second)), second)
    assert repository.active_version("deleted") == "2"


def test_only_some_of_many_pictures_are_shown(admin: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "crowd", 128, 250, greys=tuple(range(140, 166)))
    page = shown(admin, second)
    assert len(page.all("img")) == 24
    assert "And 2 more." in page.words


def test_the_active_version_has_no_evidence_and_one_that_is_not_there_neither(admin: Visitor, repository: Repository) -> None:
    first, _ = versions(repository, "standing", 128, 130)
    assert_redirect(admin.get(f"{first}/evidence"), first)
    assert admin.get("/models/standing/versions/9/evidence").status == 404
    assert admin.get("/models/nothing/versions/1/evidence").status == 404


def test_a_version_that_cannot_answer_says_so_and_the_old_one_goes_on(
    admin: Visitor, repository: Repository, tmp_path: Path
) -> None:
    _, second = versions(repository, "damaged", 128, 130)
    (repository.package("damaged", "2").folder / "source.pkl").write_bytes(b"another")
    reply = admin.get(f"{second}/evidence")
    assert reply.status == 503
    assert "is not the one its manifest pins" in Page(reply).words


def test_nobody_but_an_administrator_sees_the_evidence(guest: Visitor, member: Visitor, repository: Repository) -> None:
    _, second = versions(repository, "guarded", 128, 130)
    assert_redirect(guest.get(f"{second}/evidence"), f"/login?next={second}/evidence")
    assert member.get(f"{second}/evidence").status == 403


def test_an_old_login_types_its_password_before_anything_is_replayed(small_site: RunningSite, repository: Repository) -> None:
    small_site.make_account(ADMIN, admin=True)
    admin = make_visitor(small_site, ADMIN)
    _, second = versions(repository, "aged", 128, 130)
    fields = sent(admin, second)
    grow_old(admin, minutes=16)
    assert_redirect(admin.get(f"{second}/evidence"), f"/verify?next={second}/evidence")
    assert_redirect(admin.send(f"{second}/activate", fields), f"/verify?next={second}/evidence")
    assert repository.active_version("aged") == "1"


def test_titles_and_markup_of_a_model_are_shown_as_text(admin: Visitor, repository: Repository) -> None:
    bad = "<script>alert(1)</script>"
    publish_at(repository, 128, (240,), "marked")
    publish_at(repository, 128, (240,), "marked", titles={"light": bad}, classes=("light", "dark"))
    publish_at(repository, 128, (240,), "marked", classes=("dark", bad))
    for version in ("2", "3"):
        page = shown(admin, f"/models/marked/versions/{version}")
        assert not [script for script in page.all("script") if "src" not in script]
    assert bad in page.words
