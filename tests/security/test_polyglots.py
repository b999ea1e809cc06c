"""A file that is a picture and something else too: only its pixels are kept, and nothing of the rest is ever served."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest
from PIL import Image

from tests.bombs import chunk, png_with, segment
from tests.pictures import drawn, drawn_in
from tests.security.cast import key_of, person
from tests.serving import Reply, RunningSite
from tests.web.visiting import Visitor

SCRIPT = b"<script>alert('payload')</script>"
HTML = b"<!DOCTYPE html><html><body>payload" + SCRIPT + b"</body></html>"
PHP = b"<?php system($_GET['payload']); ?>"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert('payload'))>>>>endobj\n%%EOF\n"
SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(\"payload\")'><script>alert('payload')</script></svg>"
PARTS = [
    b"payload",
    b"<script",
    b"<?php",
    b"%PDF",
    b"PK\x03\x04",
    b"<svg",
    b"<!DOCTYPE",
    b"alert(",
    b"Exif",
    b"\x7fELF",
    b"GPS",
]


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("META-INF/MANIFEST.MF", "Main-Class: payload\n")
        packed.writestr("payload.class", b"\xca\xfe\xba\xbe payload")
    return file.getvalue()


def jpeg_with(*segments: bytes, after: bytes = b"") -> bytes:
    data = drawn_in("JPEG")
    return data[:2] + b"".join(segments) + data[2:] + after


def gif_with_comment(content: bytes) -> bytes:
    file = io.BytesIO()
    drawn().save(file, "GIF", comment=content)
    return file.getvalue()


def gif_as_script() -> bytes:
    """The width of the screen reads as the beginning of a comment of a script: GIF89a/*...*/=alert(1)."""
    data = drawn_in("GIF")
    return data[:6] + struct.pack("<H", 0x2A2F) + data[8:] + b"*/=1;alert('payload')//"


def exif() -> bytes:
    data = Image.Exif()
    data[0x010E], data[0x010F], data[0x9286], data[0x0131] = "payload <script>", "payload GPS", "payload alert(1)", "payload"
    data.get_ifd(0x8825)[1] = "N"
    return data.tobytes()


def saved(form: str, **given: object) -> bytes:
    file = io.BytesIO()
    drawn().save(file, form, **given)
    return file.getvalue()


FILES: dict[str, Callable[[], bytes]] = {
    "GIFAR": lambda: drawn_in("GIF") + archive(),
    "JPEG and JAR": lambda: drawn_in("JPEG") + archive(),
    "JPEG and HTML after its end": lambda: jpeg_with(after=HTML),
    "JPEG and HTML in a comment": lambda: jpeg_with(segment(0xFE, HTML)),
    "JPEG and HTML in an application's segment": lambda: jpeg_with(segment(0xED, HTML)),
    "JPEG and PHP": lambda: jpeg_with(segment(0xFE, PHP), after=PHP),
    "PDF and JPEG": lambda: jpeg_with(segment(0xFE, PDF), after=PDF),
    "JPEG with everything in its Exif": lambda: saved("JPEG", exif=exif()),
    "JPEG with XMP": lambda: jpeg_with(
        segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta>payload" + SVG + b"</x:xmpmeta>")
    ),
    "JPEG with another in it": lambda: jpeg_with(segment(0xE1, b"Exif\0\0payload" + drawn_in("JPEG")[:4000])),
    "PNG and PHP in a text": lambda: png_with(chunk(b"tEXt", b"Comment\0" + PHP)),
    "PNG and HTML in a text": lambda: png_with(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + HTML)),
    "PNG and PHP after its end": lambda: drawn_in("PNG") + PHP,
    "PNG and a private chunk": lambda: png_with(chunk(b"prVt", HTML + archive())),
    "PNG and Exif": lambda: png_with(chunk(b"eXIf", exif()[6:])),
    "GIF and a script": gif_as_script,
    "GIF and HTML": lambda: gif_with_comment(HTML[:200]),
    "WebP and HTML": lambda: saved("WEBP", exif=exif(), xmp=HTML),
    "WebP and a tail": lambda: saved("WEBP") + SVG + PDF,
    "TIFF and HTML": lambda: saved("TIFF", description=(HTML + PHP).decode()),
    "BMP and a script": lambda: drawn_in("BMP") + b"*/alert('payload')" + HTML,
    "AVIF and Exif": lambda: saved("AVIF", exif=exif(), xmp=HTML),
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "SVG": lambda: SVG,
    "SVG that calls itself XML": lambda: b"<?xml version='1.0'?>" + SVG,
    "HTML": lambda: HTML,
    "HTML and then a JPEG": lambda: HTML + drawn_in("JPEG"),
    "PDF and then a JPEG": lambda: PDF + drawn_in("JPEG"),
    "ZIP and then a PNG": lambda: archive() + drawn_in("PNG"),
    "PHP and then a GIF": lambda: PHP + drawn_in("GIF"),
    "a script that begins as a GIF": lambda: b"GIF89a=1;alert('payload')//",
    "a pickle": lambda: b"\x80\x04\x95\x1c\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x8c\x06system\x93\x8c\x07payload\x85R.",
    "PostScript": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(payload) run\n",
    "ImageMagick's own": lambda: (
        b"push graphic-context\nviewbox 0 0 9 9\nfill 'url(https://127.0.0.1/\"|payload\")'\npop graphic-context"
    ),
    "an ELF": lambda: b"\x7fELF\x02\x01\x01payload",
}


@pytest.fixture(scope="module")
def ada(fort_itself: RunningSite) -> Visitor:
    return person(fort_itself, "polyglot@example.org")


def send(ada: Visitor, content: bytes, name: str) -> Reply:
    return ada.submit("/", {"model": "cats-vs-dogs"}, [("images", name, content)])


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("name", ["photo.html", "photo.php"])
def test_of_a_picture_that_is_more_only_pixels_are_kept(fort: RunningSite, ada: Visitor, kind: str, name: str) -> None:
    content = FILES[kind]()
    if b"payload" not in content:
        assert kind == "GIFAR", "compressed"  # every other file says it in plain bytes
    reply = send(ada, content, name)
    assert reply.status == 303, reply.body
    path = reply.headers["Location"]
    for address in (f"{path}/picture", f"{path}/picture?size=thumbnail"):
        served = ada.get(address)
        assert_safe(served)
        assert not [part for part in PARTS if part in served.body]
    stored = [file.read_bytes() for file in fort.data.rglob(f"{path.rpartition('/')[2]}.*")]
    assert len(stored) == 2
    assert not [part for part in PARTS for file in stored if part in file]


def assert_safe(served: Reply) -> None:
    """Check that what is served is a JPEG made here, that a browser takes for nothing else, and in which nothing runs."""
    assert (served.status, served.headers["Content-Type"]) == (200, "image/jpeg")
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    picture = Image.open(io.BytesIO(served.body))
    assert picture.format == "JPEG"
    assert not picture.getexif()
    assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression"}
    picture.load()
    assert served.body.rstrip(b"\0").endswith(b"\xff\xd9")


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("name", ["photo.jpg", "photo.svg"])
def test_what_is_no_picture_is_refused_whatever_it_is_called(ada: Visitor, kind: str, name: str) -> None:
    reply = send(ada, REFUSED[kind](), name)
    assert reply.status in (415, 422)
    assert b"payload" not in reply.body


def test_a_type_that_the_client_claims_changes_nothing(fort: RunningSite, ada: Visitor) -> None:
    key = key_of(fort, "polyglot@example.org")
    for kind in ("text/html", "image/svg+xml", "application/x-php", "image/jpeg"):
        assert fort.request("POST", "/api/v1/predict", SVG, {"Content-Type": kind}, key=key).status == 415
        assert fort.request("POST", "/api/v1/predict", drawn_in("PNG"), {"Content-Type": kind}, key=key).status == 200
