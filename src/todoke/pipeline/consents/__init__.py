"""Consents in and out: files of records, one record, exports."""
