"""Whether features tell incidents' records from ordinary ones, beyond chance.

Each incident's record is set against ordinary records of the same company, log and cell (operation, result and the like):
so what was done cannot help. A gradient boosting learns from some companies, others are judged: no actor, id or incident
stands on both sides. Records of one incident are no independent evidence, whole incidents are: the measure is the mean
over incidents of the share of (incident's, ordinary) pairs that stand in the right order, half where they are level.
Under no leak each incident's share is 1/2 in expectation, so the mean's interval comes from the spread between incidents.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["Judgement", "Sample", "judged", "sample_of"]

_AGAINST = 6  # ordinary records for each of an incident's


@dataclass(slots=True)
class Sample:
    """Rows of one company: features, the incident of each (-1 where there is none), and which pairs are to be compared."""

    names: list[str]
    values: npt.NDArray[np.float64]
    incident: npt.NDArray[np.int64]
    pairs: npt.NDArray[np.int64]  # (incident's row, ordinary row)
    alone: int = 0  # incidents' records of which no ordinary one says the like


@dataclass(frozen=True, slots=True)
class Judgement:
    """Mean share of pairs in the right order, its standard error over incidents, and the features that tell most."""

    share: float
    error: float
    incidents: int
    records: int
    shares: tuple[float, ...] = field(repr=False, default=())

    def above(self, errors: float) -> bool:
        """Whether even ``errors`` standard errors below it lies more than chance."""
        return self.share - errors * self.error > 0.5


def sample_of(
    names: list[str],
    values: npt.NDArray[np.float64],
    incident: npt.NDArray[np.int64],
    cells: Sequence[tuple[str, ...]],
    seed: int,
) -> Sample:
    """Choose records of incidents and for each some ordinary ones of its cell, or of those most like it."""
    rng = np.random.default_rng([seed, 7])
    by_cell: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at in np.flatnonzero(incident < 0).tolist():
        by_cell[cells[at]].append(at)
    pairs: list[tuple[int, int]] = []
    alone = 0
    for one in np.unique(incident[incident >= 0]).tolist():
        for at in np.flatnonzero(incident == one).tolist():
            near = by_cell.get(cells[at]) or _nearest(by_cell, cells[at])
            if not near:
                alone += 1
                continue
            pairs += [(at, near[int(other)]) for other in rng.integers(0, len(near), _AGAINST)]
    every = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    rows, back = np.unique(every, return_inverse=True)
    return Sample(names, values[rows], incident[rows], back.reshape(-1, 2), alone)


def _nearest(by_cell: dict[tuple[str, ...], list[int]], cell: tuple[str, ...]) -> list[int]:
    """The ordinary records of the cells that have most in common with one that has none, the first part among it."""
    common = {other: sum(a == b for a, b in zip(cell, other, strict=True)) for other in by_cell if other[0] == cell[0]}
    most = max(common.values(), default=0)
    return [at for other in common if common[other] == most for at in by_cell[other]]


def judged(samples: Sequence[Sample], *, folds: int = 2) -> Judgement:
    """Learn from all companies but those of a fold, judge those of the fold."""
    shares: list[float] = []
    records = 0
    for fold in range(folds):
        learnt = [one for at, one in enumerate(samples) if at % folds != fold]
        others = [one for at, one in enumerate(samples) if at % folds == fold]
        names = sorted(set.intersection(*(set(one.names) for one in samples)))
        model = _learned([_with(one, names) for one in learnt])
        for one in others:
            score = (
                model.predict_proba(_with(one, names).values)[:, 1] if model is not None else np.zeros(len(one.values))
            )
            shares += _shares(one, score)
            records += int((one.incident >= 0).sum())
    return _judgement(shares, records)


def _judgement(shares: list[float], records: int) -> Judgement:
    every = np.array(shares)
    error = float(every.std(ddof=1) / np.sqrt(len(every))) if len(every) > 1 else np.inf
    return Judgement(float(every.mean()) if len(every) else 0.5, error, len(every), records, tuple(shares))


def _with(one: Sample, names: list[str]) -> Sample:
    at = [one.names.index(name) for name in names]
    return Sample(names, one.values[:, at], one.incident, one.pairs)


def _learned(samples: Sequence[Sample]) -> HistGradientBoostingClassifier | None:
    """A model of all pairs; every incident has the same weight, and so have its ordinary records."""
    values, labels, weights = [], [], []
    for one in samples:
        of = one.incident[one.pairs[:, 0]]
        weight = 1.0 / np.bincount(of)[of] if len(of) else np.empty(0)
        for column, label in ((0, 1), (1, 0)):
            values.append(one.values[one.pairs[:, column]])
            labels.append(np.full(len(of), label))
            weights.append(weight)
    known = np.concatenate(labels)
    if len(known) < 40:
        return None
    model = HistGradientBoostingClassifier(
        max_depth=3,
        max_iter=60,
        learning_rate=0.1,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    weight = np.concatenate(weights)
    return model.fit(np.concatenate(values), known, sample_weight=weight / weight.mean())


def _shares(one: Sample, score: npt.NDArray[np.float64]) -> list[float]:
    """Of each incident the share of its pairs in the right order."""
    right, wrong = score[one.pairs[:, 0]], score[one.pairs[:, 1]]
    order = (right > wrong) + 0.5 * (right == wrong)
    of = one.incident[one.pairs[:, 0]]
    return [float(order[of == each].mean()) for each in np.unique(of).tolist()]


def by_feature(samples: Sequence[Sample]) -> list[tuple[float, str, Judgement]]:
    """Each feature alone, the most telling first: standard errors from chance, name, judgement."""
    names = sorted(set.intersection(*(set(one.names) for one in samples)))
    found = []
    for name in names:
        shares = [share for one in samples for share in _shares(one, one.values[:, one.names.index(name)])]
        judgement = _judgement(shares, 0)
        if judgement.error > 0:
            found.append((abs(judgement.share - 0.5) / judgement.error, name, judgement))
    return sorted(found, reverse=True)
