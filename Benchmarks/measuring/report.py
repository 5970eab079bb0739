"""What was measured, as a table, as a picture, and as a page of the documentation."""

import dataclasses
import html
import os
import pathlib
import platform
import statistics

from .contenders import CASES, FLOOR, GATEWAY


@dataclasses.dataclass
class Row:
    """The medians of one contender's rounds."""

    case: str
    name: str
    rate: float
    p50: float
    p99: float
    cpu: float
    ratio: float
    memory: float


@dataclasses.dataclass
class IdleRow:
    name: str
    memory: float
    without: float
    beside: float


@dataclasses.dataclass
class Figures:
    """All that one run of the benchmark found."""

    rows: list
    missing: list
    idle: list
    idle_count: int
    latencies: list
    starts: list
    allocations: dict
    versions: list
    when: str
    effort: str


def median_row(contender, runs, floors):
    """`floors` are the floor's runs of the same rounds."""
    def median(values):
        return statistics.median(list(values))

    return Row(
        contender.case, contender.name, median(run.rate for run in runs), median(run.p50 for run in runs),
        median(run.p99 for run in runs), median(run.cpu for run in runs),
        median(run.cpu / floor.cpu for run, floor in zip(runs, floors)), contender.server.memory())


# MARK: Text


def main_table(figures):
    lines = [
        "| | | requests/s | p50 | p99 | CPU µs per request | × floor | memory |", "|---|---|--:|--:|--:|--:|--:|--:|"]
    for case, title in CASES.items():
        for row in (row for row in figures.rows if row.case == case):
            lines.append(
                f"| {title} | {emphasis(row.name)} | {row.rate:,.0f} | {time(row.p50)} | {time(row.p99)} "
                f"| {row.cpu * 1e6:.1f} "
                f"| {row.ratio:.2f} | {row.memory / 2**20:.0f} MiB |")
            title = ""
        for _, name in (missing for missing in figures.missing if missing[0] == case):
            lines.append(f"| | {name} | not installed | | | | | |")
    return lines


def idle_table(figures):
    lines = [
        f"| {figures.idle_count:,} idle connections | memory of each | p99 of 64 busy ones, alone | beside them |",
        "|---|--:|--:|--:|"]
    for row in figures.idle:
        lines.append(f"| {emphasis(row.name)} | {row.memory / 1024:.1f} KiB | {time(row.without)} | {time(row.beside)} |")
    return lines


def latency_table(figures):
    lines = [
        "| what it adds to the time of a call, one after the other | p50 | p99 | p50, on a core of its own | p99 |",
        "|---|--:|--:|--:|--:|"]
    return lines + [" | ".join([f"| {emphasis(name)}", *map(time, added)]) + " |" for name, *added in figures.latencies]


def start_table(figures):
    lines = ["| from start to the first good answer | |", "|---|--:|"]
    lines += [f"| {emphasis(name)} | {time(seconds)} |" for name, seconds in figures.starts]
    return lines


def allocation_table(figures):
    lines = ["| allocations of memory for a request, the server's whole | |", "|---|--:|"]
    return lines + [f"| {name} | {count:.2f} |" for name, count in figures.allocations.items()]


def verdicts(figures):
    """(what must hold, the figure, whether it does); only where both sides were measured."""
    found = {(row.case, row.name): row for row in figures.rows}
    ours = {(case, name.removeprefix(f"{GATEWAY}, ")): row for (case, name), row in found.items() if name.startswith(GATEWAY)}
    for case, name, limit in (("hit", "anonymous", 1.3), ("hit", "signature verified", 1.5), ("throttle", "anonymous", 1.3)):
        if row := ours.get((case, name)):
            yield f"{CASES[case]}, {name}: at most {limit} × the floor", f"{row.ratio:.2f}", row.ratio <= limit
    # Nobody else signs what is passed on, so that is no contest.
    for case, name in (("hit", "anonymous"), ("hit", "signature verified"), ("throttle", "anonymous")):
        peers = [row for row in figures.rows if row.case == case and row.name != FLOOR and not row.name.startswith(GATEWAY)]
        row = ours.get((case, name))
        if row and peers:
            best = min(peers, key=lambda peer: peer.cpu)
            figure = f"{row.cpu * 1e6:.1f} µs, {best.name} {best.cpu * 1e6:.1f} µs"
            yield f"{CASES[case]}, {name}: less CPU for each than any peer", figure, row.cpu < best.cpu
    cache, row = found.get(("hit", "nginx proxy_cache")), ours.get(("hit", "anonymous"))
    if cache and row:
        yield f"{CASES['hit']}: p99 below nginx proxy_cache's", f"{time(row.p99)}, {time(cache.p99)}", row.p99 < cache.p99
    passed = found.get(("pass", f"{GATEWAY}, signed anew"))
    for name, limit in (("nginx proxy_pass", 1.7), ("Envoy", 0.5)):
        if passed and (peer := found.get(("pass", name))):
            ratio = passed.cpu / peer.cpu
            yield f"{CASES['pass']}: at most {limit} × {name}'s CPU", f"{ratio:.2f}", ratio <= limit
    for name, p50, p99, *_ in figures.latencies:
        if name.startswith(GATEWAY):
            yield f"{CASES['pass']}: adds at most 200 µs to p50", time(p50), p50 <= 0.0002
            yield f"{CASES['pass']}: adds at most 3 ms to p99", time(p99), p99 <= 0.003
    for row in (row for row in figures.idle if row.name == GATEWAY):
        yield "an idle connection: at most 10 KiB", f"{row.memory / 1024:.1f} KiB", row.memory <= 10240
        ratio = row.beside / row.without
        yield "p99 beside idle connections: at most 1.5 × that without", f"{ratio:.2f}", ratio <= 1.5
    for name, seconds in figures.starts:
        if name == GATEWAY:
            yield "start: at most 100 ms", time(seconds), seconds <= 0.1


