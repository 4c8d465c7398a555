"""Where files are kept: is it there, is it local, is there room?"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from todoke.service.doctor.finding import Finding, error, ok, warning

MOUNTS = Path("/proc/self/mountinfo")
_LITTLE = 1 << 30  # octets
_TOO_LITTLE = 100 << 20
_REMOTE = re.compile(
    r"nfs\d?|cifs|smb\d?|smbfs|9p|afs|ceph|lustre|gpfs|glusterfs|fuse\.(sshfs|glusterfs|s3fs|rclone|ceph.*)"
)
_MEMORY = ("tmpfs", "ramfs")


class Place(NamedTuple):
    """A folder: octets free, the kind of its file system (empty where that cannot be told), whether we may write."""

    path: Path
    free: int
    kind: str
    writable: bool


def look(folder: Path, mounts: Path = MOUNTS) -> Place:
    """As it is; of a folder that is not there yet, the nearest one above that is."""
    there = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        kind = kind_of(there.resolve(), mounts.read_text(encoding="utf-8", errors="replace"))
    except OSError:  # not Linux
        kind = ""
    return Place(folder, shutil.disk_usage(there).free, kind, os.access(there, os.W_OK | os.X_OK))


def kind_of(path: Path, mountinfo: str) -> str:
    """The kind of file system that `path` is on, by the kernel's list of mounts (proc(5)); empty where on none."""
    best, kind = Path(), ""
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split()
        if len(fields) < 5 or not after:
            continue
        mount = Path(fields[4].replace("\\040", " "))
        # The last one wins: a later mount at the same place covers the earlier one.
        if path.is_relative_to(mount) and (not kind or len(mount.parts) >= len(best.parts)):
            best, kind = mount, after.split()[0]
    return kind


def judge(name: str, place: Place, *, forgets: bool) -> list[Finding]:
    """`name`: what is kept there. `forgets`: whether harm is done where it is gone after a reboot."""
    found: list[Finding] = []
    if not place.writable:
        found.append(error("disk", f"This user may not write to {place.path} ({name}).", "Correct the permissions."))
    if _REMOTE.fullmatch(place.kind):
        found.append(
            error(
                "disk",
                f"{place.path} ({name}) is on a network file system ({place.kind}): its locks and its order of writes "
                "cannot be relied upon.",
                "Put it on a local disk.",
            )
        )
    elif forgets and place.kind in _MEMORY:
        found.append(
            warning(
                "disk", f"{place.path} ({name}) is in memory ({place.kind}): a reboot loses it.", "Put it on a disk."
            )
        )
    if place.free < _LITTLE:
        found.append(
            (error if place.free < _TOO_LITTLE else warning)(
                "disk",
                f"Only {place.free >> 20:,} MiB are free for {place.path} ({name}). A full disk stops sending.",
                "Make room.",
            )
        )
    return found or [ok("disk", f"{place.path} ({name}): {place.free >> 30:,} GiB free.")]
