"""The estate a command works on: its config, and its rooms opened when first asked for and closed at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholden.cli._talk import note
from beholden.core.config import Config
from beholden.core.config_file import find_estate, load_config
from beholden.core.errors import BeholdenError, IntegrityError, NotFoundError, ReadOnlyError, SourceError
from beholden.core.object_url import is_object_url, parse_object_url
from beholden.core.times import Clock, system_clock
from beholden.core.unknown import Unknown

if TYPE_CHECKING:
    from beholden.ledger import Ed25519Signer, Ledger, VerifierKey
    from beholden.ledger.disk import Disk
    from beholden.ledger.storage import Bucket, Mirror
    from beholden.state import State
    from beholden.stores import Connector
    from beholden.vault import MasterKey, Vault

__all__ = ["Estate", "open_estate", "pass_estate", "unproven_key"]


class Estate:
    """An estate's rooms. Each is opened once, when a command first needs it.

    Args:
        directory: where its beholden.toml lies.
        clock: the present.
        named: whether the user named the directory, rather than standing in it.
    """

    def __init__(self, directory: Path, *, clock: Clock = system_clock, named: bool = False) -> None:
        self.directory = directory
        self.clock = clock
        self._named = named
        self.config: Config = load_config(directory)
        self._stack = ExitStack()

    @cached_property
    def state(self) -> State:
        """What is known and decided."""
        from beholden.state import open_state

        return self._stack.enter_context(open_state(self.config.url(self.config.state.url)))

    @cached_property
    def master(self) -> MasterKey:
        """The key above all others."""
        from beholden.vault import MasterKey

        key = MasterKey.load(self.config.vault.master_key, root=self.directory, environ=os.environ)
        if key.advice:
            note(f"advice: {key.advice}")
        return key

    @cached_property
    def vault(self) -> Vault:
        """People's tokens and keys."""
        from beholden.vault import open_vault

        return self._stack.enter_context(
            open_vault(self.config.url(self.config.vault.url), self.master, clock=self.clock)
        )

    @cached_property
    def estate_id(self) -> str:
        """The random id that the state and the ledger share."""
        from beholden.state.identity import estate_id

        return estate_id(self.state)

    @cached_property
    def ledger(self) -> Ledger:
        """The record of accesses, ready to be written to."""
        return self.open_ledger()

    @cached_property
    def ledger_mirror(self) -> Mirror | None:
        """The ledger's copy on this machine as it is in its bucket; None if it lies on this machine's disk."""
        if self.ledger_bucket is None:
            return None
        from beholden.ledger.files import reading
        from beholden.ledger.storage import open_mirror

        mirror = open_mirror(self.ledger_cache, self.ledger_bucket)
        with reading():
            mirror.refresh()
        return mirror

    @property
    def ledger_directory(self) -> Path:
        """Where the ledger's files lie on this machine's disk; of a bucket's ledger, the copy."""
        if self.ledger_mirror is not None:
            return self.ledger_mirror.layout.root
        return self.config.path(self.config.ledger.url.removeprefix("file://"))

    def ledger_to_verify(self) -> Path:
        """The ledger's files; of a bucket's ledger a copy made now, which is removed when the estate is closed."""
        if self.ledger_bucket is None:
            return self.ledger_directory
        from beholden.ledger.storage import fresh_copy

        return self._stack.enter_context(fresh_copy(self.ledger_bucket, self.ledger_cache))

    @property
    def ledger_disk(self) -> Disk:
        """How the ledger's files are changed where they lie."""
        from beholden.core.ids import system_entropy
        from beholden.ledger.disk import Disk

        if self.ledger_mirror is None:
            return Disk()
        from beholden.ledger.storage import ObjectDisk

        return ObjectDisk(self.ledger_mirror, entropy=system_entropy)

    @property
    def ledger_name(self) -> str:
        """The ledger's place as people name it."""
        return self.config.ledger.url if is_object_url(self.config.ledger.url) else str(self.ledger_directory)

    @cached_property
    def ledger_bucket(self) -> Bucket | None:
        """The bucket the ledger lies in; None if it lies on this machine's disk."""
        url = self.config.ledger.url
        if not is_object_url(url):
            return None
        from beholden.ledger.storage import Bucket, connect

        place = parse_object_url(url)
        return Bucket(place, connect(place))

    @property
    def ledger_cache(self) -> Path:
        """Where copies of a bucket's ledger are kept; may be deleted."""
        return self.directory / ".beholden" / "cache" / "ledger"

    @property
    def signer(self) -> Ed25519Signer:
        """Signs the ledger's checkpoints, with a key derived from the master key."""
        from beholden.ledger import Ed25519Signer

        with suppress(NotFoundError):  # a ledger can be read also where the vault is lost
            _ = self.vault  # refuses a key that is not its own, before the key is taken for a forger's
        return Ed25519Signer(self.config.ledger.origin, self.master.derive("checkpoint"))

    def verifier(self) -> tuple[VerifierKey, list[Unknown]]:
        """The key the ledger has to be signed with, and what is not known of it.

        Who has no master key takes the public one that lies in the ledger. Neither needs the vault.
        """
        from beholden.ledger import Ed25519Signer, PublicKey, stored_key, verifier_key
        from beholden.vault import WrongKeyError

        origin = self.config.ledger.origin
        try:
            master = self.master
        except (NotFoundError, SourceError) as error:
            key = PublicKey(origin, stored_key(self.ledger_directory).public_key)
            return key, [unproven_key(verifier_key(key), f"master key: {error.found}")]
        try:
            _ = self.vault
        except WrongKeyError:
            raise
        except (NotFoundError, SourceError, IntegrityError):
            pass
        return Ed25519Signer(origin, master.derive("checkpoint")), []

    def refuse_newer(self) -> None:
        """Stop where a newer program wrote the state or the ledger; parts that are lost or damaged may be."""
        from beholden.ledger.format import Layout
        from beholden.ledger.manifest import read_info

        looks: list[Callable[[], object]] = [lambda: self.state, lambda: read_info(Layout(self.ledger_directory))]
        for look in looks:
            with suppress(NotFoundError, SourceError, IntegrityError):
                look()

    @property
    def acknowledged(self) -> int:
        """How many events the accounts of ingest say are on record."""
        from beholden.state.ingests import ingest_rows

        return sum(row.events_new for row in ingest_rows(self.state))

    def refuse_lost_ledger(self) -> None:
        """Stop where there is no ledger, or an emptied one, though the state knows of its events."""
        from beholden.ledger.format import Layout
        from beholden.ledger.manifest import read_info

        _ = self.ledger_mirror  # what keeps a bucket from being read is said once, here
        try:
            read_info(Layout(self.ledger_directory))
        except NotFoundError:
            events = 0
            with suppress(NotFoundError, SourceError, IntegrityError):  # without a state nobody knows of any
                events = self.acknowledged
            if events:
                raise IntegrityError(
                    f"ledger {self.ledger_name}",
                    f"is gone, with {events:,} events that log ingest acknowledged",
                    advice="bring it back from a backup",
                ) from None
        except BeholdenError:  # opening or verifying it says what is wrong
            return

    def open_ledger(self, *, create: bool = False) -> Ledger:
        """Open the ledger, or make an empty one where there is none and never was one with events."""
        from beholden.ledger import Ledger

        self.refuse_lost_ledger()
        estate_id, origin, signer = self.estate_id, self.config.ledger.origin, self.signer
        if self.ledger_mirror is not None:
            from beholden.ledger.storage import open_bucket_ledger

            return open_bucket_ledger(
                self.ledger_mirror, estate_id=estate_id, origin=origin, signer=signer, clock=self.clock, create=create
            )
        return Ledger.open(
            self.ledger_directory, estate_id=estate_id, origin=origin, signer=signer, clock=self.clock, create=create
        )

    def tell_erasures(self) -> None:
        """Bring erasures on record whose event a stopped process could not write any more."""
        from beholden.ledger.forgetting import tell_erasures

        with suppress(NotFoundError):  # a lost vault knows of none
            if not self.vault.read_only and self.vault.untold():
                tell_erasures(self.vault, self.ledger, self.state, self.clock)

    def connector(self, name: str) -> Connector:
        """An open connector to the store of that name; opened anew if it was closed, else the same one."""
        from beholden.stores import open_store

        store = self.config.store_named(name)
        return self._stack.enter_context(open_store(store, root=self.directory, environ=os.environ))

    def command(self, arguments: str) -> str:
        """A command for the user to run next, as it has to be typed where they stand."""
        return f"beholden --estate {self.directory} {arguments}" if self._named else f"beholden {arguments}"

    def close(self) -> None:
        """Close what was opened."""
        self._stack.close()


def unproven_key(key: str, why: str) -> Unknown:
    """What a ledger cannot say of a key that was only found in it."""
    return Unknown(
        "key", "key.pub", f"not checked to be the estate's own ({why}); compare it with one you trust: {key}"
    )


def open_estate(context: click.Context) -> Estate:
    """The estate found from ``--estate`` or the working directory; closed with the context."""
    start = context.find_root().obj
    estate = Estate(find_estate(Path(start) if start else Path.cwd()), named=start is not None)
    context.call_on_close(estate.close)
    return estate


def pass_estate(command: Any) -> Any:
    """Give the command the estate found from ``--estate`` or the working directory, and close it afterwards."""

    @click.pass_context
    def wrapper(context: click.Context, /, *args: Any, **kwargs: Any) -> Any:
        estate = open_estate(context)
        try:
            return context.invoke(command, estate, *args, **kwargs)
        except ReadOnlyError as error:
            raise ReadOnlyError(f"estate {estate.directory}", f"is read-only: {error.where} {error.found}") from None

    from functools import update_wrapper

    return update_wrapper(wrapper, command)
