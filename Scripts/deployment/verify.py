"""Runs `systemd-analyze verify` on the units."""

import shutil
import subprocess

from .cases import UNITS

NAME = "systemd-analyze verify"


def units(program, directory):
    """The verdict, and a sentence on what was seen."""
    if not shutil.which("systemd-analyze"):
        return "left out", "there is no systemd-analyze"
    paths = []
    for unit in sorted(UNITS.glob("jobs-proxy.*")):
        path = directory / unit.name
        # A program that is not there is a fault.
        path.write_text(unit.read_text().replace("/usr/local/bin/jobs-proxy", program.path))
        paths.append(path)
    said = subprocess.run(["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True)
    complaints = [line for line in said.stderr.splitlines() if "jobs-proxy" in line]
    if said.returncode != 0 or complaints:
        return "FAILED", "\n".join(complaints or [said.stderr])
    return "ok", ", ".join(path.name for path in paths)
