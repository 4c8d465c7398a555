"""A model of days that no machine here can send: from costs measured here to engines, primaries and disks there."""
