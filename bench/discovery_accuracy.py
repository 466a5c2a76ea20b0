"""Precision and recall of the classifier on the real stores of ../shared/data, by LABELS.md's scoring rule.

Prints a table per store and pooled, and the speed. Columns without values are not scored; a prediction counts when it
is the label or its allowed alternative, at the level of the top class. `strict` recall counts a labelled column that
may be `none` and was called `none` as missed. With --blind the names of tables and columns are hidden: what is left
is what values and neighbours alone tell.

The word lists were written by people who know these stores: the figures show regressions, not what data never seen
will give.

Usage: python bench/discovery_accuracy.py [--errors] [--blind]
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from beholden.atlas.classify import FieldClass, RuleClassifier
from beholden.core.classes import NONE, top_class
from beholden.core.limits import SAMPLE_ROWS
from beholden.stores.connector import DatasetInfo, RowCount

STORES = Path(__file__).resolve().parents[2] / "shared" / "data" / "stores"


@dataclass
class Score:
    """Counts of one store: right, wrongly named, missed, waived; columns scored; the errors by name."""

    right: int = 0
    false: int = 0
    missed: int = 0
    waived: int = 0
    columns: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """Of what was named, the share that was right."""
        return self.right / max(1, self.right + self.false)

    @property
    def recall(self) -> float:
        """Of what had to be named, the share that was."""
        return self.right / max(1, self.right + self.missed)

    @property
    def strict(self) -> float:
        """Recall where `none` is never an allowed answer for a labelled column."""
        return self.right / max(1, self.right + self.missed + self.waived)


def read_table(path: Path) -> pa.Table:
    """A CSV file as text columns: types are the classifier's own business here."""
    with path.open(newline="", encoding="utf-8", errors="replace") as stream:
        header = next(csv.reader(stream))
    return pa.csv.read_csv(
        path,
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )


def sample_of(table: pa.Table) -> pa.RecordBatch:
    """Rows spread evenly over the table."""
    step = max(1, table.num_rows // SAMPLE_ROWS)
    taken = table.take(list(range(0, table.num_rows, step))[:SAMPLE_ROWS]) if step > 1 else table
    batches = taken.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def judge(score: Score, row: dict[str, str], found: FieldClass) -> None:
    """Score one labelled column."""
    predicted, label, allowed = top_class(found.class_), row["label"], {row["label"], row["alt"] or row["label"]}
    if row["evidence"] != "values" or (label == NONE and predicted == NONE):
        return
    score.columns += 1
    if predicted in allowed:
        score.right += predicted != NONE
        score.waived += predicted == NONE
        return
    score.false += predicted != NONE
    score.missed += label != NONE
    place = f"{row['dataset']}/{row['table']}#{row['column']}"
    score.errors.append(
        f"{place}: {label}{'|' + row['alt'] if row['alt'] else ''} was called {found.class_} ({found.probability:.2f})"
    )


def measure(stores: Path, *, blind: bool) -> tuple[dict[str, Score], tuple[int, float]]:
    """Classify every labelled table; scores by store, and bytes and CPU seconds spent."""
    classifier = RuleClassifier()
    scores: dict[str, Score] = {}
    seconds, size_bytes = 0.0, 0
    for truth in sorted(stores.glob("*/ground_truth.csv")):
        score = scores.setdefault(truth.parent.name, Score())
        rows: dict[str, list[dict[str, str]]] = {}
        with truth.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                rows.setdefault(row["table"], []).append(row)
        for table_name, labelled in rows.items():
            table = read_table(truth.parent / f"{table_name}.csv")
            sample = sample_of(table)
            columns = sample.schema.names
            if blind:
                sample = sample.rename_columns([f"c{i}" for i in range(len(columns))])
            path = "t.csv" if blind else f"{table_name}.csv"
            dataset = DatasetInfo(path, "file", (), rows=RowCount(table.num_rows, exact=True))
            started = time.process_time()
            answers = classifier.classify(dataset, sample)
            seconds += time.process_time() - started
            size_bytes += sample.nbytes
            found = dict(zip(columns, answers, strict=True))
            for row in labelled:
                judge(score, row, found[row["column"]])
    return scores, (size_bytes, seconds)


def pool(scores: Iterable[Score]) -> Score:
    """All stores as one."""
    pooled = Score()
    for score in scores:
        pooled.right += score.right
        pooled.false += score.false
        pooled.missed += score.missed
        pooled.waived += score.waived
        pooled.columns += score.columns
    return pooled


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--errors", action="store_true", help="list every error")
    arguments.add_argument("--blind", action="store_true", help="hide the names of tables and columns")
    options = arguments.parse_args()
    scores, (size_bytes, seconds) = measure(STORES, blind=options.blind)
    print(f"{'store':<16}{'scored':>8}{'right':>8}{'false':>8}{'missed':>8}{'precision':>11}{'recall':>8}{'strict':>8}")
    for name, score in (*scores.items(), ("pooled", pool(scores.values()))):
        print(
            f"{name:<16}{score.columns:>8}{score.right:>8}{score.false:>8}{score.missed:>8}"
            f"{score.precision:>11.3f}{score.recall:>8.3f}{score.strict:>8.3f}"
        )
    megabytes = size_bytes / 1e6
    print(f"classified {megabytes:.1f} MB of samples in {seconds:.2f} CPU-s: {megabytes / seconds:.2f} MB/CPU-s")
    if options.errors:
        for score in scores.values():
            print(*score.errors, sep="\n", end="\n" if score.errors else "")


if __name__ == "__main__":
    main()
