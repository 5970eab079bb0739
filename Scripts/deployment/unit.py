"""Reads a systemd unit, and gives a process the same surroundings without systemd (systemd.exec(5))."""

import errno
import os
import pathlib
import resource
import shlex
import stat

from . import kernel

# The system calls that are not in @system-service (systemd 252, `systemd-analyze syscall-filter`).
NOT_OF_SERVICES = """
    _sysctl acct adjtimex afs_syscall bpf chroot clock_adjtime clock_settime create_module delete_module fanotify_init
    fanotify_mark finit_module fsconfig fsmount fsopen fspick get_kernel_syms getpmsg init_module ioperm iopl
    kexec_file_load kexec_load landlock_add_rule landlock_create_ruleset landlock_restrict_self lookup_dcookie
    memfd_secret mincore modify_ldt mount mount_setattr move_mount nfsservctl open_by_handle_at open_tree
    perf_event_open pidfd_getfd pivot_root pkey_alloc pkey_free pkey_mprotect process_mrelease ptrace putpmsg
    query_module quotactl quotactl_fd reboot seccomp security setdomainname sethostname settimeofday swapoff swapon
    sysfs syslog tuxcall umount2 uselib ustat vhangup vserver""".split()
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
NAMESPACES = 0x7E020080  # every CLONE_NEW… flag

# Directives on when the unit runs; and those that every case, or a minimal and read-only root directory, fulfils.
NO_COUNTERPART = {
    "Description", "DynamicUser", "Requires", "After", "Wants", "StartLimitIntervalSec", "StartLimitBurst", "WantedBy", "Type", "Restart",
    "RestartSec", "ExecReload", "NotifyAccess", "WatchdogSec", "TimeoutStopSec", "CapabilityBoundingSet", "AmbientCapabilities", "NoNewPrivileges", "RemoveIPC",
    "SystemCallArchitectures", "PrivateTmp", "ProtectControlGroups", "ProtectHome", "ProtectKernelTunables",
    "ProtectSystem", "SystemCallErrorNumber", "Documentation", "User", "Group", "EnvironmentFile",
}


class Unsupported(Exception):
    """A directive that has no counterpart here yet."""


def directives(path):
    """The (name, value) pairs of a unit, in order."""
    for line in pathlib.Path(path).read_text().splitlines():
        if line and line[0] not in "#;[":
            name, value = line.split("=", 1)
            yield name, value


