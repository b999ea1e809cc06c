"""One version: its card, its figures, its proof; and what administrators do with it, with a fresh login."""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from typing import Any

import pytest

from app.inference.package import Metric, Sample
from app.inference.provenance import Candidate
from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest, make_picture, make_proof, make_source
from tests.serving import PASSWORD, RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor, assert_redirect, grow_old, make_visitor

ADMIN, WHITE = "grace@example.org", make_picture((255, 255, 255))
LIGHT = "samples/light.png"


@pytest.fixture(scope="module")
def admin(small_site: RunningSite) -> Visitor:
    """Give an administrator who has just logged in."""
    small_site.make_account(ADMIN, admin=True)
    return make_visitor(small_site, ADMIN)


@pytest.fixture(scope="module")
def member(small_site: RunningSite) -> Visitor:
    """Give an account without a role."""
    return make_visitor(small_site)


@pytest.fixture
def repository(small_site: RunningSite) -> Repository:
    return Repository(shipped=None, own=small_site.data / "models")


def publish(repository: Repository, name: str, **given: Any) -> str:
    """Publish the next version of a model with a card and a sample, and give its address."""
    manifest = make_manifest(name, samples=(Sample(LIGHT, "A light square"),), **given)
    card = f"# {name}\n\n## About it\n\nThe card of {given.get('summary', name)}\n"
    files = {"source.pkl": pickle.dumps(make_classifier()), "card.md": card.encode(), LIGHT: WHITE}
    return f"/models/{name}/versions/{repository.publish(manifest, files).manifest.version}"


def fresh(repository: Repository, name: str, versions: int = 2) -> list[str]:
    """Give the addresses of so many versions of a model of the test's own; the first is active."""
    return [publish(repository, name, summary=f"Number {number}.") for number in range(1, versions + 1)]


def words(visitor: Visitor, path: str) -> str:
    page = Page(visitor.get(path))
    assert page.status == 200, page.words
    return page.words


def test_the_models_page_leads_to_every_version_newest_first(guest: Visitor, repository: Repository) -> None:
    publish(repository, "listed", metrics=(Metric("accuracy", 0.75),), created_at="2026-03-04T05:06:07+00:00")
    publish(repository, "listed", created_at="somewhen")
    page = Page(guest.get("/models/listed"))
    assert page.targets("/models/listed/versions/") == ["/models/listed/versions/2", "/models/listed/versions/1"]
    assert "Versions Version 2 Version 1 answers now 4 March 2026, 75.0 % right" in page.words


def test_a_version_shows_its_own_card_figures_and_samples(guest: Visitor, repository: Repository) -> None:
    fresh(repository, "own")
    address = publish(repository, "own", summary="Number 3.", metrics=(Metric("accuracy", 0.625, 0.5, 0.75),))
    page = Page(guest.get(address))
    assert "Version 3 Number 3. This version waits; version 1 answers now." in page.words
    assert "About it The card of Number 3." in page.words
    assert "accuracy 62.5 % 50.0 % to 75.0 %" in page.words
    assert page.all("a", href=address, **{"aria-current": "page"})
    assert page.all("a", href="/models", **{"aria-current": "true"})
    (image,) = page.all("img")
    assert guest.get(image["src"]).body == WHITE
    assert "version=3" in image["src"]
    assert "This version answers now." in words(guest, "/models/own/versions/1")


def test_a_sample_of_another_version_is_not_found_under_the_active_one(guest: Visitor, repository: Repository) -> None:
    repository.publish(make_manifest("bare"), {"source.pkl": b""})
    publish(repository, "bare")
    assert guest.get(f"/models/bare/samples/{LIGHT}").status == 404
    assert guest.get(f"/models/bare/samples/{LIGHT}?version=2").body == WHITE
    assert guest.get(f"/models/bare/samples/{LIGHT}?version=3").status == 404


