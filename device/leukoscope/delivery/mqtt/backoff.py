"""How long to wait before trying again."""

from random import Random


class Backoff:
    """Waits that double up to a limit, each between half and the whole of it, so devices spread out."""

    def __init__(self, first_s: float, longest_s: float, rng: Random) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._rng = rng
        self._failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        delay_s = self.after(self._failures)
        self._failures += 1
        return delay_s

    def after(self, failures: int) -> float:
        """Seconds to wait after that many failures before this one."""
        whole_s = min(self._longest_s, self._first_s * 2.0 ** min(failures, 30))
        return whole_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """Things work again."""
        self._failures = 0