class Unit:
    """A service unit, and the surroundings that it gives to its processes."""

    def __init__(self, path):
        self.commands, self.environment, self.limits = [], {}, {}
        self.umask = 0o022
        self.state_directory, self.state_mode = None, 0o755
        self.process_options = {}
        self.rules = []
        self.numbers = kernel.call_numbers()
        for name, value in directives(path):
            if name in NO_COUNTERPART or value == "no":
                continue
            if not hasattr(self, f"take_{name}"):
                raise Unsupported(f"{name}= of {path.name} has no counterpart in {pathlib.Path(__file__).name}")
            getattr(self, f"take_{name}")(value)

    # MARK: Directives

    def take_ExecStartPre(self, value):
        self.commands.append(shlex.split(value))

    take_ExecStart = take_ExecStartPre

    def take_Environment(self, value):
        self.environment.update(each.split("=", 1) for each in shlex.split(value))

    def take_LimitNOFILE(self, value):
        self.limits[resource.RLIMIT_NOFILE] = int(value)

    def take_LimitCORE(self, value):
        self.limits[resource.RLIMIT_CORE] = int(value)

    def take_UMask(self, value):
        self.umask = int(value, 8)

    def take_StateDirectory(self, value):
        self.state_directory = f"/var/lib/{value}"
        self.environment["STATE_DIRECTORY"] = self.state_directory

    def take_StateDirectoryMode(self, value):
        self.state_mode = int(value, 8)

    def take_PrivateDevices(self, value):
        self.deny("ioperm iopl pciconfig_iobase pciconfig_read pciconfig_write")

    def take_ProcSubset(self, value):
        self.process_options["subset"] = value

    def take_ProtectProc(self, value):
        self.process_options["hidepid"] = value

    def take_ProtectClock(self, value):
        self.deny("adjtimex clock_adjtime clock_settime settimeofday")

    def take_ProtectHostname(self, value):
        self.deny("setdomainname sethostname")

    def take_ProtectKernelLogs(self, value):
        self.deny("syslog")

    def take_ProtectKernelModules(self, value):
        self.deny("delete_module finit_module init_module")

    def take_LockPersonality(self, value):
        ask = kernel.ALL_BITS
        self.allow("personality", (0, kernel.ALL_BITS, ask))
        self.deny("personality")

    def take_MemoryDenyWriteExecute(self, value):
        write_execute, execute, shared_execute = 6, 4, 0o100000
        self.deny("mmap", (2, write_execute, write_execute))
        self.deny("mprotect pkey_mprotect", (2, execute, execute))
        self.deny("shmat", (2, shared_execute, shared_execute))

    def take_RestrictAddressFamilies(self, value):
        for family in value.split():
            self.allow("socket", (0, kernel.ALL_BITS, FAMILIES[family]))
        self.deny("socket", error=errno.EAFNOSUPPORT)

    def take_RestrictNamespaces(self, value):
        self.allow("clone", (0, NAMESPACES, 0))
        self.deny("clone unshare setns")
        # Its flags are in memory, where a filter cannot see them; the C library then uses clone.
        self.deny("clone3", error=errno.ENOSYS)

    def take_RestrictRealtime(self, value):
        other, batch, idle = 0, 3, 5
        for policy in (other, batch, idle):
            self.allow("sched_setscheduler", (1, kernel.ALL_BITS, policy))
        self.deny("sched_setscheduler")

    def take_RestrictSUIDSGID(self, value):
        for bit in (stat.S_ISUID, stat.S_ISGID):
            self.deny("chmod fchmod", (1, bit, bit))
            self.deny("fchmodat", (2, bit, bit))
        self.deny("openat2", error=errno.ENOSYS)

    def take_SystemCallFilter(self, value):
        if value != "@system-service":
            raise Unsupported(f"SystemCallFilter={value} has no counterpart in {pathlib.Path(__file__).name}")
        self.deny(" ".join(NOT_OF_SERVICES))

    # MARK: System calls; not every architecture has all of them

    def allow(self, name, *conditions):
        if name in self.numbers:
            self.rules.append(kernel.rule(kernel.ALLOW, self.numbers[name], *conditions))

    def deny(self, names, *conditions, error=errno.EPERM):
        self.rules += [
            kernel.rule(kernel.FAIL_WITH | error, self.numbers[name], *conditions) for name in names.split()
            if name in self.numbers]

    # MARK: The process

    def complete(self, at, user):
        """Adds to a root directory what the unit gives to its processes, and makes the rest of it read-only."""
        writable = {"/tmp": "mode=1777", "/var/tmp": "mode=1777"}
        if self.state_directory:
            owner = f",uid={user},gid={user}" if user is not None else ""
            writable[self.state_directory] = f"mode={self.state_mode:o}{owner}"
        for place in [*writable, "/proc"]:
            os.makedirs(f"{at}{place}", exist_ok=True)
        options = ",".join(f"{name}={value}" for name, value in self.process_options.items())
        kernel.mount("proc", f"{at}/proc", "proc", kernel.NO_SUID | kernel.NO_DEVICES | kernel.NO_EXEC, options)
        kernel.make_read_only(at)
        for place, options in writable.items():
            kernel.mount("tmpfs", f"{at}{place}", "tmpfs", kernel.NO_SUID | kernel.NO_DEVICES, options)

    def filter_calls(self):
        kernel.install_filter(self.rules)