def test_the_proof_is_a_sentence_and_a_table_of_every_form(guest: Visitor, repository: Repository) -> None:
    page = Page(guest.get(publish(repository, "proven", source=make_source(), proof=make_proof())))
    assert "Proof Proven on 256 pictures: every label equal, largest difference 2e-7." in page.words
    for row in (
        "as given – – 0.60 12.3",
        "scikit-learn serves 256/256 2e-7 0.41 3.25",
        "ONNX 255/256 0.04 0.20 1.50 Refused: one label differs",
        "forest – – – – Refused: it holds trees only",
    ):
        assert row in page.words
    assert "Written with scikit-learn 1.3.2, opened with 1.9.1." in page.words
    assert "Origin Imported" in page.words.replace("imported", "Imported")
    assert "Confined by limits on memory and time, no network, few system calls" in page.words
    assert f"Digest sha256:{'5e' * 32}" in page.words
    assert all(unsaid not in page.words for unsaid in ("Weak proof", "vouched for", "scores, not", "a label only"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"proof": make_proof(weak=True, rarest=3)}, "Weak proof: some class was only 3 times the answer"),
        ({"source": make_source(trusted=True)}, "Served as the pickle its owner vouched for."),
        ({"source": make_source(confinement=())}, "Confined by nothing"),
        ({"answers": "decision_function"}, "It gives scores, not probabilities"),
        ({"answers": "logits"}, "The network gives logits; what is shown is their softmax."),
        ({"answers": "predict"}, "It gives a label only"),
        ({}, "No proof came with this version."),
        ({"libraries": {"scikit-learn": "0.1.0"}}, "Made with scikit-learn 0.1.0; this site runs 1."),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_reader_should_know_is_said_in_words(
    guest: Visitor, repository: Repository, given: Mapping[str, Any], sentence: str
) -> None:
    assert sentence in words(guest, publish(repository, "said", **given))


def test_a_column_of_a_card_without_a_name_has_no_heading(guest: Visitor, repository: Repository) -> None:
    card = b"# unnamed\n\n## Proof\n\n| form | |\n|---|---|\n| ONNX | served |\n"
    repository.publish(make_manifest("unnamed"), {"source.pkl": b"", "card.md": card})
    page = Page(guest.get("/models/unnamed/versions/1"))
    assert "form ONNX served" in page.words
    assert (len(page.all("th")), len(page.all("td"))) == (1, 3)


def test_a_trained_version_that_is_served_as_it_is_has_nothing_to_prove(guest: Visitor, repository: Repository) -> None:
    text = words(guest, publish(repository, "learned", origin="trained"))
    assert "Origin trained" in text
    assert "Proof" not in text
    assert "proof" not in text


def test_markup_in_a_provenance_is_shown_as_text(guest: Visitor, repository: Repository) -> None:
    bad = "<script>alert(1)</script>"
    source = make_source(estimators=(bad,), libraries={bad: bad}, differences=(bad,), confinement=(bad,), sha256=bad)
    proof = make_proof(candidates=(Candidate("onnx", refused=bad),))
    page = Page(guest.get(publish(repository, "marked", source=source, proof=proof)))
    assert page.words.count(bad) == 7
    assert not [script for script in page.all("script") if "src" not in script]


@pytest.mark.parametrize("address", ["digits/versions/9", "digits/versions/01", "digits/versions/..%2f1", "nothing/versions/1"])
def test_a_version_that_is_not_here_is_not_found(guest: Visitor, admin: Visitor, address: str) -> None:
    assert guest.get(f"/models/{address}").status == 404
    page = "/models/digits/versions/1"
    assert admin.submit(f"/models/{address}/activate", page=page).status == 404


def test_a_damaged_version_stays_in_the_list_and_its_page_says_what_is_wrong(guest: Visitor, repository: Repository) -> None:
    address = fresh(repository, "hurt")[1]
    (repository.package("hurt", "2").folder / "manifest.json").write_text("{")
    assert address in Page(guest.get("/models/hurt")).targets("/models/hurt/versions/")
    reply = guest.get(address)
    assert reply.status == 503
    assert "manifest.json of hurt 2 cannot be read" in Page(reply).words


def test_nobody_but_an_administrator_is_shown_the_administration(
    guest: Visitor, member: Visitor, admin: Visitor, repository: Repository
) -> None:
    address = fresh(repository, "shown")[1]
    for visitor, seen in ((guest, False), (member, False), (admin, True)):
        page = Page(visitor.get(address))
        assert ("Who did what" in page.words, f"{address}/evidence" in page.targets(address)) == (seen, seen)
    assert not Page(admin.get("/models/shown/versions/1")).all("form", action="/models/shown/versions/1/rollback")


