"""The vault's tables, the same on SQLite and PostgreSQL. Nothing in them is plain but random tokens and hashes.

The two tables of forgotten people are apart on purpose: side by side, a token and the keyed hash of its person would
let a holder of the master key try identifiers one by one and name the person behind a forgotten token. Both are
clustered by random keys, so that neither order nor time joins them (on PostgreSQL, which keeps rows in order of
insertion, this holds for a restored vault and for several people forgotten at once).
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

__all__ = ["FORMAT", "erasures", "forgotten_people", "forgotten_tokens", "meta", "metadata", "people", "restored"]

#: The version of these tables; a newer one is refused.
FORMAT: Final = 1

metadata: Final = sa.MetaData()


class _Bytes(sa.LargeBinary):
    """Bytes that both drivers take and give as they are; to wrap each value would double what a look-up costs."""

    def bind_processor(self, dialect: sa.Dialect) -> None:
        """None is needed."""

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> None:
        """None is needed."""


#: One row.
meta = sa.Table(
    "vault_meta",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("format", sa.Integer, nullable=False),
    sa.Column("vault_id", _Bytes, nullable=False),
    sa.Column("key_check", _Bytes, nullable=False),  # keyed hash of vault_id: tells a foreign master key
    sa.Column("epoch", _Bytes, nullable=False),  # random; another one whenever somebody was forgotten
    sa.Column("created", sa.BigInteger, nullable=False),
    sa.Column("last_backup", sa.BigInteger),
)

#: One row, or none; the table itself is made with the vault or by its first restore.
restored = sa.Table(
    "vault_restored",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("made", sa.BigInteger, nullable=False),  # when the backup was made: who joined after it is not here
)

people = sa.Table(
    "vault_people",
    metadata,
    sa.Column("lookup", _Bytes, primary_key=True),  # keyed hash of kind and identifier
    sa.Column("token", _Bytes, nullable=False, unique=True),
    sa.Column("sealed", _Bytes, nullable=False),  # the person's key, kind and identifier, bound to lookup and token
    sqlite_with_rowid=False,
)

forgotten_tokens = sa.Table(
    "vault_forgotten_tokens",
    metadata,
    sa.Column("token", _Bytes, primary_key=True),
    # 0: it stands encrypted before the reason. In plain it would join a token with a register of requests.
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("reason", _Bytes, nullable=False),  # encrypted under the estate's key
    sqlite_with_rowid=False,
)

forgotten_people = sa.Table(
    "vault_forgotten_people",
    metadata,
    sa.Column("mark", _Bytes, primary_key=True),  # random, one an erasure: a backup that lacks it is older than it
    sa.Column("lookup", _Bytes, nullable=False),
    sqlite_with_rowid=False,
)

#: Erasures that were done and are not in the ledger yet; the table itself is made with the vault or by its first erasure.
erasures = sa.Table(
    "vault_erasures",
    metadata,
    sa.Column("erasure_id", _Bytes, primary_key=True),  # random
    sa.Column("sealed", _Bytes, nullable=False),  # who asked, when, why, which tokens; encrypted under the estate's key
    sqlite_with_rowid=False,
)
