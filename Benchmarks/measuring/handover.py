"""Starts a process with listening sockets that its parent holds (sd_listen_fds(3))."""

import sys

# Run by the child before it becomes the program: the sockets from descriptor 3 on, under its own process id.
_BECOME = """\
import fcntl, os, sys
count = int(sys.argv[1])
handles = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 100) for word in sys.argv[2:2 + count]]
for place, handle in enumerate(handles, 3):
    os.dup2(handle, place)
os.closerange(3 + count, 200)
os.environ.update(LISTEN_FDS=str(count), LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


def arguments(sockets, command):
    """What to start instead of `command`, and the descriptors to pass on."""
    handles = [each.fileno() for each in sockets]
    return [sys.executable, "-ISc", _BECOME, str(len(handles)), *map(str, handles), *map(str, command)], handles
