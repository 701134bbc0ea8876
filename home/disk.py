"""What the disk refuses, in words: where, why, and what to do."""

import errno
from typing import Final

ELSEWHERE: Final = "or name another home (OPTRADE_HOME)"
_KINDS: Final = {
    "the disk is full: free some room and run it again": (errno.ENOSPC, errno.EDQUOT),
    "larger than this shell lets a file grow: raise the limit (ulimit -f) and run it again": (
        errno.EFBIG,
    ),
    f"the file system is read-only: mount it for writing, {ELSEWHERE}": (errno.EROFS,),
    f"this user may not read or write there: change the permissions, {ELSEWHERE}": (
        errno.EACCES,
        errno.EPERM,
    ),
    f"a file stands where a folder has to be, or the reverse: move it away, {ELSEWHERE}": (
        errno.ENOTDIR,
        errno.EISDIR,
        errno.EEXIST,
        errno.ENOTEMPTY,
    ),
    "no such place, and none can be made: the path is too long, a circle of links, gone, or of the "
    f"system's own; {ELSEWHERE[3:]}": (
        errno.ENAMETOOLONG,
        errno.ELOOP,
        errno.ENOENT,
    ),
    "the disk fails to read or write: copy what can be read, and check it": (errno.EIO,),
    "too many open files: raise the limit (ulimit -n) and run it again": (
        errno.EMFILE,
        errno.ENFILE,
    ),
}
_WORDS: Final = {number: words for words, numbers in _KINDS.items() for number in numbers}


def words_of(error: OSError) -> str | None:
    """Return one line on an error of the disk, None for another error of the system."""
    words = None if error.errno is None else _WORDS.get(error.errno)
    if words is None:
        return None
    return f"{error.filename}: {words}" if error.filename else words
