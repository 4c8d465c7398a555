"""The languages in which keywords are known; their data is in `compliance/languages`, a file each."""

from __future__ import annotations

LANGUAGES = ("ar", "de", "en", "es", "fr", "he", "hi", "it", "ja", "ko", "nl", "pl", "pt", "ru", "tl", "vi", "zh")
"""ISO 639-1."""

ENGLISH = "en"
