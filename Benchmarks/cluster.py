#!/usr/bin/env python3
"""Gateways that share quotas and pages through one Redis, in health and in trouble: what must hold, and whether it does.

    Benchmarks/cluster.py --gateway PATH [--only quota,poll,writes,cost,reconnect] [--gateways 3,10,50]
                          [--faults crash,hang] [--seconds 60] [--tries 10000] [--reconnects 10000]

quota: the joint rate at the service while callers always ask for more, with Redis healthy, killed, hanging, cut off, split,
read-only, set back and more, or all gateways killed. poll: 300 callers of 18 pages through three gateways, beside the same through one. writes: write through
one, list through another, also while gateways and Redis die; a checker of linearizability looks for old pages. cost: what
sharing adds to a miss, and that a hit asks Redis nothing. reconnect: Redis down at the start and later, and connections that
are cut again and again. Exits 1 if something does not hold. Needs redis-server; all of it on 127.0.0.1.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile

from measuring import cluster_cost, cluster_poll, cluster_quota, cluster_writes
from measuring.idle import raise_file_limit
from measuring.processes import Failed, Servers


async def quota(servers, options):
    print(
        "| fault | of the quota | most in 30 s | longest gap | throttled | |\n|---|--:|--:|--:|--:|---|", flush=True)
    holds = True
    for count in options.gateways:
        for fault in options.faults:
            row, is_so, scene = await cluster_quota.judge(servers, options.gateway, fault, count, options.seconds)
            print(f"| {' | '.join(row)} | {'yes' if is_so else '**no**'} |", flush=True)
            for second, what in scene.marks:
                print(f"{fault}, {second:.1f} s: {what}", file=sys.stderr, flush=True)
            holds = holds and is_so
    return holds


def table(part):
    """A part that tells rows of what must hold."""
    async def run(servers, options):
        print("| what must hold | limit | measured | |\n|---|--:|--:|---|", flush=True)
        holds = True
        async for what, limit, figure, is_so in part(servers, options.gateway, options):
            print(f"| {what} | {limit} | {figure} | {'yes' if is_so else '**no**'} |", flush=True)
            holds = holds and is_so
        return holds
    return run


PARTS = {
    "quota": quota, "poll": table(cluster_poll.run), "writes": table(cluster_writes.run), "cost": table(cluster_cost.cost),
    "reconnect": table(cluster_cost.reconnect)}


async def run(options, parts, servers):
    holds = True
    for part in parts:
        print(f"\n{part}\n", flush=True)
        holds = await PARTS[part](servers, options) and holds
    return holds


def words(known):
    def read(text):
        found = text.split(",")
        if unknown := [each for each in found if each not in known]:
            raise argparse.ArgumentTypeError(f"there is no '{unknown[0]}': {', '.join(known)}")
        return found
    return read


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--only", type=words(PARTS), default=list(PARTS))
    parser.add_argument("--gateways", type=lambda text: [int(each) for each in text.split(",")], default=[3, 10, 50])
    parser.add_argument("--faults", type=words(cluster_quota.FAULTS), default=list(cluster_quota.FAULTS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--ways", type=words(cluster_writes.WAYS), default=[])
    parser.add_argument("--tries", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=9)
    parser.add_argument("--reconnects", type=int, default=10_000)
    parser.add_argument("--outage", type=float, default=10)
    options = parser.parse_args()
    options.gateway = shutil.which(options.gateway) or parser.error(f"no program '{options.gateway}'")
    if shutil.which("redis-server") is None:
        parser.error("there is no redis-server: Scripts/setup --cluster installs it")
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="jobs-proxy-cluster-") as directory, Servers(directory) as servers:
        try:
            holds = asyncio.run(run(options, options.only, servers))
        except Failed as failure:
            sys.exit(f"cluster: {failure}")
    sys.exit(0 if holds else 1)


if __name__ == "__main__":
    main()
