"""Bringing the catalogue to what a declaration says: one transaction, or nothing."""

from todoke.store.catalogue.provision.apply import apply
from todoke.store.catalogue.provision.work import Change, Provisioned

__all__ = ["Change", "Provisioned", "apply"]
