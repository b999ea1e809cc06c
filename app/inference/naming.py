"""How an answer is said: "a Cat", "an Abyssinian", "an 8"; "97.3 %"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

# Words whose sound and spelling disagree; a title in the manifest overrules all of this.
# A letter that stands alone is called by its name: an F, an X-ray, a U-turn.
_SOUNDS_LIKE_A_VOWEL = re.compile(r"^(?:8|1[18](?!\d)|hour|honest|honou?r|heir|[fhlmnrsx]\b|[aeiou])", re.IGNORECASE)
_SOUNDS_LIKE_A_CONSONANT = re.compile(
    r"^(?:u\b|uv|ub[io]|uga|uk[ru]|unan|uni(?!n|m[aipt]|de)|ur[aeio]|us[aeu]|ut[eio]|eu|ewe|one\b|once)", re.IGNORECASE
)
_ARTICLE = re.compile(r"^(an?|the)\s+(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """A class as a sentence says it; `article` may be empty."""

    article: str
    noun: str

    def __str__(self) -> str:
        return f"{self.article} {self.noun}".strip()


def name_of(label: str, titles: Mapping[str, str] | None = None) -> Name:
    """Give the name of a class: its title where the manifest holds one, else the label with underscores as spaces."""
    title = (titles or {}).get(label)
    if title is None:
        noun = label.replace("_", " ").strip() or label
        return Name(_article(noun), noun[:1].upper() + noun[1:])
    article = _ARTICLE.match(title)
    return Name(article[1].lower(), title[article.end() :]) if article else Name("", title)


def percent(probability: float) -> str:
    """Give a probability as people read it; what is not certain is never called 100 %."""
    if 0.9995 <= probability < 1:
        return "> 99.9 %"
    if 0 < probability < 0.0005:
        return "< 0.1 %"
    return f"{probability * 100:.1f} %"


def _article(noun: str) -> str:
    vowel = _SOUNDS_LIKE_A_VOWEL.match(noun) and not _SOUNDS_LIKE_A_CONSONANT.match(noun)
    return "an" if vowel else "a"
