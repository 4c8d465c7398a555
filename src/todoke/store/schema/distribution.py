"""How the tables lie where one PostgreSQL primary is too small: by bucket, on every node, or on one.

A new table must be declared here; `tests/store/test_distribution.py` holds the schema, its keys and the hot
statements to it, and says what is missing. docs/scale.md tells what it is for.
"""

from __future__ import annotations

from enum import Enum


class Placement(Enum):
    """Where the rows of a table are."""

    BUCKET = "by bucket"  # with all that has the same bucket, on the node that has that bucket
    EVERYWHERE = "everywhere"  # a copy on every node: small, and rarely written
    ONE_PLACE = "in one place"  # on the node that clients connect to; never in a transaction that must be fast


PLACEMENTS: dict[str, Placement] = {
    "allowance": Placement.BUCKET,
    "answer": Placement.BUCKET,
    "block": Placement.BUCKET,
    "cap_use": Placement.BUCKET,
    "consent": Placement.BUCKET,
    "contact": Placement.BUCKET,
    "disclosure": Placement.BUCKET,
    "dnc_change": Placement.BUCKET,
    "dnc_entry": Placement.BUCKET,
    "doubt": Placement.BUCKET,
    "due": Placement.BUCKET,
    "erased_number": Placement.BUCKET,
    "erasure": Placement.BUCKET,
    "event": Placement.BUCKET,
    "inbound": Placement.BUCKET,
    "intent": Placement.BUCKET,
    "lane": Placement.BUCKET,
    "list_key": Placement.BUCKET,
    "opt_out": Placement.BUCKET,
    "orphan": Placement.BUCKET,
    "review": Placement.BUCKET,
    "run_counter": Placement.BUCKET,
    "run_cursor": Placement.BUCKET,
    "run_selection": Placement.BUCKET,
    "run_transition": Placement.BUCKET,
    "selection": Placement.BUCKET,
    "skill_run": Placement.BUCKET,
    "suppression": Placement.BUCKET,
    "tally": Placement.BUCKET,
    # What a person declares. Runs point at it, and statements join it.
    "business_unit": Placement.EVERYWHERE,
    "calling_list": Placement.EVERYWHERE,
    "campaign": Placement.EVERYWHERE,
    "dnc_group": Placement.EVERYWHERE,
    "dnc_upload": Placement.EVERYWHERE,
    "list_import": Placement.EVERYWHERE,
    "list_mapping": Placement.EVERYWHERE,
    "list_range": Placement.EVERYWHERE,
    "list_rejection": Placement.EVERYWHERE,
    "provider": Placement.EVERYWHERE,
    "skill": Placement.EVERYWHERE,
    "skill_dnc": Placement.EVERYWHERE,
    "sms_brand": Placement.EVERYWHERE,
    "sms_registration": Placement.EVERYWHERE,
    "template": Placement.EVERYWHERE,
    "template_version": Placement.EVERYWHERE,
    "transport_code": Placement.EVERYWHERE,
    "engine": Placement.ONE_PLACE,
    "installation": Placement.ONE_PLACE,
}

# Keys of tables that lie by bucket and do not begin with it: why, and what would have to be done before they can.
KEYS_WITHOUT_BUCKET: dict[str, str] = {
    "pk_dnc_change": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_consent": "a number from a sequence: (bucket, id) before it is distributed, and its trigger goes to every node",
    "pk_erasure": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_answer": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_inbound": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_opt_out": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_orphan": "found by provider, and a provider has one bucket: that column comes first before it is distributed",
    "pk_review": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_run_transition": "a number from a sequence: (bucket, id) before it is distributed",
    "pk_suppression": "a number from a sequence: (bucket, id) before it is distributed",
}

# Indexes that do not begin with the bucket. They are no keys: each node would have its own.
INDEXES_WITHOUT_BUCKET: dict[str, str] = {
    "ix_block_engine": "what a dead engine left is looked for in all buckets; only open blocks are in it",
    "ix_event_provider_message": "each partition has its own, and a partition is of one bucket",
    "ix_intent_engine": "what a dead engine left is looked for in all buckets",
    "ix_lane_provider": "who has the lanes of a provider account; a few thousand rows at most",
    "ix_orphan_number": "found by provider, as the key is: the bucket comes first before it is distributed",
    "ix_skill_run_list": "with the bucket first it would tempt a planner away from the key; a list's bucket is known",
    "ix_skill_run_state": "what is open is looked for in all buckets; a few rows of many",
}
