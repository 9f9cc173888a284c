"""Random numbers that are named: what is drawn depends on what it is for, never on the order.

Each draw is a hash of the seed, its name, the patient, a number (which course, which day) and the
replay. A registry therefore does not change when something else is drawn too, and a replay can keep
all that was settled by a landmark day while everything later is drawn anew.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import (  # type: ignore[import-untyped,unused-ignore]
    betaincinv,
    gammaincinv,
    ndtri,
)

from ...features.days import NEVER, Days

__all__ = ["Draws"]

Numbers = npt.NDArray[np.float64]
Names = npt.NDArray[np.str_]
Words = npt.NDArray[np.uint64]

ALWAYS = -NEVER
_ODD = np.uint64(0x9E3779B97F4A7C15)
_OTHER_ODD = np.uint64(0xD1B54A32D192ED03)


def _mixed(words: Words) -> Words:
    """Return words whose bits each depend on all bits (the finaliser of SplitMix64)."""
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Words = words ^ (words >> np.uint64(31))
    return mixed


@dataclass(frozen=True)
class Draws:
    """Random numbers of some rows, each a patient in the registry or in one replay.

    Parameters
    ----------
    seed : int
    patient : ndarray of int, shape (n_rows,)
        Numbers of the patients in the registry.
    replay : ndarray of int, shape (n_rows,)
        0 in the registry itself.
    landmark : int
        Day from the index date; what is settled later is drawn anew in each replay.
    """

    seed: int
    patient: Days
    replay: Days
    landmark: int = NEVER
    _words: Words = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        words = _mixed((self.patient.astype(np.uint64) + np.uint64(1)) * _ODD)
        object.__setattr__(self, "_words", words)

    @classmethod
    def of_registry(cls, seed: int, patients: int) -> "Draws":
        """Return the draws of a registry."""
        return cls(seed, np.arange(patients), np.zeros(patients, dtype=np.int64))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.patient)

    def take(self, row: Days) -> "Draws":
        """Return the draws of some rows."""
        return Draws(self.seed, self.patient[row], self.replay[row], self.landmark)

    def uniform(
        self, name: str, row: Days | None = None, number: Days | int = 0, day: Days | int = ALWAYS
    ) -> Numbers:
        """Draw between 0 and 1, both excluded.

        Parameters
        ----------
        name : str
        row : ndarray of int, optional
            All rows where it is left out.
        number : int or ndarray of int
            Which of several draws of that name.
        day : int or ndarray of int
            When it is settled; later than the landmark it differs between replays.
        """
        row = np.arange(len(self)) if row is None else row
        digest = hashlib.blake2b(f"{self.seed}:{name}".encode(), digest_size=8).digest()
        key = np.frombuffer(digest, dtype=np.uint64)
        counter = np.asarray(number, dtype=np.int64).view(np.uint64).reshape(np.shape(number))
        words = _mixed((self._words[row] ^ key) + np.atleast_1d(counter) * _OTHER_ODD)
        if self.landmark < NEVER:
            replay = np.where(np.asarray(day) > self.landmark, self.replay[row], 0)
            words = words + replay.astype(np.uint64) * _ODD
        bits = (_mixed(words + _ODD) >> np.uint64(11)).astype(np.float64)
        return (bits + 0.5) / 2.0**53

    def normal(
        self, name: str, row: Days | None = None, number: Days | int = 0, day: Days | int = ALWAYS
    ) -> Numbers:
        """Draw from the standard normal distribution, see `uniform`."""
        drawn: Numbers = ndtri(self.uniform(name, row, number, day))
        return drawn

    def gamma(self, name: str, shape: float) -> Numbers:
        """Draw from a gamma distribution of scale 1 for all rows."""
        drawn: Numbers = gammaincinv(shape, self.uniform(name))
        return drawn

    def beta(self, name: str, shapes: list[float], row: Days, number: int, day: Days) -> Numbers:
        """Draw from a beta distribution, see `uniform`."""
        drawn: Numbers = betaincinv(*shapes, self.uniform(name, row, number, day))
        return drawn

    def choice(
        self,
        name: str,
        shares: dict[str, float],
        row: Days | None = None,
        number: Days | int = 0,
        day: Days | int = ALWAYS,
    ) -> Names:
        """Draw names by their shares, see `uniform`."""
        share = np.cumsum(list(shares.values()))
        at = np.searchsorted(share[:-1] / share[-1], self.uniform(name, row, number, day))
        return np.array(list(shares), dtype="U24")[at]

    def waiting(
        self,
        name: str,
        row: Days | None,
        number: Days | int,
        since: Days,
        quantile: Callable[[Numbers], Numbers],
        share_by: Callable[[Numbers], Numbers],
        notice: int = 0,
    ) -> Days:
        """Draw the day on which something happens, whole days from `since`.

        Where it has not happened by the landmark, a replay draws it given just that.

        Parameters
        ----------
        name, row, number
            As in `uniform`.
        since : ndarray of int
        quantile, share_by : callable
            The distribution of the wait in days: its inverse, and the distribution function.
        notice : int, default=0
            Days by which it is settled before: what ends one day before is known to end then.
        """
        drawn = since + np.floor(quantile(self.uniform(name, row, number))).astype(np.int64)
        if self.landmark < NEVER:
            settled = self.landmark + notice
            gone = share_by(np.maximum(settled + 1.0 - since, 0.0))
            left = self.uniform(name, row, number, day=NEVER)
            share = np.minimum(gone + (1.0 - gone) * left, 1.0 - 2.0**-53)
            wait = np.floor(quantile(share)).astype(np.int64)
            later = np.maximum(since + wait, settled + 1)
            drawn = np.where(drawn <= settled, drawn, later)
        return np.minimum(drawn, NEVER)

    def waiting_within(
        self,
        name: str,
        row: Days | None,
        number: Days | int,
        since: Days,
        bounds: list[float],
        notice: int = 0,
    ) -> Days:
        """Draw a day that lies uniformly between two numbers of days from `since`."""
        low, width = bounds[0], bounds[1] - bounds[0]
        return self.waiting(
            name,
            row,
            number,
            since,
            lambda share: low + width * share,
            lambda days: np.clip((days - low) / width, 0.0, 1.0),
            notice,
        )

    def waiting_constant(
        self,
        name: str,
        row: Days | None,
        number: Days | int,
        since: Days,
        mean_days: Numbers | float,
    ) -> Days:
        """Draw a day that comes with a constant hazard from `since`."""
        return self.waiting(
            name,
            row,
            number,
            since,
            lambda share: np.minimum(-np.log1p(-share) * mean_days, NEVER),
            lambda days: -np.expm1(-days / mean_days),
        )
