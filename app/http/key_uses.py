"""Counting the requests of each key, whatever they were answered."""

from __future__ import annotations

from flask import Flask, Response, g

from app.http.context import services


def use_key(key_id: str) -> None:
    """Let this request count as one of a key's."""
    g.key_id = key_id


def count_uses(app: Flask) -> None:
    """Count every request to an app that came with a good key."""

    def count(response: Response) -> Response:
        key_id = g.get("key_id")
        if key_id is not None:
            services().key_usage.count(key_id, refused=response.status_code >= 400)
        return response

    app.after_request(count)
