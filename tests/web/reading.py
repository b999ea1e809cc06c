"""What a visitor meets on a page: its words as they are read, and its elements with their attributes."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.serving import Reply

_UNREAD = ("script", "style", "template")


class Page(HTMLParser):
    """An answer that is a page."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self.status = reply.status
        self.elements: list[tuple[str, dict[str, str]]] = []
        self._pieces: list[str] = []
        self._unread = 0
        self.feed(reply.body.decode())
        self.close()

    @property
    def words(self) -> str:
        """Everything that is read, with single spaces."""
        return " ".join("".join(self._pieces).split())

    def all(self, tag: str, **attributes: str) -> list[dict[str, str]]:
        """Give the attributes of every element of that name that has at least these."""
        return [found for name, found in self.elements if name == tag and attributes.items() <= found.items()]

    def targets(self, beginning: str) -> list[str]:
        """Give where the links lead that begin so, in their order."""
        return [link["href"] for link in self.all("a") if link.get("href", "").startswith(beginning)]

    def field(self, name: str) -> str:
        """Give what a hidden field of the first form that has one holds."""
        return self.all("input", name=name)[0]["value"]

    @property
    def chosen(self) -> list[str]:
        """The options that are chosen."""
        return [option["value"] for option in self.all("option") if "selected" in option]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unread += tag in _UNREAD
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        self._unread -= tag in _UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self._pieces.append(data)
