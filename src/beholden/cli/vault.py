"""``beholden vault``: people's tokens and keys: forget, back up, restore."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

import click

from beholden.cli._estate import Estate, pass_estate
from beholden.cli._lazy import Group
from beholden.cli._times import shown_time
from beholden.cli.output import Column, emit, note, output_options
from beholden.core.errors import BeholdenError, UsageError

if TYPE_CHECKING:
    from beholden.core.names import Person

__all__ = ["ForgottenRow", "VaultRow", "vault"]

#: Characters of a line of a list of people; no identifier is as long.
_LINE_CHARS_MAX: Final = 16_384
#: People left alone that are told one by one.
_TOLD_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class VaultRow:
    """How many people the vault knows and has forgotten. Times are RFC 3339; ``last_backup`` is null for never.

    ``erasures_untold`` counts erasures that are done and whose event is not in the ledger yet.
    """

    people: int
    forgotten: int
    created: str
    last_backup: str | None
    erasures_untold: int


@dataclass(frozen=True, slots=True)
class ForgottenRow:
    """What became of a request to forget people: counts, never who they are.

    Of those ``asked`` for, each once: ``forgotten``; ``unknown``, whom no log read so far named or who were forgotten
    before; ``held`` by a legal hold. ``also``: tickets, devices, credentials and texts that went with them.
    ``scrubbed``: no byte of them is left in the vault's files. ``on_record``: the ledger has the event.
    """

    asked: int
    forgotten: int
    unknown: int
    held: int
    also: int
    scrubbed: bool
    on_record: bool


@click.group(cls=Group)
def vault() -> None:
    """People's tokens and keys: forget, backup, restore. Without them the ledger's people have no names."""


@vault.command()
@output_options
@pass_estate
def status(estate: Estate, *, output: str | None) -> None:
    """How many people are known, how many forgotten, and how old the last backup is."""
    estate.refuse_newer()
    info = estate.vault.status()
    row = VaultRow(
        info.people, info.forgotten, shown_time(info.created), shown_time(info.last_backup), info.erasures_untold
    )
    advice = [] if row.last_backup else ["no backup was ever made: beholden vault backup FILE"]
    if row.erasures_untold:
        advice.append(f"{row.erasures_untold:,} erasures are done and not on record yet: beholden ledger seal")
    emit(output, "vault", [row], _COLUMNS, empty="", after=advice)


@vault.command()
@click.argument("subjects", nargs=-1, metavar="[SUBJECT]...")
@click.option("--file", type=click.File("r", encoding="utf-8"), help="A list of more, one a line; - is stdin.")
@click.option("--reason", metavar="TEXT", required=True, help="Why, e.g. the request's number; kept encrypted.")
@click.option("--by", metavar="ID", help="Who asks for it, as logs would name them (default: who runs this).")
@output_options
@pass_estate
def forget(
    estate: Estate, *, subjects: tuple[str, ...], file: TextIO | None, reason: str, by: str | None, output: str | None
) -> None:
    """Forget people for good: each SUBJECT is written kind:identifier, e.g. customer:17.

    Their mapping to tokens and their keys are destroyed. Events, counts and proofs stay and name nobody; texts of
    theirs can never be read again. Tickets about them, and devices and keys that only they acted with, go with them.
    That it was done, when, by whom and how many they were is an event of the ledger. It cannot be undone: backups of
    the vault made before bring nobody back.

    It may be repeated after anything went wrong. The logs and feeds themselves are not touched.
    """
    from beholden.cli._rooms import engine
    from beholden.core.names import Person
    from beholden.ledger.forgetting import forget_people

    estate.refuse_newer()
    people = _people(estate, [*subjects, *_lines(file)])
    with engine(estate) as running:
        done = forget_people(
            people, reason=reason, by=Person("actor", by or _user()), vault=estate.vault, ledger=estate.ledger,
            state=estate.state, engine=running, clock=estate.clock, held=partial(_held, estate),
        )  # fmt: skip
    row = ForgottenRow(
        len(set(people)), done.forgotten, done.unknown, len(set(people)) - done.forgotten - done.unknown, done.also,
        done.scrubbed, done.untold is None,
    )  # fmt: skip
    emit(output, "forgotten", [row], _FORGOTTEN, empty="", after=["logs and feeds that name them are not touched"])
    if not done.scrubbed:
        note(_UNSCRUBBED)
    for place, why in list(done.held.items())[:_TOLD_MAX]:
        note(f"person {place + 1:,} of the list is held {why}")
    if done.untold is not None:
        raise BeholdenError(
            "vault forget",
            f"they are forgotten, but the event is not on record yet: {done.untold.line()}",
            advice="then run: beholden ledger seal",
        )
    if done.held:
        raise BeholdenError("vault forget", f"{row.held:,} of them are held and were left alone")


def _held(estate: Estate, tokens: Sequence[bytes]) -> dict[bytes, str]:
    """Of these people those whom a legal hold names."""
    from beholden.ledger.format import Layout
    from beholden.ledger.holds import read_holds

    snapshot = estate.ledger.tables()
    wanted = set(tokens)
    return {
        token: f"by legal hold {hold.hold_id}"
        for hold in read_holds(Layout(estate.ledger_directory), snapshot.manifest, snapshot.recent).in_force
        if hold.on in ("subject", "actor") and (token := bytes.fromhex(hold.value)) in wanted
    }


def _lines(file: TextIO | None) -> Iterator[str]:
    """The entries of a list; empty lines and those that begin with # are none."""
    if file is None:
        return
    try:
        while line := file.readline(_LINE_CHARS_MAX):
            if (text := line.strip()) and not text.startswith("#"):
                yield text
    except UnicodeDecodeError:
        raise UsageError("--file", "is no text in UTF-8", expected="one kind:identifier a line") from None


