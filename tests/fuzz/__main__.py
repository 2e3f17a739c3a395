"""Spoils input by the hundred thousand and prints what came of it; see `tools/fuzz --help`."""

import argparse
import faulthandler
import logging
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.fuzz.cases import ACCEPTED, NAMED, run_case
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.watch import little_memory

DEFECT = "defect"


def main() -> int:
    """Run every target; 1 where a case found a defect."""
    parser = argparse.ArgumentParser(
        prog="tools/fuzz", description="Gives spoilt files and messages to all that reads."
    )
    parser.add_argument("--cases", type=int, default=100_000, help="over all targets; 100,000 otherwise")
    parser.add_argument("--only", choices=[target.name for target in TARGETS], help="one target")
    parser.add_argument("--seed", type=int, default=0, help="other cases than those of seed 0")
    parser.add_argument("--keep", type=Path, default=Path("out/fuzz"), help="where cases that found a defect go")
    options = parser.parse_args()
    faulthandler.enable()
    logging.disable()
    targets = [target for target in TARGETS if options.only in (None, target.name)]
    whole = sum(target.weight for target in targets)
    defects = 0
    print(f"{'target':20}{'cases':>9}{'named error':>13}{'accepted':>10}{'defects':>9}{'s':>7}", flush=True)
    with little_memory():
        for target in targets:
            begin = time.monotonic()
            cases = round(options.cases * target.weight / whole)
            seen = run_target(target, cases, options.seed, options.keep)
            defects += seen[DEFECT]
            print(
                f"{target.name:20}{seen.total():9,}{seen[NAMED]:13,}{seen[ACCEPTED]:10,}{seen[DEFECT]:9,}"
                f"{time.monotonic() - begin:7.0f}",
                flush=True,
            )
    return 1 if defects else 0


def run_target(target: Target, cases: int, number: int, keep: Path) -> Counter[str]:
    """How many cases ended how; each kind of defect is printed once, and its first case kept."""
    seen: Counter[str] = Counter()
    message: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:

        @seed(number)
        @settings(
            max_examples=cases,
            deadline=None,
            database=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )
        @given(st.integers(0, 2**64 - 1))
        def spoil_and_read(chance: int) -> None:
            content = target.spoil(Random(chance))
            try:
                seen[run_case(target, content, Path(folder) / str(seen.total()))] += 1
            except KeyboardInterrupt:
                raise
            except BaseException as defect:  # whatever it is, the other cases are still to be run
                seen[DEFECT] += 1
                where = traceback.extract_tb(defect.__traceback__)[-1]
                kind = f"{type(defect).__name__} at {Path(where.filename).name}:{where.lineno}"
                if kind not in message:
                    message.add(kind)
                    keep.mkdir(parents=True, exist_ok=True)
                    case = keep / f"{target.name.replace(' ', '-')}-{len(message)}"
                    case.write_bytes(content)
                    case.with_suffix(".txt").write_text("".join(traceback.format_exception(defect)))
                    print(f"DEFECT in {target.name}: {kind}: {str(defect)[:200]!r}; the case is {case}", flush=True)

        spoil_and_read()
    return seen


if __name__ == "__main__":
    sys.exit(main())
