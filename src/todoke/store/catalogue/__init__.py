"""The catalogue: what a person declares, edits or browses; one module a concept.

Every function takes a connection (`async with store.reading() as connection`, or `store.writing()`), and the `Unit` for
what belongs to a business unit. A name that another unit has is as unknown as one that nobody has.
"""
