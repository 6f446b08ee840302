"""A number that a round tells, and the bar that it must clear."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Figure:
    """A number of a round; its value is the median over the rounds."""
    part: str
    name: str
    unit: str
    of: Callable  # from the round
    more_is_better: bool = False
    bar: float | None = None  # at least this, or at most

    def met(self, value):
        if self.bar is None or value is None:
            return None
        return value >= self.bar if self.more_is_better else value <= self.bar


def more(part, name, unit, of, bar=None):
    return Figure(part, name, unit, of, True, bar)


def less(part, name, unit, of, bar=None):
    return Figure(part, name, unit, of, False, bar)


def get(*keys):
    """The function of a round that follows these keys."""
    def of(one):
        for key in keys:
            one = one[key]
        return one
    return of
