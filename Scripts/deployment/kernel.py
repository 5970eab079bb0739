"""Calls of the Linux kernel that Python's library does not have: namespaces, mounts, capabilities, system call filters."""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import platform
import re
import socket
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
LIBC.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4

# <sched.h>
NEW_MOUNTS, NEW_HOST_NAME, NEW_IPC, NEW_USERS, NEW_PROCESSES, NEW_NETWORK = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
# <sys/mount.h>
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 8, 0x20, 0x1000, 0x4000, 0x40000
KEPT_OPTIONS = {
    "nosuid": NO_SUID, "nodev": NO_DEVICES, "noexec": NO_EXEC, "noatime": 0x400, "nodiratime": 0x800, "relatime": 0x200000}
# <sys/prctl.h>
SET_DEATH_SIGNAL, SET_SECCOMP, READ_BOUNDING, DROP_BOUNDING, SET_NO_NEW_PRIVS, AMBIENT = 1, 22, 23, 24, 38, 47


class Refused(OSError):
    """The kernel does not let this user do something, or cannot do it."""


def call(name, *arguments):
    """Calls a function of the C library; raises `Refused` if it returns -1."""
    if getattr(LIBC, name)(*arguments) == -1:
        code = ctypes.get_errno()
        raise Refused(code, f"{name}: {os.strerror(code)}")


def unshare(namespaces):
    call("unshare", namespaces)


def own_users():
    """Enters a user namespace in which this user is root; needs no privilege."""
    user, group = os.getuid(), os.getgid()
    unshare(NEW_USERS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        pathlib.Path("/proc/self", name).write_text(text)


def loopback_up():
    """Brings the loopback interface up, which a new network namespace has down."""
    up, get_flags, set_flags = 1, 0x8913, 0x8914
    with socket.socket() as any_socket:
        answer = fcntl.ioctl(any_socket, get_flags, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack("16sh14x", answer)[1]
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh14x", b"lo", flags | up))


def loopback_address(address):
    """Gives the loopback interface one more address, for IPv4, as the one that others know a container by."""
    set_address = 0x8916
    with socket.socket() as any_socket:
        request = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(address))
        fcntl.ioctl(any_socket, set_address, request)


# MARK: Mounts


def mount(source, target, kind="", flags=0, options=""):
    try:
        call("mount", str(source).encode(), str(target).encode(), kind.encode(), flags, options.encode())
    except Refused as error:
        raise Refused(error.errno, f"{error.strerror} ({source} at {target})") from None


def own_mounts():
    """Enters a mount namespace from which nothing spreads back."""
    unshare(NEW_MOUNTS)
    mount("none", "/", flags=RECURSIVE | PRIVATE)


def bind(source, target):
    mount(source, target, flags=BIND | RECURSIVE)


def make_read_only(path):
    """Makes the mount at `path` and all below it read-only; needs /proc."""
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        place, options = line.split()[4:6]
        place = re.sub(r"\\(\d{3})", lambda match: chr(int(match.group(1), 8)), place)
        if os.path.commonpath([path, place]) == str(path):
            kept = sum(KEPT_OPTIONS.get(option, 0) for option in options.split(","))
            # A mount that is hidden by another cannot be reached, by this call or by the gateway.
            with contextlib.suppress(Refused):
                mount("none", place, flags=REMOUNT | BIND | READ_ONLY | kept)


# MARK: Privileges


def drop_privileges(user=None, group=None):
    """No capability in any set, `no_new_privs`, and another user and group if `user` is given (setpriv(1)).

    Without `group` it is the one of the user's number.
    """
    for capability in range(64):
        if LIBC.prctl(READ_BOUNDING, capability, 0, 0, 0) == 1:
            # Without CAP_SETPCAP the set stays; with no_new_privs it gives nothing.
            LIBC.prctl(DROP_BOUNDING, capability, 0, 0, 0)
    clear_all = 4
    call("prctl", AMBIENT, clear_all, 0, 0, 0)
    if user is not None:
        os.setgroups([])
        group = user if group is None else group
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    version_3 = 0x20080522
    call("capset", struct.pack("Ii", version_3, 0), bytes(24))
    call("prctl", SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def end_with_parent():
    """Has the kernel kill this process when the one that started it is gone."""
    call("prctl", SET_DEATH_SIGNAL, 9, 0, 0, 0)


# MARK: System call filters (seccomp(2))

LOAD, AND, IF_EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
ALLOW, FAIL_WITH = 0x7FFF0000, 0x00050000  # the latter with an errno in its lower half
ALL_BITS = 0xFFFFFFFF


def call_numbers():
    """The numbers of this machine's system calls by name, from the kernel's headers; empty without them."""
    for header in (f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h", "/usr/include/asm/unistd_64.h",
                   "/usr/include/asm-generic/unistd.h"):
        if os.path.exists(header):
            text = pathlib.Path(header).read_text()
            return {name: int(number) for name, number in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", text)}
    return {}


def rule(action, number, *conditions):
    """The instructions that end a filter with `action` if the system call is this one and all conditions hold.

    A condition is (argument, mask, value): the lower half of the argument from 0, under the mask, equals the value.
    """
    checks = [[(LOAD, 0, 0, 0), (IF_EQUAL, 0, None, number)]]
    for argument, mask, value in conditions:
        checks.append([(LOAD, 0, 0, 16 + 8 * argument), (AND, 0, 0, mask), (IF_EQUAL, 0, None, value)])
    instructions = [each for check in checks for each in check] + [(RETURN, 0, 0, action)]
    return [
        (code, then, len(instructions) - place - 1 if otherwise is None else otherwise, value)
        for place, (code, then, otherwise, value) in enumerate(instructions)
    ]


def install_filter(rules):
    """Adds a filter: the first of the rules that applies decides, and what none applies to is allowed.

    Needs `no_new_privs` or CAP_SYS_ADMIN.
    """
    instructions = [each for rule in rules for each in rule] + [(RETURN, 0, 0, ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in instructions))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(instructions), ctypes.addressof(code)))
    filter_mode = 2
    call("prctl", SET_SECCOMP, filter_mode, ctypes.addressof(program), 0, 0)