def _people(estate: Estate, texts: list[str]) -> list[Person]:
    """Who is meant, with identifiers as ingest writes them; errors name the place in the list and not the person."""
    from beholden.cli._rooms import subject_fields
    from beholden.core.names import Person
    from beholden.state.subjects import effective_subjects

    if not texts:
        raise UsageError("vault forget", "nobody is named", expected="SUBJECT or --file")
    kinds = {subject.kind: subject for subject in effective_subjects(estate.state, estate.config)}
    fields = {}
    people = []
    for place, text in enumerate(texts, 1):
        try:
            person = Person.parse(text)
        except UsageError:
            raise UsageError(f"person {place:,} of the list", "not of this form", expected="kind:identifier") from None
        if person.kind not in fields and person.kind in kinds:
            fields[person.kind] = subject_fields(estate, kinds[person.kind])
        known = fields.get(person.kind)
        people.append(person if known is None else known.person(person.identifier))
    return people


def _user() -> str:
    """The account that runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # neither a variable nor an entry for this user: a container
        return f"uid {os.getuid()}"


@vault.command()
@click.argument("file", type=click.Path(path_type=Path))
@pass_estate
def backup(estate: Estate, *, file: Path) -> None:
    """Write a backup of the vault to FILE, which must not exist yet.

    It is encrypted under the master key and of no use without it: keep both, apart.
    """
    estate.refuse_newer()
    try:
        estate.tell_erasures()
    except BeholdenError as error:  # the backup holds them too
        note(f"erasures are done and not on record yet: {error.line()}")
    info = estate.vault.backup(file)
    note(f"{info.people:,} people backed up to {file}; the master key is not in it")
    if estate.vault.read_only:
        note("the vault can only be read: it does not know of this backup")


@vault.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Replace a vault that already holds people.")
@pass_estate
def restore(estate: Estate, *, file: Path, replace: bool) -> None:
    """Restore the vault from FILE. People forgotten since the backup stay forgotten.

    Who they are is known from the vault that is there and from the ledger: one of the two is enough. A ledger that is
    damaged has to be put right first, or moved away.
    """
    from beholden.vault import restore as restore_vault

    estate.refuse_newer()
    url = estate.config.url(estate.config.vault.url)
    erased, unknown = _erasures_on_record(estate)
    info = restore_vault(file, url, estate.master, replace=replace, forgotten_tokens=erased, clock=estate.clock)
    note(f"{info.people:,} people restored from the backup of {shown_time(info.made)}")
    note(f"{info.forgotten:,} stay forgotten, {info.forgotten_again:,} of them forgotten after the backup was made")
    note("who was first met after that time is shown as unknown in what is on record, and gets a new token")
    if unknown is not None and not info.current_read:
        note(f"neither a vault nor a ledger was there to read erasures from ({unknown}): repeat those made since")
    if not info.scrubbed:
        note(_UNSCRUBBED)


def _erasures_on_record(estate: Estate) -> tuple[set[bytes], str | None]:
    """The tokens that the ledger says are forgotten, or why it cannot say."""
    from beholden.core.errors import NotFoundError
    from beholden.ledger.forgetting import erased_tokens
    from beholden.vault import ErasureSeals

    try:
        return erased_tokens(estate.ledger_directory, estate.signer, ErasureSeals(estate.master)), None
    except NotFoundError as error:
        return set(), error.line()


_UNSCRUBBED = (
    "bytes of the forgotten may remain in the database's files until it cleans up (another reader, or PostgreSQL)"
)
_FORGOTTEN = [
    Column("asked", lambda row: row.asked, right=True),
    Column("forgotten", lambda row: row.forgotten, right=True),
    Column("unknown", lambda row: row.unknown, right=True),
    Column("held", lambda row: row.held, right=True),
    Column("with them", lambda row: row.also, right=True),
    Column("scrubbed", lambda row: "yes" if row.scrubbed else "no"),
    Column("on record", lambda row: "yes" if row.on_record else "no"),
]
_COLUMNS = [
    Column("people", lambda row: row.people, right=True),
    Column("forgotten", lambda row: row.forgotten, right=True),
    Column("created", lambda row: row.created[:19]),
    Column("last backup", lambda row: row.last_backup[:19] if row.last_backup else "never"),
]
