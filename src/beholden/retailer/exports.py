"""``exports/``: files that teams made of the company's data, one of them damaged."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beholden.retailer.chance import SECOND_US, Rng, hexadecimal, iso, stream
from beholden.retailer.world import World, slices

__all__ = ["write_exports", "write_parquet"]

#: Share of customers who are written to; assumed.
_MAILED: Final = 0.3
_SUPPORT_LINES: Final = 400
_RETURNS: Final = 800
_KEY_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def write_exports(world: World, directory: Path) -> None:
    """Write every file."""
    rng = stream(world.parameters.seed, "exports")
    mailed = np.flatnonzero(rng.random(len(world.people)) < _MAILED)
    _mailing_list(world, mailed, directory / "mailing_list.csv")
    _segments(world, rng, mailed, directory / "newsletter_segments.parquet")
    _returns(world, rng, directory / "returns_last_week.csv")
    _support_extract(world, rng, directory / "support_extract.jsonl")
    whole = (directory / "newsletter_segments.parquet").read_bytes()
    # What is left of a copy that was interrupted: the beginning is there, the footer is not.
    (directory / "newsletter_segments_old.parquet").write_bytes(whole[: len(whole) // 3])


def write_parquet(path: Path, table: pa.Table) -> None:
    """Write a table; equal rows give equal bytes (with one version of the library)."""
    pq.write_table(table, path, compression="zstd")


def _mailing_list(world: World, mailed: Any, path: Path) -> None:
    def rows() -> Iterable[Sequence[str]]:
        for start, stop in slices(len(world.people)):
            text = world.people.text(start, stop)
            columns = list(zip(text.email, text.first_name, text.last_name, text.street, text.postal_code, text.city,
                               text.country, strict=True))  # fmt: skip
            yield from (columns[at - start] for at in mailed[(mailed >= start) & (mailed < stop)].tolist())

    _csv(path, ("email", "first_name", "last_name", "street", "postal_code", "city", "country"), rows())


def _segments(world: World, rng: Rng, mailed: Any, path: Path) -> None:
    emails: list[str] = []
    for start, stop in slices(len(world.people)):
        text = world.people.text(start, stop).email
        emails += [text[at - start] for at in mailed[(mailed >= start) & (mailed < stop)].tolist()]
    opened = world.parameters.end - rng.integers(0, 90 * 86_400, len(mailed)) * SECOND_US
    table = pa.table(
        {
            "recipient": pa.array(emails, pa.string()),
            "list_code": pa.array(rng.integers(10, 40, len(mailed)), pa.int32()),
            "opens": pa.array(rng.poisson(1.4, len(mailed)), pa.int32()),
            "last_open": pa.array(opened, pa.timestamp("us")),
        }
    )
    write_parquet(path, table)


def _returns(world: World, rng: Rng, path: Path) -> None:
    n = min(_RETURNS, len(world.orders))
    at = np.sort(rng.choice(len(world.orders), n, replace=False))
    label = rng.integers(10**15, 10**16, n).tolist()
    columns = ((at + world.orders.first_id).tolist(), label, rng.choice(np.array([11, 14, 20, 35]), n).tolist())
    _csv(path, ("order_id", "return_label", "reason_code"), zip(*columns, strict=True))


def _support_extract(world: World, rng: Rng, path: Path) -> None:
    """Lines of an integration's debug output: customers in nested JSON, and once its configuration with the key."""
    key = "AKIA" + "".join(_KEY_LETTERS[i] for i in rng.integers(0, len(_KEY_LETTERS), 16).tolist())
    secret = hexadecimal(rng, 40, 1)[0]
    at = rng.integers(0, len(world.people), _SUPPORT_LINES).tolist()
    when = iso(np.sort(world.parameters.start + rng.integers(0, 7 * 86_400, _SUPPORT_LINES) * SECOND_US))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, (position, time) in enumerate(zip(at, when, strict=True)):
            text = world.people.text(position, position + 1)
            line: dict[str, Any] = {
                "time": time,
                "event": "sync",
                "payload": {"customer": {"id": position + 1, "mail": text.email[0], "tel": text.phone[0]}},
            }
            if number == _SUPPORT_LINES // 2:
                line = {
                    "time": time,
                    "event": "start",
                    "config": {"bucket": "support-extracts", "aws_access_key_id": key, "aws_secret_access_key": secret},
                }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def _csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
