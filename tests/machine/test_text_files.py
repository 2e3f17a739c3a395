"""Text files that a desk with Windows wrote are read, and what cannot be read says which encoding it has."""

from collections.abc import Callable
from pathlib import Path

import pytest

from leukoscope.delivery.mqtt.broker_settings import BrokerSettings
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.optics.calibration_record import read_record
from leukoscope.schema import text_of
from leukoscope.service.fault_screen import read_panes
from leukoscope.settings import BenchSettings
from leukoscope.statistics.rules import SHIPPED, Rules
from leukoscope_collector.collector_settings import CollectorSettings
from leukoscope_collector.operator_settings import OperatorSettings
from leukoscope_collector.postgres_store import PostgresSettings
from tests.commands.test_run import write_bench

MODELS = Path(__file__).parents[2] / "models"
OPERATOR = 'name = "A. Operator"\n[broker]\nhost = "localhost"\n'
COLLECTOR = '[broker]\nhost = "localhost"\n'
CALIBRATION = 'id = "nominal.1"\num_per_px = 0.127\norigin = "nominal"\noptics = "any"\n'


def _bench(folder: Path) -> Path:
    return write_bench(folder)


def _display(folder: Path) -> Path:
    path = folder / "displays.toml"
    path.write_text('[[displays]]\ndriver = "terminal"\n')
    return path


def _written(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return write


def _rules(folder: Path) -> Path:
    return _written("rules.toml", next(iter(sorted(SHIPPED.glob("*.toml")))).read_text("utf-8"))(folder)


def _manifest(folder: Path) -> Path:
    shipped = next(iter(sorted(MODELS.glob("*/manifest.toml"))))
    return _written("manifest.toml", shipped.read_text("utf-8"))(folder)


def _read_password(path: Path) -> None:
    assert BrokerSettings(host="localhost", username="scope", password_file=path).password() == "secret"


def _read_database_password(path: Path) -> None:
    assert PostgresSettings(driver="postgresql", conninfo="host=localhost", password_file=path).password() == "secret"


READERS = [
    pytest.param(_bench, BenchSettings.read, id="settings"),
    pytest.param(_display, read_panes, id="fault screen"),
    pytest.param(_rules, Rules.read, id="rules"),
    pytest.param(_manifest, lambda path: Bundle.read(path.parent), id="manifest"),
    pytest.param(_written("calibration.toml", CALIBRATION), read_record, id="calibration"),
    pytest.param(_written("collector.toml", COLLECTOR), CollectorSettings.read, id="collector"),
    pytest.param(_written("operator.toml", OPERATOR), OperatorSettings.read, id="operator"),
    pytest.param(_written("password", "secret\n"), _read_password, id="password"),
    pytest.param(_written("password", "secret\n"), _read_database_password, id="database password"),
]


@pytest.mark.parametrize(("write", "read"), READERS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_byte_order_mark_is_no_part_of_a_file(
    tmp_path: Path, write: Callable[[Path], Path], read: Callable[[Path], object], newline: str
) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text("utf-8"), "utf-8-sig", newline=newline)
    read(path)


@pytest.mark.parametrize(("write", "read"), READERS)
@pytest.mark.parametrize("width", ["16", "32"])
@pytest.mark.parametrize("order", ["", "-le", "-be"])
def test_wide_text_is_called_what_it_is(
    tmp_path: Path, write: Callable[[Path], Path], read: Callable[[Path], object], width: str, order: str
) -> None:
    path = write(tmp_path)
    path.write_text(path.read_text("utf-8"), f"utf-{width}{order}")
    with pytest.raises(LeukoscopeError, match=f"it is UTF-{width} text, expected UTF-8: save it with encoding UTF-8"):
        read(path)


def test_another_encoding_is_told_with_its_line() -> None:
    with pytest.raises(UnicodeDecodeError) as caught:
        text_of("a = 1\nb = 'Bl\u00fctenstra\u00dfe'\n".encode("latin-1"))
    assert str(caught.value) == "line 2 is not UTF-8 text (byte 0xfc): save it with encoding UTF-8"
