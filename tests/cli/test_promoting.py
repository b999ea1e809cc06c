"""What a command tells before another version answers: what was replayed, what flips, and what has to be confirmed."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from app.composition import Services
from app.services.audit_log import subject_of_model
from app.services.recorder import Owner
from tests.cli.running import Ran, Run, output_of, rows_of
from tests.evidence import GREYS, keep, publish_at
from tests.factories import make_classifier

ACTIVE = "shade 2 is active; running workers follow within seconds.\n"


def activate(vitrine: Run, version: str = "2", *words: str) -> Ran:
    return vitrine("models", "activate", "shade", version, *words)


def details(services: Services) -> list[str]:
    return [deed.detail for deed in services.audit_log.about(subject_of_model("shade"))]


def test_few_flips_are_told_in_a_table_and_one_by_one(vitrine: Run, services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 160, GREYS)
    ran = activate(vitrine)
    assert ran.err == ACTIVE
    lines = output_of(ran).splitlines()
    assert lines[0] == "Answered by version 1 and by version 2:"
    assert "right by version 1" in lines[2]
    assert rows_of(ran.out) == [["4", "3", "1", "4 of 4", "3 of 4"]]
    assert lines[-2].startswith("samples/150.png of version 2: light (")
    assert " -> dark (" in lines[-2]
    assert lines[-1] == "Replayed: 4 sample pictures."
    assert details(services) == ["version 2 in place of 1, 1 of 4 replayed pictures flipped"]


def test_kept_pictures_are_named_by_their_answers_and_are_said_to_be_smaller(
    vitrine: Run, services: Services, account: int
) -> None:
    publish_at(services.repository, 128)
    publish_at(services.repository, 160)
    (flipping,) = keep(services, Owner(account=account), 150)
    keep(services, Owner(guest="a" * 32), 30)
    out = output_of(activate(vitrine))
    assert rows_of(out) == [["2", "1", "1"]]
    assert f"\n{flipping}: light (" in out
    assert "Replayed: the 2 newest pictures that are kept of this model's answers." in out
    assert "Kept pictures are small copies of what was sent" in out


def test_too_many_flips_change_nothing_until_they_are_confirmed(vitrine: Run, services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 10, GREYS)
    ran = activate(vitrine)
    assert ran.code == 1
    assert rows_of(ran.out) == [["4", "2", "2", "4 of 4", "2 of 4"]]
    assert ran.err == (
        "vitrine: Version 2 answers 2 of 4 replayed pictures otherwise than version 1, which is to be confirmed: nothing was "
        "changed. To let it answer all the same: vitrine models activate shade 2 --yes\n"
    )
    assert (services.repository.active_version("shade"), details(services)) == ("1", [])
    confirmed = activate(vitrine, "2", "--yes")
    assert (confirmed.code, confirmed.out, confirmed.err) == (0, ran.out, ACTIVE)
    assert details(services) == ["version 2 in place of 1, 2 of 4 replayed pictures flipped"]


def test_a_roll_back_and_the_active_version_replay_nothing(vitrine: Run, services: Services) -> None:
    publish_at(services.repository, 128, GREYS)
    publish_at(services.repository, 10, GREYS)
    assert activate(vitrine, "2", "--yes").code == 0
    for ran in (activate(vitrine, "2"), vitrine("models", "rollback", "shade")):
        assert (ran.code, ran.out) == (0, "")
    assert services.repository.active_version("shade") == "1"


def test_only_some_of_many_flips_are_listed(vitrine: Run, services: Services) -> None:
    publish_at(services.repository, 128, tuple(range(140, 182)))
    publish_at(services.repository, 250)
    out = output_of(activate(vitrine, "2", "--yes"))
    assert out.count("->") == 40
    assert "\nand 2 more\n" in out


def test_what_a_class_is_called_does_nothing_to_a_terminal(vitrine: Run, services: Services) -> None:
    publish_at(services.repository, 128, (240,))
    publish_at(services.repository, 128, classes=("dark", "\x1b[31mlight"))
    out = output_of(activate(vitrine, "2", "--yes"))
    assert "\x1b" not in out
    assert "-> \N{REPLACEMENT CHARACTER}[31mlight (" in out


@pytest.mark.parametrize(("labels", "flips"), [("dark,light", False), ("light,dark", True)])
def test_an_import_that_changes_too_much_waits_and_says_how_to_go_on(
    vitrine: Run, services: Services, tmp_path: Path, labels: str, flips: bool
) -> None:
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(make_classifier()))
    publish_at(services.repository, 128, GREYS)
    words = ("--name", "shade", "--size", "2x2", "--weak-sandbox", "--labels", labels)
    ran = vitrine("models", "import", tmp_path / "model.pkl", *words)
    assert ran.code == 0
    assert rows_of(ran.out) == [["4", "0", "4", "4 of 4", "0 of 4"] if flips else ["4", "4", "0", "4 of 4", "4 of 4"]]
    assert services.repository.active_version("shade") == ("1" if flips else "2")
    if flips:
        assert ran.err.startswith("shade 2 is imported and not active. Version 2 answers 4 of 4 replayed pictures otherwise")
        assert ran.err.endswith("To let it answer all the same: vitrine models activate shade 2 --yes\n")
    else:
        assert ran.err == "shade 2 is imported and active; running workers follow within seconds.\n"
