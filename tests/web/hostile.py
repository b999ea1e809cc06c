"""A model whose author wrote markup wherever a text may stand."""

from __future__ import annotations

import pickle
from pathlib import Path

from app.inference.package import Sample
from app.inference.repository import Repository
from tests.factories import make_classifier, make_manifest, make_picture

DARK, LIGHT = "<b>dark</b>", "<i>light</i>"
SAMPLE, WHITE = "samples/<u>white.png", make_picture((255, 255, 255))
CARD = """# hostile

A summary.

## <script src=//elsewhere.example/a.js></script>

Read <img src=x onerror=alert(1)> and [this](javascript:alert(1)), **then**
[that](http://elsewhere.example "a\\" onclick=\\"b").

| class | <b onclick=c>held out</b> |
|---|---|
| `<i>light</i>` | 12 |

```"><script>
<script>alert(1)</script>
```
"""


def publish_hostile(models: Path) -> None:
    """Write the package into a folder of models."""
    manifest = make_manifest(
        "hostile",
        classes=(DARK, LIGHT),
        titles={LIGHT: f"the {LIGHT}"},
        summary="<s>summary</s>",
        expects="<u>expects</u>",
        attribution="<q>source</q>",
        samples=(Sample(SAMPLE, '"><script>alert(1)</script>'),),
        libraries={"scikit-learn": "0.1.0"},
    )
    source = pickle.dumps(make_classifier((DARK, LIGHT)))
    files = {"source.pkl": source, "card.md": CARD.encode(), SAMPLE: WHITE}
    Repository(shipped=None, own=models).publish(manifest, files)
