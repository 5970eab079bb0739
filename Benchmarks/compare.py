#!/usr/bin/env python3
"""Compares two builds of the gateway in paired rounds: what a request costs the one, and the other right after it.

    Benchmarks/compare.py --gateway PATH --against PATH [--rounds N] [--seconds N] [--only hit,throttle,pass]

Prints for each row the median of the pairs' ratios, and their quartiles: CPU for each request, requests a second, p99. Below 1 the
first build takes less. Everything runs on 127.0.0.1, on two cores, and is stopped at the end.
"""

import argparse
import shutil
import statistics
import sys
import tempfile

from measuring import load
from measuring.contenders import FLOOR, Field
from measuring.processes import Failed, Servers


class Builds(Field):
    """The gateway alone, without its peers."""

    def start_peers(self):
        pass


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--against", required=True)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--only", default="hit,throttle,pass")
    options = parser.parse_args()
    builds = [shutil.which(path) or parser.error(f"no program '{path}'") for path in (options.gateway, options.against)]
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-bench-") as directory, Servers(directory) as servers:
        try:
            compare([Builds(servers, build) for build in builds], options, servers)
        except Failed as failure:
            sys.exit(f"compare: {failure}")


def compare(fields, options, servers):
    pairs = [
        pair for pair in zip(*(field.contenders for field in fields))
        if pair[0].case in options.only.split(",") and pair[0].name != FLOOR]
    results = {pair[0].case + ", " + pair[0].name: [] for pair in pairs}
    for pair in pairs:
        for contender in pair:
            contender.check()
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr, flush=True)
        for pair in pairs:
            # Who is first changes from round to round.
            order = pair if number % 2 == 0 else pair[::-1]
            runs = {id(each): measure(each, options, servers) for each in order}
            results[pair[0].case + ", " + pair[0].name].append([runs[id(each)] for each in pair])
    print(f"{'row':38} {'CPU µs':>7} {'against':>7} {'ratio':>6} {'quartiles':>13} {'rate':>6} {'p99':>6}")
    for row, runs in results.items():
        if options.rounds < 2:
            raise Failed("two rounds at least")
        cpu = [ours.cpu / theirs.cpu for ours, theirs in runs]
        low, _, high = statistics.quantiles(cpu, n=4)
        rate = statistics.median(ours.rate / theirs.rate for ours, theirs in runs)
        tail = statistics.median(ours.p99 / theirs.p99 for ours, theirs in runs)
        ours, theirs = (statistics.median(pair[index].cpu for pair in runs) * 1e6 for index in (0, 1))
        print(
            f"{row:38} {ours:7.2f} {theirs:7.2f} {statistics.median(cpu):6.3f} {low:6.3f}-{high:.3f} {rate:6.3f} {tail:6.3f}")


def measure(contender, options, servers):
    return load.run(
        contender.server, contender.port, contender.call, contender.signed, options.seconds, servers.directory)


if __name__ == "__main__":
    main()
