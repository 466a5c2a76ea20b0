"""One look at every store: list its datasets, sample each, classify its fields, write down what came of it.

What is durable: each store's listing is one transaction, each dataset's classification another. A scan that is
stopped leaves whole datasets behind and is resumed where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

import pyarrow as pa

from beholden.atlas import record
from beholden.atlas.classify import Classifier, RuleClassifier
from beholden.atlas.record import DatasetOutcome
from beholden.atlas.subjects import propose_subjects
from beholden.atlas.views import View, views_among
from beholden.core.config import Config
from beholden.core.errors import BeholdenError
from beholden.core.limits import SAMPLE_ROWS
from beholden.core.names import Person
from beholden.core.times import Clock
from beholden.state import State
from beholden.stores.connector import Connector, DatasetInfo, Grant, RowCount

__all__ = ["COUNT_BYTES_MAX", "COUNT_ROWS_MAX", "ScanResult", "scan"]

#: Tables estimated larger than this are not counted row by row.
COUNT_ROWS_MAX: Final = 1_000_000
#: Nor are files larger than this.
COUNT_BYTES_MAX: Final = 256 * 1024 * 1024
#: A scan stopped longer ago than this is not resumed: what it saw may have changed.
_RESUME_AGE_MAX_US: Final = 24 * 3600 * 1_000_000

#: The grantee that is no actor.
_EVERYONE: Final = "PUBLIC"

#: From people to the random tokens that stand for them.
Tokens = Callable[[Sequence[Person]], list[bytes]]

#: Called with (done, total, what): datasets done, datasets known so far, the dataset at hand.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ScanResult:
    """What a scan did. ``resumed`` counts datasets that an earlier, stopped run of it had done."""

    scan_id: int
    outcomes: tuple[DatasetOutcome, ...]
    resumed: int

    def count(self, outcome: str) -> int:
        """How many datasets had this outcome."""
        return sum(1 for found in self.outcomes if found.outcome == outcome and found.path)

    @property
    def failed(self) -> tuple[DatasetOutcome, ...]:
        """Stores and datasets that could not be read."""
        return tuple(found for found in self.outcomes if found.outcome == "failed")


def scan(
    state: State,
    config: Config,
    connectors: Callable[[str], Connector],
    *,
    tokens: Tokens,
    stores: Sequence[str] | None = None,
    clock: Clock,
    seed: int,
    resume: bool = True,
    progress: Progress = lambda _done, _total, _what: None,
    classifier: Classifier | None = None,
) -> ScanResult:
    """Look at every declared store, or at those named.

    A store or dataset that cannot be read is recorded as failed with its reason, and the rest goes on.

    Args:
        state: where everything found is written.
        config: the stores declared, in this order.
        connectors: opens the store of a name; it is closed again here.
        tokens: gives grantees the tokens under which the ledger knows them as actors.
        stores: names to restrict the scan to.
        clock: the present.
        seed: chooses the sampled rows.
        resume: go on with the last scan if it was stopped less than a day ago.
        progress: told after each dataset.
        classifier: another implementation of the interface.
    """
    for name in stores or ():
        config.store_named(name)
    now = clock()
    scan_id, done = record.begin_scan(state, now=now, resume_since=now - _RESUME_AGE_MAX_US if resume else None)
    looking = _Scan(state, tokens, scan_id, clock, seed, progress, classifier or RuleClassifier(), done)
    for store in config.store:
        if stores is None or store.name in stores:
            looking.store(store.name, connectors)
    propose_subjects(state, config, now=clock())
    record.finish_scan(state, scan_id, now=clock())
    return ScanResult(scan_id, tuple(looking.outcomes), looking.resumed)


@dataclass(slots=True)
class _Scan:
    """A scan under way."""

    _state: State
    _tokens: Tokens
    _scan_id: int
    _clock: Clock
    _seed: int
    _progress: Progress
    _classifier: Classifier
    _done: set[tuple[str, str]]
    outcomes: list[DatasetOutcome] = field(default_factory=list)
    resumed: int = 0
    _steps: int = 0
    _steps_total: int = 0

    def store(self, name: str, connectors: Callable[[str], Connector]) -> None:
        """Look at one store; whatever fails is written down."""
        try:
            with connectors(name) as connector:
                info = connector.test()
                record.store_reached(self._state, name, info, now=self._clock())
                self._look(name, connector)
        except BeholdenError as error:
            reason = _reason(error, f"store {name}")
            record.store_failed(self._state, name, reason, now=self._clock())
            self._note(DatasetOutcome(name, "", "failed", reason))

    def _look(self, name: str, connector: Connector) -> None:
        listed, problem = _listing(connector)
        grants, no_grants = _grants(connector)
        grants = self._without_names(grants)
        views = views_among(listed)
        record.put_listing(self._state, name, listed, views, grants, now=self._clock(), complete=problem is None)
        self._steps_total += len(listed)
        for info in listed:
            if (name, info.path) in self._done:
                self.resumed += 1
            else:
                self._dataset(name, info, views.get(info.path, View()), connector)
            self._steps += 1
            self._progress(self._steps, self._steps_total, f"{name}/{info.path}")
        left_out = [f"{found.reason} ({found.count})" for found in connector.shortfalls() if not found.path]
        reason = _joined(problem, no_grants, *left_out)
        self._note(DatasetOutcome(name, "", "scanned" if problem is None else "failed", reason))

    def _without_names(self, grants: Sequence[Grant]) -> list[Grant]:
        names = sorted({grant.grantee for grant in grants} - {_EVERYONE})
        tokens = self._tokens([Person("actor", name) for name in names])
        by_name = {_EVERYONE: _EVERYONE} | {name: token.hex() for name, token in zip(names, tokens, strict=True)}
        return [replace(grant, grantee=by_name[grant.grantee]) for grant in grants]

    def _dataset(self, store: str, info: DatasetInfo, view: View, connector: Connector) -> None:
        if info.problem is not None:
            outcome: Literal["skipped", "failed"] = "skipped" if info.unsupported else "failed"
            self._note(DatasetOutcome(store, info.path, outcome, _joined(info.problem, view.problem)))
            return
        try:
            sample = connector.sample(info.path, SAMPLE_ROWS, self._seed)
            info = replace(info, rows=_count(connector, info, sample))
            if info.rows is not None and any(
                short.rows and short.path == info.path for short in connector.shortfalls()
            ):
                info = replace(info, rows=replace(info.rows, exact=False))
            answers = self._classifier.classify(info, sample)
        except BeholdenError as error:
            reason = _reason(error, f"dataset {store}/{info.path}")
            self._note(DatasetOutcome(store, info.path, "failed", _joined(reason, view.problem)))
            return
        except Exception as error:  # noqa: BLE001 - whatever one dataset holds must not stop the rest; its text may quote values
            reason = f"could not be classified ({type(error).__name__})"
            self._note(DatasetOutcome(store, info.path, "failed", _joined(reason, view.problem)))
            return
        left_out = [f"{found.reason} ({found.count})" for found in connector.shortfalls() if found.path == info.path]
        done = DatasetOutcome(store, info.path, "scanned", _joined(*left_out, view.problem), sample.num_rows)
        types = {column.name: str(column.type) for column in sample.schema}
        unreadable = [column.name for column in info.fields if not column.readable]
        self.outcomes.append(done)
        record.put_classes(
            self._state, self._scan_id, done, info.rows, answers, types, unreadable=unreadable, now=self._clock()
        )

    def _note(self, outcome: DatasetOutcome) -> None:
        self.outcomes.append(outcome)
        record.put_outcome(self._state, self._scan_id, outcome, now=self._clock())


def _joined(*reasons: str | None) -> str | None:
    return "; ".join(filter(None, reasons)) or None


def _reason(error: BeholdenError, place: str) -> str:
    """Why, without the place that it is said of anyway."""
    return error.line().removeprefix(f"{place}: ")


def _listing(connector: Connector) -> tuple[list[DatasetInfo], str | None]:
    """What the store lists; where the listing breaks off, what came before it and why."""
    listed: list[DatasetInfo] = []
    try:
        listed.extend(connector.datasets())
    except BeholdenError as error:
        return listed, error.line()
    return listed, None


def _grants(connector: Connector) -> tuple[list[Grant], str | None]:
    try:
        return list(connector.grants()), None
    except BeholdenError as error:
        return [], f"grants could not be read: {error.line()}"


def _count(connector: Connector, info: DatasetInfo, sample: pa.RecordBatch) -> RowCount | None:
    """The exact number of rows where it is cheap to know, else the store's estimate."""
    if info.rows is not None and info.rows.exact:
        return info.rows
    estimate = info.rows.rows if info.rows is not None else 0
    costly = estimate > COUNT_ROWS_MAX or (info.size_bytes or 0) > COUNT_BYTES_MAX
    if info.kind == "view" and sample.num_rows >= SAMPLE_ROWS:
        costly = True  # nobody knows what a view costs; one that fits the sample is cheap
    return info.rows if costly else RowCount(connector.count(info.path), exact=True)
