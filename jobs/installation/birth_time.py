"""When a file was made. Linux keeps it, and Python does not show it: here libc is asked (man 2 statx)."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import cast

#: From linux/stat.h: the value wanted, the mark of a path that is no file descriptor's, and the sizes.
STATX_BTIME, AT_FDCWD, SIZE = 0x800, -100, 256
#: `stx_mask`, and the seconds and nanoseconds of `stx_btime`, with what lies between them.
LAYOUT = struct.Struct("=I 76x q I")


def birth_time(path: Path) -> int | None:
    """Nanoseconds since 1970; None where the file system or the platform does not keep it. Raises OSError."""
    if sys.platform == "darwin":
        found = path.stat()
        return int(found.st_birthtime * 1_000_000_000)
    statx = _statx()
    if statx is None:
        return None
    buffer = ctypes.create_string_buffer(SIZE)
    if statx(AT_FDCWD, os.fsencode(path), 0, STATX_BTIME, buffer):
        path.stat()  # raises what is wrong with the path
        return None
    mask, seconds, nanoseconds = LAYOUT.unpack_from(buffer.raw)
    return seconds * 1_000_000_000 + nanoseconds if mask & STATX_BTIME else None


@lru_cache(maxsize=1)
def _statx() -> Callable[..., int] | None:
    """The function of libc; None where it has none, as before glibc 2.28."""
    try:
        statx = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError):
        return None
    statx.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p)
    statx.restype = ctypes.c_int
    return cast("Callable[..., int]", statx)
