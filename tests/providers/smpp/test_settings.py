"""What an SMPP account may be declared with."""

import ssl
from typing import Any

import msgspec
import pytest

from todoke.providers.kinds import KINDS
from todoke.providers.smpp.settings import SmppSettings


def settings(**values: Any) -> SmppSettings:
    return msgspec.convert({"host": "smsc.example", **values}, SmppSettings)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"links": 0}, "`links` must be between 1 and 64"),
        ({"links": 65}, "`links` must be between 1 and 64"),
        ({"window": 0}, "`window` must be between 1 and 10000"),
        ({"port": 65_536}, "`port` must be between 1 and 65535"),
        ({"system_id": "x" * 16}, "`system_id` has at most 15 characters in SMPP"),
        ({"password": "x" * 9}, "`password` has at most 8 characters in SMPP"),
        ({"system_type": "x" * 13}, "`system_type` has at most 12 characters in SMPP"),
        ({"service_type": "x" * 6}, "`service_type` has at most 5 characters in SMPP"),
        ({"system_id": "トドケ"}, "`system_id` must be ASCII"),
        ({"password": "a\0b"}, "`password` must be ASCII"),
        ({"host": ""}, "`host` is empty"),
        ({"response_timeout": 0}, "`response_timeout` must be more than 0 and at most 3600 seconds"),
        ({"enquire_link": 3601}, "`enquire_link` must be more than 0 and at most 3600 seconds"),
        ({"alphabet": "ebcdic"}, "`alphabet` is gsm7 or latin1"),
        ({"bind": "both"}, "Invalid enum value 'both'"),
        ({"response_ids": "rot13"}, "Invalid enum value 'rot13'"),
        ({"windw": 5}, "unknown field `windw`"),
    ],
)
def test_what_cannot_work_is_said_at_the_declaration(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(msgspec.ValidationError) as error:
        settings(**values)
    assert sentence in str(error.value)


def test_the_name_of_a_secret_may_be_longer_than_the_secret() -> None:
    assert settings(password="env:CARRIER_PASSWORD").password == "env:CARRIER_PASSWORD"


def test_a_host_is_all_that_is_needed() -> None:
    assert settings().port == 2775
    assert settings().ssl_context() is None


def test_the_simulator_needs_nothing() -> None:
    made = msgspec.convert({}, KINDS["simulator"])
    assert (made.host, made.system_id, made.trace) == ("127.0.0.1", "todoke", True)


def test_certificates_are_looked_at_unless_told_otherwise() -> None:
    strict, lax = settings(tls=True).ssl_context(), settings(tls=True, tls_verify=False).ssl_context()
    assert strict is not None
    assert lax is not None
    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_NONE, False)