def test_an_administrator_activates_and_rolls_back_and_it_is_written_down(
    admin: Visitor, guest: Visitor, repository: Repository
) -> None:
    first, second = fresh(repository, "turned")
    assert_redirect(admin.submit(f"{second}/activate", page=f"{second}/evidence"), second)
    page = Page(admin.get(second))
    assert "Version 2 answers from now on." in page.words
    assert "This version answers now." in page.words
    assert "Number 2." in words(guest, "/models/turned")
    assert "Version 1, which answered before this one, will answer again." in page.words
    assert_redirect(admin.submit(f"{second}/rollback", page=second), first)
    page = Page(admin.get(first))
    assert "Version 1 answers from now on." in page.words
    assert "there is nothing to roll back to" in page.words
    assert re.search(
        r"Who did what rolled back from version 2 to 1 grace@example\.org, \d.{,30} UTC"
        r" activated version 2 in place of 1, 0 of 1 replayed picture flipped grace@example\.org, \d",
        page.words,
    )
    assert repository.active_version("turned") == "1"


def test_a_roll_back_that_is_sent_twice_goes_back_once(admin: Visitor, repository: Repository) -> None:
    fresh(repository, "twice", versions=3)
    for version in ("2", "3"):
        repository.activate("twice", version)
    address = "/models/twice/versions/3"
    token = admin.token_of(address)
    assert admin.send(f"{address}/rollback", {"csrf_token": token}).status == 303
    again = admin.send(f"{address}/rollback", {"csrf_token": token})
    assert again.status == 400
    assert "Version '3' of 'twice' is not the active one, so nothing was rolled back." in Page(again).words
    assert repository.active_version("twice") == "2"


@pytest.mark.parametrize("deed", ["activate", "rollback"])
def test_nobody_else_changes_which_version_answers(
    guest: Visitor, member: Visitor, admin: Visitor, repository: Repository, deed: str
) -> None:
    name = f"kept-{deed}"
    fresh(repository, name, versions=3)
    repository.activate(name, "2")
    address = f"/models/{name}/versions/{'3' if deed == 'activate' else '2'}"
    assert_redirect(guest.send(f"{address}/{deed}"), f"/login?next={address}/{deed}")
    refused = member.submit(f"{address}/{deed}", page="/account")
    assert refused.status == 403
    assert "You may not do this." in Page(refused).words
    assert admin.send(f"{address}/{deed}").status == 400, "without its token"
    assert admin.get(f"{address}/{deed}").status == 405
    assert repository.active_version(name) == "2"


@pytest.mark.parametrize("deed", ["activate", "rollback"])
def test_an_old_login_is_asked_for_its_password_and_led_back(
    small_site: RunningSite, repository: Repository, deed: str
) -> None:
    small_site.make_account(ADMIN, admin=True)
    admin, name = make_visitor(small_site, ADMIN), f"old-{deed}"
    fresh(repository, name, versions=3)
    repository.activate(name, "2")
    address = f"/models/{name}/versions/{'3' if deed == 'activate' else '2'}"
    grow_old(admin, minutes=16)
    assert "Who did what" in words(admin, address), "reading needs no password"
    asked, back = admin.submit(f"{address}/{deed}", page="/account"), address + "/evidence" * (deed == "activate")
    assert_redirect(asked, f"/verify?next={back}")
    assert repository.active_version(name) == "2"
    assert "It is some time since you logged in." in words(admin, asked.headers["Location"])
    assert_redirect(admin.submit(asked.headers["Location"], {"password": PASSWORD, "submit": "1"}), back)
    assert "Your password is confirmed. Nothing was changed yet." in words(admin, back)
    assert admin.submit(f"{address}/{deed}", page=back).status == 303
    assert repository.active_version(name) == ("3" if deed == "activate" else "1")


def test_a_login_is_fresh_for_a_quarter_of_an_hour_and_using_it_does_not_prolong_that(
    small_site: RunningSite, repository: Repository
) -> None:
    small_site.make_account(ADMIN, admin=True)
    admin = make_visitor(small_site, ADMIN)
    second = fresh(repository, "quarter")[1]
    grow_old(admin, minutes=14)
    assert_redirect(admin.submit(f"{second}/activate", page=f"{second}/evidence"), second)
    grow_old(admin, minutes=2)
    assert_redirect(admin.submit(f"{second}/rollback", page=second), f"/verify?next={second}")


def test_the_link_to_classify_chooses_the_model(guest: Visitor, repository: Repository) -> None:
    fresh(repository, "asked")
    assert "/?model=asked" in Page(guest.get("/models/asked")).targets("/?")


def test_deeds_of_the_command_line_are_shown_too(admin: Visitor, small_site: RunningSite, repository: Repository) -> None:
    first = fresh(repository, "by-hand")[0]
    assert small_site.run("models", "activate", "by-hand", "2").returncode == 0
    assert re.search(
        r"activated version 2 in place of 1, 0 of 1 replayed picture flipped On the command line", words(admin, first)
    )
