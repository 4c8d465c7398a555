"""What one message costs: measured on this machine, or read from a file of an earlier measurement."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Costs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Processor time in microseconds, log and tables in octets. The engine's include what it does for the database."""

    # The engine's process, for each message of one segment.
    engine_message_us: float
    engine_receipt_us: float
    # Of a slow lane, beside its messages: a second of it, and each message that rides alone in its flush.
    engine_lane_second_us: float
    engine_slow_message_us: float

    # All processes of the database.
    db_flush_us: float  # a flush that carries nothing
    db_lease_us: float  # a block
    db_contact_us: float  # read, and looked up on a DNC list
    db_reserve_us: float  # slot, block and a second look at the DNC list
    db_result_us: float
    db_part_us: float  # a result of one of several segments
    db_receipt_us: float  # of a message that this engine remembers
    db_receipt_late_us: float  # of one that it does not: looked up in the partitions of the bucket
    db_receipt_partition_us: float  # more for each further partition of the bucket
    db_retry_us: float  # through `due`: in, out, settled
    db_vacuum_us: float  # a row of `event` that is frozen

    db_whole_us: float  # a message with its receipt in a run of the whole engine: what the parts above are held against

    wal_flush: float
    wal_lease: float
    wal_reserve: float
    wal_result: float
    wal_part: float
    wal_receipt: float
    wal_retry: float
    wal_vacuum: float

    event_result: float  # table and indexes
    event_receipt: float
    contact: float

    net_db_message: float  # between engine and database, both ways, with one receipt
    net_carrier_message: float  # SMPP, both ways, without TCP's own
    net_carrier_receipt: float

    engine_connections: int  # to the database, under load
    machine: str = ""  # what it was measured on

    @property
    def db_parts_us(self) -> float:
        """The parts of such a message together, beside flushes and leases."""
        return self.db_contact_us + self.db_reserve_us + self.db_result_us + self.db_receipt_us

    def save(self, path: Path) -> None:
        path.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n")

    @classmethod
    def load(cls, path: Path) -> Costs:
        """ValidationError names the field that is missing."""
        return msgspec.json.decode(path.read_bytes(), type=cls)
