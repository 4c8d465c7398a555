"""An SMSC to send to without a carrier: a real SMPP server with phones behind it, a ledger, and faults to inject."""

from todoke.providers.simulator.audit import Audit, Duplicate, audit
from todoke.providers.simulator.behaviour import Behaviour, Rule
from todoke.providers.simulator.entry import MARK_TAG, Entry, Mark, mark_value
from todoke.providers.simulator.ledger import LedgerError, read
from todoke.providers.simulator.server import Ports, PortTaken, Simulator, run
from todoke.providers.simulator.settings import Settings
from todoke.providers.simulator.styles import STYLES

__all__ = [
    "MARK_TAG",
    "STYLES",
    "Audit",
    "Behaviour",
    "Duplicate",
    "Entry",
    "LedgerError",
    "Mark",
    "PortTaken",
    "Ports",
    "Rule",
    "Settings",
    "Simulator",
    "audit",
    "mark_value",
    "read",
    "run",
]
