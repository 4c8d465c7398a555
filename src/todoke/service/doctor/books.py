"""What is open in the books: messages in doubt, receipts that match nothing."""

from __future__ import annotations

from todoke.service.doctor.finding import Finding, count, ok, warning
from todoke.store.catalogue.health import MANY, Books


def judge(books: Books) -> list[Finding]:
    """Doubts are a fact, not a fault; very many orphans are a sign."""
    doubts = ok("in doubt", f"{count(books.in_doubt, 'message')} in doubt; see them with todoke doubt list.")
    if books.orphans > MANY:
        return [
            doubts,
            warning(
                "receipts",
                f"More than {MANY:,} receipts match no submission.",
                "See whether another system uses the same provider account: its receipts come to us, and ours to it.",
            ),
        ]
    return [doubts, ok("receipts", f"{count(books.orphans, 'receipt')} without a submission.")]
