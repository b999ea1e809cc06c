"""What may stand in a query: each name once, as its shape has it; and where nothing may come along at all."""

from __future__ import annotations

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from app.api.queries import read_query, take_nothing
from app.api.schemas import NumberedQuery
from app.errors import InvalidRequest


def request(query: str = "", body: bytes = b"", coding: str = "identity") -> Request:
    headers = [("Transfer-Encoding", coding)]
    return Request(EnvironBuilder(method="POST", query_string=query, data=body, headers=headers).get_environ())


def test_a_query_is_read_as_its_shape_has_it() -> None:
    assert read_query(request(), NumberedQuery, "No.") == NumberedQuery(limit=50, before=None)
    assert read_query(request("before=7&limit=3"), NumberedQuery, "No.") == NumberedQuery(limit=3, before=7)


@pytest.mark.parametrize("query", ["limit=0", "other=1", "limit=3&limit=3", "before=seven", "limit"])
def test_another_one_is_refused_with_the_sentence(query: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^The sentence\.$"):
        read_query(request(query), NumberedQuery, "The sentence.")


def test_where_nothing_may_come_along_nothing_does() -> None:
    take_nothing(request())
    with pytest.raises(InvalidRequest, match="no query"):
        take_nothing(request("a=1"))
    for refused in (request(body=b"{}"), request(coding="Chunked")):
        with pytest.raises(InvalidRequest, match="no body"):
            take_nothing(refused)
