"""Counting pictures against their limits, and telling programs what is left to them."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.http.context import services
from app.services.request_limits import Who


def count_pictures(who: Who, name: str, pictures: int = 1) -> None:
    """Count pictures for somebody, before they are looked at; raises TooManyRequests."""
    g.allowance = services().request_limits.count(who, name, pictures)


def tell_allowance(door: Blueprint) -> None:
    """Let every answer of a door that counted say what is left."""

    def add(response: Response) -> Response:
        allowance = g.get("allowance")
        if allowance is not None:
            response.headers.extend(allowance.headers)
        return response

    door.after_request(add)
