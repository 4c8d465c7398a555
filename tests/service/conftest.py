"""The engine and the simulator of the journeys."""

from tests.journeys.conftest import engine, ledger, simulator

__all__ = ["engine", "ledger", "simulator"]
