"""The form for a model file, on the real site: what is missing is said beside it, and nobody is left without a word."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.serving import RunningSite
from tests.web.reading import Page
from tests.web.visiting import Visitor

ADDRESS = "/administration/models/import"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with RunningSite(tmp_path_factory.mktemp("uploads"), workers="1", model_uploads="on") as site:
        site.make_account(admin=True)
        visitor = Visitor(site)
        visitor.log_in()
        yield visitor


@pytest.mark.parametrize(
    ("fields", "content", "sentence"),
    [
        ({"name": "shade"}, None, "Choose the file of a trained classifier."),
        ({"name": ""}, b"x", "Give the model a name."),
        ({"name": "Not A Name"}, b"x", "A model cannot be called 'Not A Name'"),
        ({"name": "shade", "size": "large"}, b"x", "Write it like 32x32."),
        ({"name": "shade"}, b"no model at all", "The file"),
        ({"name": "shade", "scale": "odd"}, b"x", "Not a valid choice"),
    ],
)
def test_what_is_wrong_is_said(root: Visitor, fields: dict[str, str], content: bytes | None, sentence: str) -> None:
    files = [] if content is None else [("model", "model.pkl", content)]
    reply = root.submit(ADDRESS, fields, files)
    assert reply.status == 422
    assert sentence in Page(reply).words
    assert not list((root.site.data / "uploads").glob("[!.]*"))


def test_samples_that_are_no_archive_are_refused(root: Visitor) -> None:
    files = [("model", "model.pkl", b"x"), ("samples", "samples.zip", b"y")]
    reply = root.submit(ADDRESS, {"name": "shade"}, files)
    assert (reply.status, "The samples are no ZIP archive that can be read." in Page(reply).words) == (422, True)
