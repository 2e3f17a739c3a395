"""Replays the mutations: python -m tests.mutations [PART OF A NAME ...]; ends with 1 where a test stays green.

The tests run once against an unaltered copy, where they must pass, and then against each altered one, as many at a time
as there are processors.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.mutations.mutation import mutations
from tests.mutations.replay import GREEN, RED, replay, run_tests, scratch_copy


def main(wanted: list[str]) -> int:
    """Replay what is wanted, or everything: 0 where each was noticed, 1 where not, 2 where nothing has such a name."""
    chosen = [one for one in mutations() if not wanted or any(part in one.name for part in wanted)]
    if not chosen:
        # Without a test to run, pytest would run them all.
        print(f"expected parts of the names in mutations.toml, found {' '.join(wanted)}")
        return 2
    tests = tuple(dict.fromkeys(test for one in chosen for test in one.tests))
    with scratch_copy() as copy:
        plain = run_tests(copy, tests)
    if plain.returncode != GREEN:
        print(plain.stdout + plain.stderr)
        print("the tests fail without a mutation: mend them first")
        return 1
    unnoticed = 0
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as at_once:
        for one, done in zip(chosen, at_once.map(replay, chosen), strict=True):
            noticed = done.returncode == RED
            unnoticed += not noticed
            print(f"{'red  ' if noticed else 'GREEN'} {one.name}", flush=True)
            if not noticed:
                print(done.stdout[-2000:] + done.stderr[-2000:])
    print(f"{len(chosen) - unnoticed} of {len(chosen)} mutations were noticed")
    return min(unnoticed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
