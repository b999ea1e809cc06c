"""Small files that would cost much: built by hand, each over exactly one limit."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

from tests.pictures import drawn, drawn_in, heic, many_scans, stored


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *chunks: bytes) -> bytes:
    """A PNG that announces a size, with further chunks and without pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IEND")


def png_with(*chunks: bytes) -> bytes:
    """The drawn picture as a PNG, with further chunks before its pixels."""
    data = drawn_in("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def segment(marker: int, content: bytes = b"") -> bytes:
    """One segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def jpeg_with(*segments: bytes) -> bytes:
    """The drawn picture as a JPEG, with further segments at its beginning."""
    data = drawn_in("JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def jpeg(width: int, height: int) -> bytes:
    """A JPEG that announces a size."""
    frame = segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\0")
    return b"\xff\xd8" + frame + segment(0xDA, b"\x01\x01\0\0\x3f\0") + b"\xff\xd9"


def hidden_scans(scans: int) -> bytes:
    """A progressive JPEG that hides most of its scans behind the bytes of an end marker in a comment."""
    data = many_scans(scans)
    first = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    return data[:first] + segment(0xFE, b"\xff\xd9") + data[first:]


def gif(width: int, height: int, *blocks: bytes) -> bytes:
    """A GIF of a canvas and blocks."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + b"".join(blocks) + b";"


def gif_frame(width: int = 1, height: int = 1, left: int = 0) -> bytes:
    """One frame of one colour, of which only the first pixel is there."""
    return b"," + struct.pack("<HHHHB", left, 0, width, height, 0) + b"\x02\x02\x44\x01\0"


def gif_comment(block_size: int, total: int) -> bytes:
    """A comment in blocks."""
    return b"!\xfe" + (bytes([block_size]) + b"x" * block_size) * (total // (block_size + 1)) + b"\0"


def webp(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP container of chunks."""
    content = b"".join(kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2) for kind, data in chunks)
    return b"RIFF" + struct.pack("<I", len(content) + 4) + b"WEBP" + content


def webp_canvas(width: int, height: int) -> tuple[bytes, bytes]:
    """The chunk that announces the size of an extended WebP."""
    return b"VP8X", struct.pack("<I", 2) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")


def bmp(width: int, height: int, method: int = 0, data: bytes = b"") -> bytes:
    """A BMP of 8 bits a pixel that announces a size and a method of compression."""
    palette = b"".join(bytes((level, level, level, 0)) for level in range(256))
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 8, method, len(data), 0, 0, 256, 0)
    start = 14 + len(head) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(data), 0, 0, start) + head + palette + data


def tiff(entries: dict[int, tuple[int, int, int]], data: bytes = b"", following: int = 0) -> bytes:
    """A TIFF of one directory, tag -> (type, count, value or offset), and data from byte 4,096 on."""
    table = b"".join(struct.pack("<HHII", tag, *entry) for tag, entry in sorted(entries.items()))
    directory = struct.pack("<H", len(entries)) + table + struct.pack("<I", following)
    return (b"II*\0" + struct.pack("<I", 8) + directory).ljust(4_096, b"\0") + data


def tiff_tags(width: int, height: int, **changes: tuple[int, int, int]) -> dict[int, tuple[int, int, int]]:
    """The tags of a grey TIFF in one strip; changes are named t273 and so on."""
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1)}
    tags |= {273: (4, 1, 4_096), 277: (3, 1, 1), 278: (4, 1, height), 279: (4, 1, width * height)}
    return tags | {int(name[1:]): entry for name, entry in changes.items()}


def tiff_strips(strips: int) -> bytes:
    """A TIFF one pixel wide, with a strip for every line."""
    offsets, sizes = struct.pack("<I", 4_096) * strips, struct.pack("<I", 1) * strips
    changes = {"t273": (4, strips, 4_097), "t279": (4, strips, 4_097 + 4 * strips), "t278": (4, 1, 1), "t259": (3, 1, 8)}
    return tiff(tiff_tags(1, 16_000, **changes), b"x" + offsets + sizes)


def box(kind: bytes, content: bytes) -> bytes:
    """One box of an AVIF or HEIC."""
    return struct.pack(">I4s", 8 + len(content), kind) + content


def heic_grid(width: int, height: int, wide: bool = False) -> bytes:
    """A HEIC that announces 64 by 64 pixels, joined from tiles to another size."""
    grid = struct.pack(">BBBB" + ("II" if wide else "HH"), 0, wide, 0, 0, width, height)
    kinds = box(b"iinf", struct.pack(">IH", 0, 1) + box(b"infe", struct.pack(">IHH4s", 2 << 24, 1, 0, b"grid")))
    places = box(b"iloc", struct.pack(">IBBHHHHHII", 1 << 24, 0x44, 0, 1, 1, 1, 0, 1, 0, len(grid)))
    sizes = box(b"iprp", box(b"ipco", box(b"ispe", struct.pack(">III", 0, 64, 64))))
    meta = box(b"meta", bytes(4) + kinds + places + sizes + box(b"idat", grid))
    return box(b"ftyp", b"heic\0\0\0\0heic") + meta


def lying(data: bytes, width: int, height: int) -> bytes:
    """An AVIF or HEIC whose container announces another size than the code inside has."""
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", width, height) + data[at + 8 :]


BOMBS: dict[str, Callable[[], bytes]] = {
    "JPEG of 65,535 by 65,535": lambda: jpeg(65_535, 65_535),
    "JPEG of 64 megapixels": lambda: jpeg(8_000, 8_000),
    "JPEG in 2,000 scans": lambda: many_scans(2_000, 2_000, 2_000),
    "JPEG with 10 MB of metadata": lambda: jpeg_with(segment(0xE1, bytes(65_000)) * 160),
    "JPEG with a million segments": lambda: jpeg_with(segment(0xDD, b"\0\0") * 1_000_000),
    "JPEG with 19 MB of fill bytes": lambda: jpeg_with(b"\xff" * 19_000_000),
    "JPEG with 19 MB of junk": lambda: jpeg_with(segment(0xDD, b"\0\0"), bytes(19_000_000)),
    "PNG of 100,000 by 100,000": lambda: png(100_000, 100_000),
    "PNG with a packed profile": lambda: png_with(chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(50_000_000)))),
    "PNG with 10 MB of metadata": lambda: png_with(chunk(b"tEXt", b"k\0" + bytes(1_000_000)) * 10),
    "PNG with a million chunks": lambda: png_with(chunk(b"IDAT") * 1_000_000),
    "PNG of a million frames": lambda: png_with(chunk(b"acTL", struct.pack(">II", 1_000_000, 0))),
    "GIF of 65,535 by 65,535": lambda: gif(65_535, 65_535, gif_frame()),
    "GIF with a frame that sticks out": lambda: gif(10, 10, gif_frame(left=60_000)),
    "GIF with 10 MB of metadata": lambda: gif(10, 10, gif_comment(255, 10_000_000), gif_frame()),
    "GIF in ten million blocks": lambda: gif(10, 10, gif_comment(1, 19_000_000), gif_frame()),
    "GIF of a million frames": lambda: gif(1, 1, gif_frame() * 1_000_000),
    "WebP of 16 million by 16 million": lambda: webp(webp_canvas(16_777_216, 16_777_216)),
    "WebP of more memory": lambda: webp(webp_canvas(7_000, 7_000)),
    "WebP of a million frames": lambda: webp(webp_canvas(10, 10), *[(b"ANMF", b"")] * 1_000_000),
    "BMP of 65,535 by 65,535": lambda: bmp(65_535, 65_535),
    "BMP in nine million runs": lambda: bmp(4_000, 4_000, 1, b"\1\7" * 9_000_000),
    "TIFF of 65,535 by 65,535": lambda: tiff(tiff_tags(65_535, 65_535)),
    "TIFF of a million strips": lambda: tiff_strips(1_000_000),
    "TIFF with a tile larger than itself": lambda: tiff(
        tiff_tags(9, 9, t259=(3, 1, 8), t322=(4, 1, 65_536), t323=(4, 1, 65_536), t324=(4, 1, 4_096), t325=(4, 1, 9)), bytes(9)
    ),
    "TIFF with a million widths": lambda: tiff(tiff_tags(9, 9, t256=(4, 1_000_000, 4_096)), bytes(4_000_000)),
    "AVIF of 65,535 by 65,535": lambda: lying(drawn_in("AVIF"), 65_535, 65_535),
    "AVIF larger inside than outside": lambda: lying(stored(drawn(16_400, 64), "AVIF", speed=10), 64, 64),
    "HEIC of 65,535 by 65,535": lambda: lying(heic(), 65_535, 65_535),
    "HEIC of many tiles": lambda: heic_grid(65_535, 65_535),
    "HEIC of very many tiles": lambda: heic_grid(1_000_000, 1_000_000, wide=True),
}
