"""``beholden ledger witness``: both sides of a witness. Its own side needs no estate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli.ledger_prove import open_tree, read_file
from beholden.cli.output import note

if TYPE_CHECKING:
    from beholden.ledger import PublicKey
    from beholden.ledger.heads import KeptHead

__all__ = ["witness"]

_HOME = click.argument("home", type=click.Path(path_type=Path))
_LOG = click.option(
    "--log", "logs", metavar="FILE", multiple=True, required=True, type=click.Path(path_type=Path),
    help="The key of a ledger to cosign, as its key.pub; may be given several times.",
)  # fmt: skip
_WITNESS_KEY = click.option(
    "--witness-key", metavar="FILE", required=True, type=click.Path(path_type=Path),
    help="The witness's key, from the witness.",
)  # fmt: skip


@click.group(cls=Group)
def witness() -> None:
    """Have the ledger's tree heads remembered and signed by somebody else.

    submit and add are the ledger's side. new-key, check and serve are the witness's: run elsewhere, by another, with
    HOME as its own key and memory. There `python -m beholden.ledger.witness` does the same with few packages installed.
    """


@witness.command()
@click.argument("url")
@_WITNESS_KEY
@pass_estate
def submit(estate: Estate, *, url: str, witness_key: Path) -> None:
    """Hand the newest tree head to the witness at URL and keep its cosignature.

    Exit code 5 when the witness has cosigned what this ledger does not continue.
    """
    from beholden.ledger.submit import submit as run

    _tell(run(open_tree(estate), url, _witness_key(witness_key)))


@witness.command()
@click.argument("file", type=click.Path(path_type=Path))
@_WITNESS_KEY
@pass_estate
def add(estate: Estate, *, file: Path, witness_key: Path) -> None:
    """Keep the cosigned tree head FILE that a witness sent.

    What it is to cosign is written by: beholden ledger prove --from-size N --out FILE, with the N it saw last, or 0.
    """
    from beholden.core.errors import SourceError
    from beholden.ledger.heads import keep_cosigned
    from beholden.ledger.storage.client import Overtaken

    tree, data, key = open_tree(estate), read_file("FILE", file), _witness_key(witness_key)
    try:
        _tell(keep_cosigned(tree, data, key, file.name, estate.ledger_disk))
    except Overtaken:
        raise SourceError("ledger cosigned", "another machine kept one at this moment", advice="run it again") from None


@witness.command("new-key")
@_HOME
@click.option("--name", required=True, help="The key's name, such as witness.example/w1.")
def new_key(*, home: Path, name: str) -> None:
    """Make a witness in the directory HOME, and print its public key."""
    import secrets

    from beholden.ledger.witness import new_witness

    click.echo(new_witness(home, name, seed=secrets.token_bytes(32)))


@witness.command()
@_HOME
@click.argument("submission", type=click.Path(path_type=Path))
@_LOG
@click.option("--out", metavar="FILE", type=click.Path(path_type=Path), help="Write to FILE.")
def check(*, home: Path, submission: Path, logs: tuple[Path, ...], out: Path | None) -> None:
    """Check a ledger's SUBMISSION and write its tree head with the cosignature.

    Exit code 5 when it does not continue what was cosigned before; both signed notes are then in HOME/evidence.
    """
    from beholden.ledger._witness_program import check_file

    check_file(home, submission, logs, out)


@witness.command()
@_HOME
@_LOG
@click.option("--address", metavar="HOST:PORT", default="127.0.0.1:8620", show_default=True, help="Listen here.")
def serve(*, home: Path, logs: tuple[Path, ...], address: str) -> None:
    """Answer submissions over HTTP (C2SP tlog-witness). TLS is for a proxy before it."""
    from beholden.ledger._witness_program import serve as run

    run(home, logs, address)


def _witness_key(path: Path) -> PublicKey:
    from beholden.core.errors import UsageError
    from beholden.ledger.cosignature import parse_witness_key

    key = parse_witness_key(read_file("--witness-key", path).decode("utf-8", "replace").strip())
    if key is None:
        raise UsageError(
            f"--witness-key {path}", "cannot be read as a witness's key", expected="one line, as its key.pub"
        )
    return key


def _tell(head: KeptHead) -> None:
    by = ", ".join(head.witnesses)
    note(f"kept: the tree head of {head.checkpoint.size:,} events, cosigned by {by}")
