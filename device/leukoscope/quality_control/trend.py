"""The trend of a bench while it runs: what is added to it, and what it warns of."""

from leukoscope.quality_control.history import History
from leukoscope.quality_control.run_record import Run
from leukoscope.quality_control.series import alarms_of


class Trend:
    """Keeps the alarms of a run history up to date, also when another program writes into it."""

    def __init__(self, run_history: History) -> None:
        self._run_history = run_history
        self._stamp: tuple[int, int] | None = None
        self._alarms: tuple[str, ...] = ()

    def add(self, run: Run) -> None:
        """Write a run down.

        Raises:
            TrendError: the file cannot be written.
        """
        self._run_history.add(run)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What is out of limits now, one line each.

        Raises:
            TrendError: the file cannot be read.
        """
        stamp = self._run_history.stamp()
        if stamp != self._stamp:
            self._alarms = alarms_of(self._run_history.runs())
            self._stamp = stamp
        return self._alarms