def verdict_table(figures):
    lines = ["| what must hold | measured | |", "|---|--:|---|"]
    return lines + [f"| {what} | {figure} | {'yes' if holds else '**no**'} |" for what, figure, holds in verdicts(figures)]


def text(figures):
    tables = [
        main_table(figures), latency_table(figures), idle_table(figures), start_table(figures), allocation_table(figures),
        verdict_table(figures)]
    return "\n\n".join("\n".join(table) for table in tables if len(table) > 2)


def page(figures):
    return f"""# Benchmarks

Written by `make bench` on {figures.when}. {machine()}
{', '.join(figures.versions)}.

![CPU for each request, in multiples of the floor](benchmarks.svg)

{text(figures)}

## How it was measured

Each server runs on one core and `wrk -t1 -c64` on the other; the page has 2.3 KB, the request is one that boto3 sends, headers
and all. CPU is the process's user and system time over the requests that it answered, so what it waits for does not count.
{figures.effort} The contenders take turns within a round, so that noise hits all of them alike, and the
figures are medians over the rounds; ratios are taken within a round. The floor (`Benchmarks/peers/floor.c`) is the least that
can be done on one thread: `epoll`, one read, one write, always the same bytes. It is also the origin of what is not cached.
Each has one worker, or event loop, for its core.

The gateway has everything on that it has by default: limits of each caller, metrics, the access log's counters, request ids,
`Age` and `Cache-Status`. Those that are refused are not logged, as the peers' are not. With verified signatures every request
is signed by AWS Signature Version 4, which no peer checks. The peers' settings are in `Benchmarks/peers`. What is not there
is said to be "not installed"; HAProxy and Envoy keep no answers to POST.
"""


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"Machine: {model}, {os.cpu_count()} cores, Linux {platform.release()}."


def emphasis(name):
    return f"**{name}**" if name.startswith(GATEWAY) else name


def time(seconds):
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds * 1e3:.0f} ms"


# MARK: Picture


def picture(figures):
    """Bars of the ratio to the floor, as SVG."""
    width, left, bar, gap = 860, 250, 18, 8
    # The longest bars are cut, or the short ones, which matter, could not be told apart.
    longest = min(6, max(row.ratio for row in figures.rows))
    scale = (width - left - 80) / longest
    parts, y = [], 34
    for case, title in CASES.items():
        rows = sorted((row for row in figures.rows if row.case == case), key=lambda row: row.ratio)
        if not rows:
            continue
        parts.append(f'<text class="case" x="12" y="{y + 4}">{html.escape(title)}</text>')
        y += 16
        for row in rows:
            kind = "ours" if row.name.startswith(GATEWAY) else "floor" if row.name == FLOOR else "peer"
            length = max(1, min(row.ratio, longest) * scale)
            cut = "… " if row.ratio > longest else ""
            parts.append(f'<text class="name" x="{left - 8}" y="{y + 13}">{html.escape(row.name)}</text>')
            parts.append(f'<rect class="{kind}" x="{left}" y="{y}" width="{length:.1f}" height="{bar}"/>')
            parts.append(f'<text class="figure" x="{left + length + 6:.1f}" y="{y + 13}">{cut}{row.ratio:.2f}</text>')
            y += bar + gap
        y += 22
    edge = left + scale
    style = (
        "text{font:13px sans-serif;fill:#222}.name{text-anchor:end}.case{font-weight:bold}.ours{fill:#d9532c}.peer{fill:#8fa3b3}"
        ".floor{fill:#333}line{stroke:#333;stroke-dasharray:3 3}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}">\n'
        f"<style>{style}</style>\n"
        f'<rect width="{width}" height="{y}" fill="#fff"/>\n'
        f'<text x="12" y="18">CPU for each request, in multiples of a bare epoll loop in C (less is better)</text>\n'
        f'<line x1="{edge:.1f}" y1="26" x2="{edge:.1f}" y2="{y - 14}"/>\n' + "\n".join(parts) + "\n</svg>\n")
