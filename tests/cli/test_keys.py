"""`flaskart keys`: another secret for the shop."""

import stat

from flaskart.kit.seals import Seals
from tests.cli.shells import Shell

SAYS = (
    "Wrote a new secret to instance/secret.key; the old one is in instance/old-secrets.key\n"
    "Start the shop again now, and run `flaskart keys retire` in two days or later\n"
)


def test_a_rotation_writes_a_new_secret_and_keeps_the_old_ones(nowhere: Shell) -> None:
    nowhere.done("init")
    instance = nowhere.folder / "instance"
    secrets = [(instance / "secret.key").read_text()]

    for _ in range(2):
        assert nowhere.done("keys", "rotate") == SAYS
        secrets.append((instance / "secret.key").read_text())

    assert len(set(secrets)) == 3
    assert {len(secret) for secret in secrets} == {64}
    assert (instance / "old-secrets.key").read_text().split() == secrets[:2]
    for name in ("secret.key", "old-secrets.key"):
        assert stat.S_IMODE((instance / name).stat().st_mode) == 0o600
    assert sorted(path.name for path in instance.iterdir()) == ["flaskart.db", "old-secrets.key", "secret.key"]


def test_a_rotation_that_was_cut_short_may_be_repeated(nowhere: Shell) -> None:
    nowhere.done("init")
    (nowhere.folder / "instance" / "secret.new").write_text("half a secr")

    assert nowhere.done("keys", "rotate") == SAYS

    assert len((nowhere.folder / "instance" / "secret.key").read_text()) == 64


def test_retiring_forgets_the_old_secrets(nowhere: Shell) -> None:
    nowhere.done("init")
    nowhere.done("keys", "rotate")

    printed = nowhere.done("keys", "retire")

    assert printed == "Sealed 0 second factors anew; no older secret is needed any more\n"
    assert not (nowhere.folder / "instance" / "old-secrets.key").exists()
    assert nowhere.done("doctor") == "All is well.\n"


def test_a_secret_of_the_environment_is_rotated_there(shop: Shell) -> None:
    refusal = shop.refused("keys", "rotate")

    assert refusal == (
        "Error: the secret is in FLASKART_SECRET_KEY: put a new one there, and the old one in FLASKART_OLD_SECRET_KEYS"
    )
    assert shop.done("keys", "retire", FLASKART_OLD_SECRET_KEYS="x" * 32).endswith(
        "Empty FLASKART_OLD_SECRET_KEYS, and start the shop again\n"
    )


def test_without_a_secret_there_is_none_to_rotate(nowhere: Shell) -> None:
    refusal = nowhere.refused("keys", "rotate")

    assert refusal == "flaskart: No secret key: run `flaskart init`, or set FLASKART_SECRET_KEY"


def test_a_short_old_secret_is_refused_by_name(shop: Shell) -> None:
    refusal = shop.refused("keys", "retire", FLASKART_OLD_SECRET_KEYS=f"{'x' * 32}\nshort")

    assert refusal == "flaskart: FLASKART_OLD_SECRET_KEYS is too short: at least 32 bytes are needed"


def test_seals_are_of_the_secret_that_comes_first() -> None:
    old, new = b"x" * 32, b"y" * 32

    assert Seals([new, old]).is_current(Seals([new]).seal("secret"))
    assert not Seals([new, old]).is_current(Seals([old]).seal("secret"))
