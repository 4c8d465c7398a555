"""The ledger: what was answered is in it, whatever happens to the process."""

import asyncio
import contextlib
import json
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from todoke.providers.simulator import MARK_TAG, Entry, LedgerError, Mark, mark_value, read
from todoke.providers.simulator.entry import (
    Concatenation,
    MalformedSubmit,
    digest,
    pack_entry,
    parse_submit,
    udh_concatenation,
    unpack_entry,
)
from todoke.providers.simulator.ledger import Ledger
from todoke.smpp.pdu import SubmitSm, SubmitSmResp, decode, encode
from todoke.smpp.tlv import MESSAGE_PAYLOAD, SAR_MSG_REF_NUM, SAR_SEGMENT_SEQNUM, SAR_TOTAL_SEGMENTS, Tlv

_OCTET, _WORD, _LONG = st.integers(0, 255), st.integers(0, 0xFFFF), st.integers(0, 2**64 - 1)
_TEXT = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\0"), max_size=64)

ENTRIES = st.builds(
    Entry,
    at=_LONG,
    monotonic=_LONG,
    account=_TEXT,
    connection=st.integers(0, 2**32 - 1),
    sequence=st.integers(0, 2**32 - 1),
    source=_TEXT,
    destination=_TEXT,
    given=_TEXT,
    status=st.integers(0, 2**32 - 1),
    fate=_OCTET,
    concatenation=st.none() | st.builds(Concatenation, _WORD, st.integers(1, 255), _OCTET),
    user_message_reference=st.none() | _WORD,
    data_coding=_OCTET,
    size=st.integers(0, 2**32 - 1),
    digest=st.binary(min_size=8, max_size=8),
    mark=st.none() | st.builds(Mark, _LONG, _OCTET, _WORD),
)


def an_entry(number: int, **fields: Any) -> Entry:
    base: dict[str, Any] = {
        "at": number,
        "monotonic": number,
        "account": "todoke",
        "connection": 1,
        "sequence": number,
        "source": "100",
        "destination": "819012345678",
        "given": str(number),
        "status": 0,
        "fate": 0,
        "concatenation": None,
        "user_message_reference": None,
        "data_coding": 0,
        "size": 5,
        "digest": b"12345678",
        "mark": Mark(number, 1, 1),
    }
    return Entry(**(base | fields))


def _write(path: Path, entries: list[Entry]) -> None:
    ledger = Ledger(path)
    for entry in entries:
        ledger.add(entry)
    ledger.close()


@given(ENTRIES)
def test_an_entry_survives_its_record(entry: Entry) -> None:
    assert unpack_entry(pack_entry(entry)) == entry


def test_entries_stream_in_order_and_from_any_offset(tmp_path: Path) -> None:
    entries = [an_entry(number) for number in range(10)]
    _write(tmp_path / "ledger", entries)
    assert list(read(tmp_path / "ledger")) == entries
    for skip in (0, 3, 10, 11):
        assert list(read(tmp_path / "ledger", skip)) == entries[skip:]


def test_a_torn_tail_is_left_out_then_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    entries = [an_entry(number) for number in range(3)]
    _write(path, entries[:1])
    starts = path.stat().st_size
    _write(path, entries[:2][1:])
    whole = path.read_bytes()
    for size in range(starts, len(whole)):
        path.write_bytes(whole[:size])
        assert list(read(path)) == entries[:1], size
        _write(path, entries[2:])
        assert list(read(path)) == [entries[0], entries[2]], size


@pytest.mark.parametrize("size", range(0, 26, 5))
def test_a_file_torn_in_its_first_line_is_begun_again(tmp_path: Path, size: int) -> None:
    path = tmp_path / "ledger"
    _write(path, [])
    path.write_bytes(path.read_bytes()[:size])
    _write(path, [an_entry(1)])
    assert list(read(path)) == [an_entry(1)]


def test_only_one_writer(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "ledger")
    with pytest.raises(LedgerError, match=r"Another simulator writes this ledger\. Give this one its own\."):
        Ledger(tmp_path / "ledger")
    first.close()
    Ledger(tmp_path / "ledger").close()


@pytest.mark.parametrize("content", [b"something else entirely, and longer", b"x"])
def test_a_file_that_is_no_ledger_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger"
    path.write_bytes(content)
    with pytest.raises(LedgerError, match="not a ledger"):
        Ledger(path)
    with pytest.raises(LedgerError, match="not a ledger"):
        list(read(path))
    assert path.read_bytes() == content


def test_a_damaged_record_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    _write(path, [an_entry(1)])
    with path.open("ab") as file:
        file.write(struct.pack(">IB", 5, 0) + b"12345")
    with pytest.raises(LedgerError, match="damaged"):
        list(read(path))


