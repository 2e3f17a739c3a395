"""Which rules a bench judges its counts by."""

from pathlib import Path

from leukoscope.errors import SettingsError
from leukoscope.schema import FrozenModel
from leukoscope.specimen.sample import Mode
from leukoscope.statistics.rules import SHIPPED, Rules


class RulesSettings(FrozenModel):
    """What is pointed out in the counts."""

    file: str = "blood.toml"
    """A rules file beside the settings file, or "blood.toml" or "marrow.toml", which come with the software; the one
    of the mode unless set."""

    def open(self, near: Path | None = None, mode: Mode | None = None) -> Rules:
        """Read the rules, looked up beside the settings file first.

        Args:
            near: the folder of the settings file.
            mode: what the bench counts; None takes rules for anything.

        Raises:
            SettingsError: there are no such rules, they are malformed, or they are for another mode.
        """
        beside = Path(self.file) if near is None else near / self.file
        shipped = SHIPPED / self.file
        rules = Rules.read(beside if beside.exists() or not shipped.exists() else shipped)
        if mode not in (None, rules.mode):
            raise SettingsError(
                f"rules {rules.id} ({self.file}) are for {rules.mode}, the settings say mode {mode}",
                f'name rules for {mode} under [rules], or say mode = "{rules.mode}" at the top of the settings',
            )
        return rules
