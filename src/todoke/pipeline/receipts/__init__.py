"""Receipts: a provider's word on a submission, stored with the next flush, acknowledged after it."""
