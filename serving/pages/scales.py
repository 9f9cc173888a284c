"""From values to places in a drawing, and the ticks that belong to them.

Assumes that a clinician reads UPCR in thirds of a decade (1, 3, 10) and everything else in steps of
1, 2 or 5.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Scale", "TimeScale", "log_scale", "plain_scale"]

FUTURE_SHARE = 0.32
"""Most of the width that the time between today and the horizon may take."""
WEEK_STEPS = (1, 2, 4, 8, 12, 26, 52, 104, 260)


@dataclass(frozen=True)
class Scale:
    """A vertical scale.

    Parameters
    ----------
    low, high : float
        Values at the lower and upper edge.
    ticks : tuple of float
    logged : bool
    top, bottom : float
        Edges in the drawing.
    """

    low: float
    high: float
    ticks: tuple[float, ...]
    logged: bool
    top: float
    bottom: float

    def __call__(self, value: float) -> float:
        """Return the place of a value; what lies outside is held at the edge."""
        if self.logged:
            share = math.log(max(value, self.low) / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)


def log_scale(values: Sequence[float], top: float, bottom: float) -> Scale:
    """Return a scale over at least one decade, with ticks at 1 and 3 of each.

    Examples
    --------
    >>> log_scale([0.4, 4.2], 0, 100).ticks
    (0.3, 1.0, 3.0)
    """
    known = [value for value in values if value > 0] or [1.0]
    low, high = min(known) / 1.35, max(known) * 1.35
    if high / low < 10:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(10), middle * math.sqrt(10)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    every = [float(f"{step}e{decade}") for decade in decades for step in (1, 3)]
    return Scale(low, high, tuple(t for t in every if low <= t <= high), True, top, bottom)


def plain_scale(
    values: Sequence[float], top: float, bottom: float, most_ticks: int = 4, least: float = 1.0
) -> Scale:
    """Return a scale from 0 with a few round ticks.

    Examples
    --------
    >>> plain_scale([35.0, 92.0], 0, 100).ticks
    (0.0, 25.0, 50.0, 75.0, 100.0)
    """
    high = max([*values, least]) * 1.05
    size = 10.0 ** math.floor(math.log10(high / most_ticks))
    step = next(size * f for f in (1, 2, 2.5, 5, 10) if high / (size * f) <= most_ticks)
    count = math.ceil(high / step)
    if high > (count - 1) * step * 1.12 or count < 2:
        high = count * step
    ticks = tuple(step * i for i in range(count + 1) if step * i <= high)
    return Scale(0.0, high, ticks, False, top, bottom)


@dataclass(frozen=True)
class TimeScale:
    """Days since the index date across a drawing; what is to come is drawn narrower, and says so.

    Parameters
    ----------
    first_day, now, last_day : float
    left, right : float
        Edges in the drawing.
    """

    first_day: float
    now: float
    last_day: float
    left: float
    right: float

    @property
    def bend(self) -> float:
        """The place of today."""
        whole = self.right - self.left
        past, future = self.now - self.first_day, self.last_day - self.now
        share = min(future / max(past + future, 1.0), FUTURE_SHARE) if future > 0 else 0.0
        return self.right - share * whole

    @property
    def narrowed(self) -> bool:
        """Whether a day to come is drawn narrower than a day gone by."""
        past, future = self.now - self.first_day, self.last_day - self.now
        return future / max(past + future, 1.0) > FUTURE_SHARE

    def __call__(self, day: float) -> float:
        """Return the place of a day, held inside the drawing."""
        day = min(max(day, self.first_day), self.last_day)
        if day <= self.now:
            past = max(self.now - self.first_day, 1.0)
            return self.left + (day - self.first_day) / past * (self.bend - self.left)
        return self.bend + (day - self.now) / (self.last_day - self.now) * (self.right - self.bend)

    def weeks(self, apart: float) -> list[int]:
        """Return the weeks to name up to today, at least some way apart."""
        past = max(self.now - self.first_day, 1.0)
        per_week = 7 * (self.bend - self.left) / past
        step = next((s for s in WEEK_STEPS if s * per_week >= apart), WEEK_STEPS[-1])
        first = math.ceil(self.first_day / 7 / step)
        last = math.floor(self.now / 7 / step)
        return [step * i for i in range(first, last + 1)]
