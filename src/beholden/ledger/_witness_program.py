"""The arguments of ``python -m beholden.ledger.witness``: what ``beholden ledger witness`` has, without its packages."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from beholden.core.errors import BeholdenError, SourceError, UsageError
from beholden.ledger.witness import Witness, log_keys, new_witness
from beholden.ledger.witness_http import WitnessServer, parse_address

#: More than any submission has: what is longer is refused for its form.
_SUBMISSION_BYTES_MAX: Final = 1 << 20

__all__ = ["check_file", "present_s", "run", "serve"]


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program; errors are one line on stderr and an exit code of the contract."""
    asked = _parser().parse_args(arguments)
    try:
        if asked.verb == "new-key":
            _say(new_witness(asked.home, asked.name, seed=secrets.token_bytes(32)))
        elif asked.verb == "check":
            check_file(asked.home, asked.submission, asked.log, asked.out)
        else:
            serve(asked.home, asked.log, asked.address)
    except BeholdenError as error:
        _say(f"beholden: {error.line()}")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def check_file(home: Path, submission: Path, logs: Sequence[Path], out: Path | None) -> None:
    """Check what a ledger's owner sent, and write the tree head with the cosignature."""
    witness = Witness.open(home, log_keys(logs), clock=present_s)
    try:
        with submission.open("rb") as file:
            data = file.read(_SUBMISSION_BYTES_MAX)
    except OSError:
        raise UsageError(f"submission {submission}", "cannot be read", expected="a file") from None
    note = witness.cosigned_note(data)
    if out is None:
        sys.stdout.write(note.decode())
        return
    try:
        out.write_bytes(note)
    except OSError as error:
        raise SourceError(str(out), f"cannot be written ({error.strerror})", advice="check it again") from None


def serve(home: Path, logs: Sequence[Path], address: str) -> None:
    """Answer submissions until the process is stopped."""
    witness = Witness.open(home, log_keys(logs), clock=present_s)
    with WitnessServer(parse_address(address), witness, _say) as server:
        host, port = server.server_address[:2]
        _say(f"witness {witness.key.partition('+')[0]} listens on http://{host!s}:{port}/add-checkpoint")
        server.serve_forever()


def present_s() -> int:
    """The machine's own clock, in seconds."""
    return int(time.time())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m beholden.ledger.witness", description="Cosigns ledgers that only grow."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    new = verbs.add_parser("new-key", help="make a witness: key, memory, evidence")
    check = verbs.add_parser("check", help="check a submission in a file and cosign it")
    server = verbs.add_parser("serve", help="answer submissions over HTTP (C2SP tlog-witness)")
    for verb in (new, check, server):
        verb.add_argument("home", type=Path, help="the witness's directory")
    new.add_argument("--name", required=True, help="the key's name, such as witness.example/w1")
    check.add_argument("submission", type=Path, help="as beholden ledger prove --from-size writes it")
    check.add_argument("--out", type=Path, help="where the cosigned tree head goes; else stdout")
    for verb in (check, server):
        verb.add_argument("--log", type=Path, action="append", required=True, help="a ledger's key.pub; more than one")
    server.add_argument("--address", default="127.0.0.1:8620", help="HOST:PORT (default 127.0.0.1:8620)")
    return parser


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
