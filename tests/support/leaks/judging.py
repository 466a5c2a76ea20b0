"""Whether features tell incidents' records from ordinary ones, beyond chance.

Each record of an incident is set against ordinary records of the same company and log that say the same was done (the same
*cell*: operation, result and the like), so that what was done cannot help. A gradient boosting learns from some companies
and judges the others: no actor, id or incident stands on both sides. Records of one incident are no independent evidence,
incidents are: the measure is the mean over incidents of the share of (incident's, ordinary) pairs that the model puts in
the right order, half where it cannot tell, which is the area under the ROC curve of an incident against its own cells.
Without a leak each incident's share is 1/2 in expectation. Its standard error comes from the spread between incidents and,
as several incidents are set against the same few ordinary records, from that between whose records these are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

__all__ = ["Judgement", "Outcome", "Sample", "by_feature", "judged", "sample_of"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Cell = tuple[str, ...]

_AGAINST: Final = 6  # ordinary records for each of an incident's
_FOLDS: Final = 2
_PAIRS_MIN: Final = 40
#: A smaller error is that of adding up: the feature has one value.
_LEVEL: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Sample:
    """Records of one company: features by name, the incident of each (-1: none), whose it is, which pairs to compare.

    ``alone`` counts incidents' records of which no ordinary one says the like: they are left out.
    """

    features: Mapping[str, Floats]
    incident: Ints
    actor: Ints
    pairs: Ints  # (an incident's record, an ordinary one)
    alone: int

    def matrix(self, names: Sequence[str]) -> Floats:
        """A row for each record, a column for each of these features."""
        return np.stack([self.features[name] for name in names], axis=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Pairs: which incident's and which ordinary actor's record each compares, and whether it came out right (or half)."""

    COMPANY: ClassVar[int] = 1_000_000

    incident: Ints  # company * COMPANY + number
    actor: Ints  # company * COMPANY + number of the actor
    right: Floats

    def of(self, kept: npt.NDArray[np.bool_]) -> Outcome:
        """Those pairs alone."""
        return Outcome(self.incident[kept], self.actor[kept], self.right[kept])

    @classmethod
    def joined(cls, parts: Sequence[Outcome]) -> Outcome:
        """All of them."""
        return cls(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("incident", "actor", "right")))

    def judgement(self) -> Judgement:
        """The mean over incidents, and its standard error from the spread between incidents and between ordinary actors."""
        if not len(self.right):
            return Judgement(0.5, np.inf, 0)
        incident, of = np.unique(self.incident, return_inverse=True)
        weight = 1.0 / np.bincount(of)[of] / len(incident)
        share = float(np.sum(weight * self.right))
        spread = sum(
            float(np.sum(np.bincount(group, weight * (self.right - share)) ** 2))
            for group in (of, np.unique(self.actor, return_inverse=True)[1])
        )
        return Judgement(share, float(np.sqrt(spread)) if len(incident) > 1 else np.inf, len(incident))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The mean share of pairs in the right order over so many incidents, and its standard error."""

    share: float
    error: float
    incidents: int

    def above(self, errors: float) -> bool:
        """Whether it lies so many standard errors above chance."""
        return self.share - errors * self.error > 0.5


_NOTHING: Final = Outcome(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), np.empty(0))


def sample_of(
    features: Mapping[str, Floats], incident: Ints, actors: Sequence[str], cells: Sequence[Cell], seed: int
) -> Sample:  # fmt: skip
    """Choose for each record of an incident some ordinary ones of its cell, or of those most like it."""
    rng = np.random.default_rng([seed, 7])
    by_cell: dict[Cell, list[int]] = defaultdict(list)
    for at in np.flatnonzero(incident < 0).tolist():
        by_cell[cells[at]].append(at)
    pairs: list[tuple[int, int]] = []
    alone = 0
    for at in np.flatnonzero(incident >= 0).tolist():
        near = by_cell.get(cells[at]) or _nearest(by_cell, cells[at])
        alone += not near
        if near:
            pairs += [(at, near[int(other)]) for other in rng.integers(0, len(near), _AGAINST)]
    every = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    rows, back = np.unique(every, return_inverse=True)
    chosen = {name: column[rows] for name, column in features.items()}
    who = np.unique(np.array(actors, dtype=np.str_), return_inverse=True)[1]
    return Sample(chosen, incident[rows], who[rows], back.reshape(-1, 2), alone)


def _nearest(by_cell: Mapping[Cell, list[int]], cell: Cell) -> list[int]:
    """The ordinary records of the cells that have most in common with one that has none, the first part among it."""
    common = {other: sum(a == b for a, b in zip(cell, other, strict=True)) for other in by_cell if other[0] == cell[0]}
    most = max(common.values(), default=0)
    return [at for other in common if common[other] == most for at in by_cell[other]]


def judged(samples: Sequence[Sample]) -> Outcome:
    """How the pairs of all companies came out, each by a model that learnt from other companies."""
    names = sorted(set.intersection(*(set(one.features) for one in samples)))
    parts = [_NOTHING]
    with threadpool_limits(1):  # threads gain nothing here, and wait for one another on a busy machine
        for fold in range(_FOLDS):
            model = _learnt([one for at, one in enumerate(samples) if at % _FOLDS != fold], names)
            for at, one in enumerate(samples):
                if at % _FOLDS == fold and len(one.pairs):
                    known = (
                        np.zeros(len(one.incident)) if model is None else model.predict_proba(one.matrix(names))[:, 1]
                    )
                    parts.append(_compared(at, one, known))
    return Outcome.joined(parts)


def _learnt(samples: Sequence[Sample], names: Sequence[str]) -> HistGradientBoostingClassifier | None:
    """A model of all pairs, in which each incident has the same weight, and so have its ordinary records."""
    values, labels, weights = [], [], []
    for one in samples:
        if len(one.pairs):
            matrix, of = one.matrix(names), one.incident[one.pairs[:, 0]]
            for column, label in ((0, 1), (1, 0)):
                values.append(matrix[one.pairs[:, column]])
                labels.append(np.full(len(of), label))
                weights.append(1.0 / np.bincount(of)[of])
    if sum(map(len, labels)) < _PAIRS_MIN:
        return None
    weight = np.concatenate(weights)
    model = HistGradientBoostingClassifier(
        max_depth=3,
        max_iter=50,
        max_bins=63,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    return model.fit(np.concatenate(values), np.concatenate(labels), sample_weight=weight / weight.mean())


def _compared(at: int, one: Sample, score: Floats) -> Outcome:
    mine, other = one.pairs[:, 0], one.pairs[:, 1]
    right = (score[mine] > score[other]) + 0.5 * (score[mine] == score[other])
    return Outcome(at * Outcome.COMPANY + one.incident[mine], at * Outcome.COMPANY + one.actor[other], right)


def by_feature(samples: Sequence[Sample]) -> list[tuple[str, Judgement]]:
    """Each feature alone, by how many standard errors it lies from chance: where to look for the cause of a leak."""
    names = set.intersection(*(set(one.features) for one in samples))
    found = []
    for name in names:
        parts = [_compared(at, one, one.features[name]) for at, one in enumerate(samples) if len(one.pairs)]
        judgement = Outcome.joined(parts or [_NOTHING]).judgement()
        if _LEVEL < judgement.error < np.inf:
            found.append((name, judgement))
    return sorted(found, key=lambda one: (-abs(one[1].share - 0.5) / one[1].error, one[0]))
