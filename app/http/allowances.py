"""Counting pictures against their limits, and telling programs what is left to them."""

from __future__ import annotations

from flask import Blueprint, Response, g

from app.http.context import services
from app.services.accounts.api_keys import KeyHolder
from app.services.request_limits import Who, headers_of


def count_pictures(who: Who, name: str, pictures: int = 1) -> None:
    """Count pictures for somebody, before they are looked at; raises TooManyRequests."""
    allowance = services().request_limits.count(who, name, pictures)
    g.allowances = () if allowance is None else (allowance,)


def count_pictures_of(holder: KeyHolder, pictures: int = 1) -> None:
    """Count pictures for a key, in the minute and in the day, before they are looked at; raises TooManyRequests."""
    g.allowances = services().request_limits.count_key(holder.key_id, holder.daily, pictures)


def tell_allowance(door: Blueprint) -> None:
    """Let every answer of a door that counted say what is left."""

    def add(response: Response) -> Response:
        for name, value in headers_of(g.get("allowances", ())).items():
            response.headers.add(name, value)
        return response

    door.after_request(add)
