"""Which contacts of a list a skill texts, and in which order; docs/filters.md tells it to people."""

from todoke.model.filter.expression import Expression, System, conditions, resolved
from todoke.model.filter.form import from_json, to_json
from todoke.model.filter.matching import Record, matches
from todoke.model.filter.order import Key, Order, check_order, read_order, write_order
from todoke.model.filter.reading import check_fields, read
from todoke.model.filter.writing import write

__all__ = [
    "Expression",
    "Key",
    "Order",
    "Record",
    "System",
    "check_fields",
    "check_order",
    "conditions",
    "from_json",
    "matches",
    "read",
    "read_order",
    "resolved",
    "to_json",
    "write",
    "write_order",
]
