"""Costs for tests: of the right order, and round."""

from __future__ import annotations

from bench.model.costs import Costs

COSTS = Costs(
    engine_message_us=10.0,
    engine_receipt_us=10.0,
    engine_lane_second_us=100.0,
    engine_slow_message_us=50.0,
    db_flush_us=200.0,
    db_lease_us=200.0,
    db_contact_us=2.0,
    db_reserve_us=2.0,
    db_result_us=4.0,
    db_part_us=5.0,
    db_receipt_us=4.0,
    db_receipt_late_us=8.0,
    db_receipt_partition_us=0.5,
    db_retry_us=80.0,
    db_vacuum_us=0.5,
    db_whole_us=14.0,
    wal_flush=100.0,
    wal_lease=600.0,
    wal_reserve=2.0,
    wal_result=250.0,
    wal_part=250.0,
    wal_receipt=200.0,
    wal_retry=900.0,
    wal_vacuum=10.0,
    event_result=250.0,
    event_receipt=250.0,
    contact=120.0,
    net_db_message=250.0,
    net_carrier_message=200.0,
    net_carrier_receipt=200.0,
    engine_connections=7,
)
