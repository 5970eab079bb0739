#!/usr/bin/env python3
"""Whether calls to something that counts its writes could have happened one after the other (Herlihy and Wing, 1990).

    python3 -m measuring.linearizability      checks the checker

A write makes the next version and is told its number; a list is told the newest. With versions known, a history is
linearizable if and only if no call shows an older state than another one that had ended before it began. A write of which no
end was seen may have happened at any time after its beginning, or never.
"""

import dataclasses
import heapq
import math
import random
import sys


@dataclasses.dataclass(frozen=True)
class Call:
    """Times are seconds by one clock; `ended` is infinite for a call that got no answer."""

    is_write: bool
    begun: float
    ended: float
    version: int
    # Through which gateway, for reports.
    through: str = ""

    @property
    def rank(self):
        """The place of what it shows in the order of states: version n is written, then listed, then n + 1 is written."""
        return 2 * self.version + (0 if self.is_write else 1)


def faults(calls, behind=lambda earlier: True):
    """(earlier, later) for each call that shows an older state than one that had ended before it began; of several such earlier
    calls the newest one. `behind` says which calls count as earlier ones. O(n log n)."""
    found, under_way, newest = [], [], None
    for number, call in enumerate(sorted(calls, key=lambda call: call.begun)):
        while under_way and under_way[0][0] < call.begun:
            _, _, ended = heapq.heappop(under_way)
            if newest is None or ended.rank > newest.rank:
                newest = ended
        # A write's own version is new, so another write that shows it is a fault, too.
        if newest is not None and (call.rank < newest.rank or (call.is_write and call.rank == newest.rank)):
            found.append((newest, call))
        if call.ended < math.inf and behind(call):
            heapq.heappush(under_way, (call.ended, number, call))
    return found


def old_lists(calls):
    """The faults in which a list showed an older page than a write that had been answered before it began: what gateways that
    are connected promise never happens. Beside a write under way two lists may go backwards."""
    return [pair for pair in faults(calls, behind=lambda earlier: earlier.is_write) if not pair[1].is_write]


# MARK: The checker's own check


def is_linearizable(calls):
    """The definition itself: an order that respects time, in which each list shows the number of writes before it."""
    def goes_on(rest, version):
        if not rest:
            return True
        first_end = min(call.ended for call in rest)
        for call in rest:
            if call.begun <= first_end and call.version == version + call.is_write:
                if goes_on(rest - {call}, call.version):
                    return True
        return False

    return goes_on(frozenset(calls), 0)


def history(source, count):
    """Calls as a counter that works would answer them: each takes effect at an instant between its begin and its end."""
    effects = sorted((source.random() * 4, source.random() < 0.5) for _ in range(count))
    version, calls = 0, []
    for instant, is_write in effects:
        version += is_write
        calls.append(Call(is_write, instant - source.random(), instant + source.random(), version))
    return calls


def check_itself(rounds=3000, seed=1):
    """None if it finds what it must and nothing else, or what is wrong."""
    source, planted, refused = random.Random(seed), 0, 0
    for _ in range(rounds):
        calls = history(source, source.randrange(2, 8))
        if faults(calls):
            return f"finds a fault where there is none: {calls}"
        # A list that is a version behind: a fault unless it was under way together with that write.
        places = [place for place, call in enumerate(calls) if not call.is_write and call.version > 0]
        if not places:
            continue
        place = source.choice(places)
        calls[place] = dataclasses.replace(calls[place], version=calls[place].version - 1)
        planted += 1
        found, is_good = faults(calls), is_linearizable(calls)
        refused += not is_good
        if bool(found) == is_good:
            return f"{'finds nothing' if not found else 'finds a fault'} in {calls}"
    if refused < rounds / 20:
        return f"only {refused} of {planted} planted faults are faults"
    # Old lists alone: the write was answered at 1, the list began at 2.
    late = [Call(True, 0, 1, 1), Call(False, 2, 3, 0)]
    if not old_lists(late) or old_lists([Call(True, 0, 2.5, 1), Call(False, 2, 3, 0)]):
        return "does not tell an old list from one beside a write"
    return None


if __name__ == "__main__":
    problem = check_itself()
    print(f"linearizability: {problem or 'finds what is planted, and nothing else'}", file=sys.stderr)
    sys.exit(1 if problem else 0)
