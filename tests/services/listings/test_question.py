"""What an address asks of a list, whatever somebody wrote into it."""

from __future__ import annotations

from datetime import date

import pytest

from app.services.listings.question import Question, read_question


def read(**given: str) -> Question:
    return read_question(
        given, sorts=("name", "size"), usual="-size", filters={"state": frozenset({"good", "bad"}), "label": frozenset()}
    )


def test_an_address_that_asks_nothing_asks_for_all() -> None:
    question = read()
    assert (question.search, question.asked, question.order, question.page) == ("", {}, "-size", 1)
    assert question.misunderstood == ()


def test_everything_that_is_asked_comes_back_as_an_address_has_it() -> None:
    given = {"q": "needle", "state": "good", "label": "Cat", "since": "2026-01-02", "until": "2026-11-29"}
    question = read(**given, sort="name", page="3")
    assert question.asked == given
    assert (question.since, question.until) == (date(2026, 1, 2), date(2026, 11, 29))
    assert (question.order, question.sort, question.descending, question.page) == ("name", "name", False, 3)


@pytest.mark.parametrize("sort", ["password", "-", "--name", "name desc", "size; DROP TABLE users", "-name,size", "1", "Name"])
def test_a_list_is_sorted_by_its_own_columns_alone(sort: str) -> None:
    question = read(sort=sort)
    assert (question.order, question.misunderstood) == ("-size", ("The list cannot be sorted by that.",))


@pytest.mark.parametrize("value", ["other", "good' OR '1'='1", "GOOD", "good,bad"])
def test_what_cannot_be_chosen_is_told_and_left_out(value: str) -> None:
    question = read(state=value)
    assert question.chosen == {}
    assert question.misunderstood == (f"There is no state “{value}”, so all are shown.",)


@pytest.mark.parametrize("day", ["x", "29.11.2026", "2026-02-30", "0001-01-01", "9999-12-31", "-1", "2026-11-29T10:00"])
def test_what_is_no_day_is_told_and_left_out(day: str) -> None:
    question = read(since=day)
    assert (question.since, question.misunderstood) == (None, (f"“{day}” is no day like 2026-11-29, so it is left out.",))


@pytest.mark.parametrize("page", ["", "0", "-1", "x", "1.5", "9" * 5000, "٣", " "])
def test_what_is_no_page_is_the_first(page: str) -> None:
    assert read(page=page).page == 1


def test_texts_are_short_and_hold_no_nul() -> None:
    question = read(q="a\0b" + "c" * 1000, label="\0")
    assert question.search == "ab" + "c" * 98
    assert question.chosen == {}


def test_what_nobody_asked_about_is_ignored() -> None:
    assert read(colour="red", csrf_token="x") == read()
