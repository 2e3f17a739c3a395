"""What a technician reads when a part fails."""

from leukoscope.displays.state import Fault
from leukoscope.errors import (
    BrokerError,
    BundleError,
    CalibrationError,
    CameraError,
    ControlError,
    DisplayError,
    EngineUnavailable,
    LeukoscopeError,
    OutboxError,
    SettingsError,
    TrendError,
)


def fault_of(error: LeukoscopeError) -> Fault:
    """The screen that tells a technician about an error."""
    return Fault(_part_of(error), error.happened, error.todo)


def _part_of(error: LeukoscopeError) -> str:
    parts = {
        CameraError: "Camera",
        CalibrationError: "Calibration",
        BundleError: "Networks",
        EngineUnavailable: "Networks",
        ControlError: "Button",
        DisplayError: "Display",
        OutboxError: "Storage",
        TrendError: "Storage",
        BrokerError: "Broker",
        SettingsError: "Settings",
    }
    return next((name for kind, name in parts.items() if isinstance(error, kind)), "Instrument")
