"""Everything that reads what others wrote; what reads something new is one more `Target` in its room."""

from tests.fuzz.on_bundles import BUNDLE_TARGETS
from tests.fuzz.on_commands import COMMAND_TARGETS
from tests.fuzz.on_odd_pictures import ODD_PICTURE_TARGETS
from tests.fuzz.on_reports import REPORT_TARGETS
from tests.fuzz.on_the_bench import BENCH_TARGETS
from tests.fuzz.on_the_store import STORE_TARGETS
from tests.fuzz.on_the_wire import WIRE_TARGETS

ODD_TARGETS = (*ODD_PICTURE_TARGETS, *STORE_TARGETS)
TARGETS = (
    *BENCH_TARGETS,
    *BUNDLE_TARGETS,
    *REPORT_TARGETS,
    *COMMAND_TARGETS,
    *WIRE_TARGETS,
    *ODD_PICTURE_TARGETS,
    *STORE_TARGETS,
)
