"""The settings as far as they can be read: what is wrong is told, and its default stands in, so that all else is looked at."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.cli.checks.finding import Finding, error, good
from app.config import Settings, unknown_settings, wrong_settings
from app.errors import InvalidSettings

_LIST = "docs/settings.md lists every setting with its meaning."


def read_settings() -> tuple[Settings, list[Finding]]:
    """Give the settings, and a finding for each that cannot be used."""
    found = [error(f"There is no setting {name}, which keeps the site from starting.", _LIST) for name in unknown_settings()]
    instead: dict[str, Any] = {}
    while True:
        try:
            return Settings(**instead), found or [good("All settings can be read.")]
        except ValidationError as wrong:
            told = wrong_settings(wrong)
        except InvalidSettings as wrong:  # of a provider, which is whole or not there
            told = dict.fromkeys((name for name in Settings.model_fields if name.startswith("oidc_")), "")
            found.append(error(str(wrong), _LIST))
        if told.keys() <= instead.keys():  # what came instead is wrong as well: there is nothing to go on with
            raise InvalidSettings("The settings contradict each other in a way that is not understood here.")
        found += [error(sentence, _LIST) for sentence in told.values() if sentence]
        instead |= {name: Settings.model_fields[name].get_default() for name in told}
