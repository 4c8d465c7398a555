"""What a person may decide about a doubt."""

from __future__ import annotations

from enum import StrEnum


class Choice(StrEnum):
    """How a doubt is resolved by hand."""

    DELIVERED = "delivered"
    FAILED = "failed"
    RESEND = "resend"
