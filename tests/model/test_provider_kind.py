import pytest

from todoke.model.errors import Invalid
from todoke.model.provider_kind import resolve, shown
from todoke.providers.kinds import KINDS, SimulatorSettings
from todoke.providers.smpp.settings import SmppSettings

KEPT = {"host": "h", "system_id": "s", "password": "env:CARRIER"}


def test_a_secret_is_read_from_the_environment() -> None:
    assert resolve("c", KEPT, SmppSettings, {"CARRIER": "pw"}).password == "pw"
    assert resolve("c", {**KEPT, "password": "plain"}, SmppSettings, {}).password == "plain"


@pytest.mark.parametrize("environ", [{}, {"CARRIER": ""}])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(Invalid) as caught:
        resolve("c", KEPT, SmppSettings, environ)
    assert str(caught.value).startswith(
        "provider c: The password is in the variable CARRIER, which is not set. Set CARRIER"
    )


def test_settings_that_do_not_fit_say_so() -> None:
    with pytest.raises(Invalid, match=r"provider c: .*links"):
        resolve("c", {"host": "h", "links": 0}, SmppSettings, {})


def test_secrets_are_not_shown() -> None:
    assert shown(KEPT) == KEPT
    assert shown({"password": "s3cret", "host": "h"}) == {"password": "***", "host": "h"}


def test_the_simulator_needs_nothing() -> None:
    assert resolve("c", {}, KINDS["simulator"], {}) == SimulatorSettings()
