"""The text of a message and the number it goes to: alphabet, segments, merge fields, phone numbers.

Pure functions over the standard library and `phonenumbers`; nothing here knows the rest of Todoke.
"""
