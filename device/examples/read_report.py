"""Prints the differential of a stored report with its intervals: python read_report.py REPORT.json."""

import sys
from pathlib import Path

from leukoscope.messages.report import decode


def main() -> None:
    """Read one report as it came over the wire, or as it lies in `reports/`."""
    report = decode(Path(sys.argv[1]).read_bytes())
    print(f"{report.sample_id}: {report.white_cells} white cells in {report.fields_counted} fields")
    for line in report.differential:
        print(f"{line.cell_class}: {line.count} ({line.share:.0%}, 95 % interval {line.low:.0%} to {line.high:.0%})")


if __name__ == "__main__":
    main()