def test_no_place_for_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="Cannot open the ledger"):
        Ledger(tmp_path / "missing" / "ledger")
    with pytest.raises(LedgerError, match="Cannot read the ledger"):
        list(read(tmp_path / "missing"))


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "ledger"
    ledger = Ledger(path)
    ledger.add(an_entry(1))
    ledger.flush()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 40, limits[1]))
        ledger.add(an_entry(2))
        with pytest.raises(LedgerError, match="Cannot write the ledger"):
            ledger.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert ledger.count == 1
    ledger.add(an_entry(3))
    ledger.close()
    assert list(read(path)) == [an_entry(1), an_entry(3)]


TLVS = st.sampled_from(
    [
        (),
        (Tlv(MARK_TAG, mark_value(2**63, 255, 9)),),
        (Tlv(SAR_MSG_REF_NUM, b"\x01\x02"), Tlv(SAR_TOTAL_SEGMENTS, b"\x03"), Tlv(SAR_SEGMENT_SEQNUM, b"\x02")),
        (Tlv(MESSAGE_PAYLOAD, b"x" * 300), Tlv(0x0204, b"\x11\x22")),
    ]
)


@given(
    source=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20),
    destination=st.from_regex(r"[0-9]{1,20}", fullmatch=True),
    text=st.binary(max_size=254),
    validity=st.sampled_from(["", "000003000000000R"]),
    tlvs=TLVS,
)
def test_the_raw_parser_agrees_with_the_codec(
    source: str, destination: str, text: bytes, validity: str, tlvs: tuple[Tlv, ...]
) -> None:
    pdu = SubmitSm(
        sequence=77,
        source_addr=source,
        destination_addr=destination,
        esm_class=0,
        validity_period=validity,
        registered_delivery=1,
        data_coding=8,
        short_message=text,
        tlvs=tlvs,
    )
    raw = parse_submit(encode(pdu))
    found = dict(tlvs)
    assert (raw.sequence, raw.source, raw.destination) == (77, source, destination)
    assert (raw.registered_delivery, raw.data_coding) == (1, 8)
    assert raw.payload == found.get(MESSAGE_PAYLOAD, text)
    assert raw.mark == (Mark(2**63, 255, 9) if MARK_TAG in found else None)
    assert raw.concatenation == (Concatenation(0x0102, 3, 2) if SAR_MSG_REF_NUM in found else None)
    assert raw.user_message_reference == (0x1122 if 0x0204 in found else None)


@given(st.binary(max_size=80))
def test_garbage_is_malformed_and_nothing_else(octets: bytes) -> None:
    with contextlib.suppress(MalformedSubmit):
        parse_submit(octets)


@given(st.binary(max_size=40))
def test_any_header_is_read_without_an_error(octets: bytes) -> None:
    udh_concatenation(0x40, octets)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"\x05\x00\x03\x2a\x02\x01", Concatenation(0x2A, 2, 1)),
        (b"\x06\x08\x04\x01\x2a\x02\x01", Concatenation(0x012A, 2, 1)),
        (b"\x08\x24\x01\x01\x00\x03\x2a\x02\x02", Concatenation(0x2A, 2, 2)),
        (b"\x03\x24\x01\x01", None),
    ],
)
def test_concatenation_headers(header: bytes, expected: Concatenation | None) -> None:
    assert udh_concatenation(0x40, header + b"text") == expected
    assert udh_concatenation(0x00, header + b"text") is None


@pytest.mark.fault
@pytest.mark.parametrize("mode", [[], ["--fast"]])
async def test_what_was_answered_survives_sigkill(tmp_path: Path, mode: list[str]) -> None:
    path = tmp_path / "ledger"
    answered: list[str] = []
    for life in range(3):
        process, port = await _start(path, mode)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_bind())
            await _read(reader)
            writer.write(b"".join(_submit(life * 1000 + number) for number in range(1000)))
            for _ in range(200):
                answer = decode(await _read(reader))
                assert isinstance(answer, SubmitSmResp)
                answered.append(answer.message_id)
            os.kill(process.pid, signal.SIGKILL)
        finally:
            writer.close()
            await process.wait()
    given_ids = [entry.given for entry in read(path)]
    assert set(answered) <= set(given_ids)
    assert len(given_ids) == len(set(given_ids)), "ids are not given twice, not across restarts either"
    assert all(entry.digest == digest(b"hello") for entry in read(path))


async def _start(path: Path, mode: list[str]) -> tuple[asyncio.subprocess.Process, int]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "todoke.providers.simulator", "--port", "0", "--ledger", str(path), *mode),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, json.loads(await asyncio.wait_for(process.stdout.readline(), 20))["smpp_port"]


def _bind() -> bytes:
    body = b"todoke\0secret\0\0\x34\0\0\0"
    return struct.pack(">IIII", 16 + len(body), 0x09, 0, 1) + body


def _submit(number: int) -> bytes:
    tlvs = (Tlv(MARK_TAG, mark_value(number, 1, 1)),)
    return encode(
        SubmitSm(
            sequence=number + 2, source_addr="100", destination_addr="819012345678", short_message=b"hello", tlvs=tlvs
        )
    )


async def _read(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(20):
        size = await reader.readexactly(4)
        return size + await reader.readexactly(int.from_bytes(size, "big") - 4)
