"""An estate some of whose people are forgotten, robbed before and after."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from beholden.core.names import Person
from beholden.core.times import parse_time
from beholden.ledger import Ed25519Signer
from beholden.ledger.format import Layout
from beholden.ledger.manifest import read_info
from beholden.ledger.snapshot import read_snapshot
from beholden.vault import MasterKey, Vault, open_vault
from tests.support.proofs import root_of, sealed_leaves
from tests.support.thief import (
    KEYLESS,
    Guesses,
    Line,
    Loot,
    Visit,
    by_address,
    by_assignment,
    by_device,
    by_session,
    by_time,
    by_uid,
    by_visits,
    forms,
    found_in,
    read_files,
    right,
    unpacked_wal,
)

__all__ = ["MUST_FIND_NOBODY", "REMAINING", "Robbed"]

_LABELS = ("actor", "on_behalf_of", "credential", "device", "app", "purpose", "assignment")

#: Attacks that must find nobody who is forgotten.
MUST_FIND_NOBODY: Mapping[str, Callable[[Loot], Guesses]] = {
    "tickets the vault still names, and the list of contacts": by_assignment,
    "devices and keys the vault still names": by_device,
    "addresses people act from": by_address,
    "sessions, under hashes without a key": by_session,
    "uids of raw records, under hashes without a key": by_uid,
    "addresses, under hashes without a key": partial(by_address, hashes=KEYLESS),
}
#: What erasing in the ledger does not reach while lists of contacts or raw lines are kept.
REMAINING: Mapping[str, Callable[[Loot], Guesses]] = {
    "raw lines: exact time": by_time,
    "list of contacts: time of service": by_visits,
}


@dataclass(slots=True)
class Robbed:
    """An estate in a directory.

    ``people`` are to be forgotten, written kind:identifier; ``texts`` is what would give each of them away in a file.
    ``truth`` has their tokens, ``secrets`` what the vault held of them, ``proofs`` those of every sealed event that
    named one of them: its number, the size and root of the tree then, and the path.
    """

    directory: Path
    people: Sequence[str]
    lines: Sequence[Line]
    visits: Sequence[Visit]
    texts: Mapping[str, Sequence[str]]
    talk: list[str] = field(default_factory=list)
    truth: dict[str, bytes] = field(default_factory=dict)
    secrets: dict[str, list[bytes]] = field(default_factory=dict)
    proofs: list[tuple[int, int, bytes, list[bytes]]] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """Where the product keeps its files."""
        return self.directory / ".beholden"

    @property
    def ledger(self) -> Path:
        """The ledger's directory."""
        return self.home / "ledger"

    @property
    def master(self) -> MasterKey:
        """The estate's master key."""
        return MasterKey.load("file:.beholden/master.key", root=self.directory, environ={})

    def vault(self) -> Vault:
        """The vault, opened."""
        return open_vault(f"sqlite:///{self.home / 'vault.db'}", self.master)

    def events(self) -> list[dict[str, Any]]:
        """Every event on record."""
        layout = Layout(self.ledger)
        info = read_info(layout)
        snapshot = read_snapshot(layout, info, Ed25519Signer(info.origin, self.master.derive("checkpoint")))
        tables = [*(pq.read_table(path) for path in snapshot.segments), snapshot.recent]
        rows = [row for table in tables for row in table.to_pylist()]
        for row in rows:
            row["micros"] = parse_time(row["time"].isoformat())
        return rows

    def look_around(self) -> None:
        """Learn what can be learnt while the people are known."""
        persons = [Person.parse(text) for text in self.people]
        with self.vault() as vault, vault._database.read() as connection:
            found = zip(self.people, vault.find(persons), strict=True)
            self.truth = {person: token for person, token in found if token is not None}
            whose = {token: person for person, token in self.truth.items()}
            keys = {token: text[:32] for token, text in vault._open_rows(set(whose)).items()}
            for lookup, token, sealed in connection.exec_driver_sql("select lookup, token, sealed from vault_people"):
                if token in whose:
                    self.secrets[whose[token]] = [sealed, sealed[:24], keys[token], lookup + token, token + lookup]
        leaves = sealed_leaves(self.ledger)
        size = len(leaves.hashes)
        tokens = set(self.truth.values())
        for event in self.events():
            if tokens & {event["actor"], *(event["subjects"] or ())}:
                self.proofs.append((event["seq"], size, leaves.root(0, size), leaves.proof(event["seq"], size)))

    def proofs_that_hold(self) -> int:
        """How many of the earlier proofs the records as they are now still lead to the root of then."""
        leaves = sealed_leaves(self.ledger).hashes
        return sum(root_of(leaves[seq], seq, size, proof) == root for seq, size, root, proof in self.proofs)

    def loot(self) -> Loot:
        """Ledger, raw lines, list of contacts, and the live vault for everybody but those the thief is after."""
        events = self.events()
        tokens = {event[name] for event in events for name in _LABELS}
        tokens |= {token for event in events for token in event["subjects"] or ()}
        with self.vault() as vault:
            names = {token: str(person) for token, person in vault.identities(tokens - {None}).items()}
        victims = set(self.people)
        known = {token: name for token, name in names.items() if name not in victims}
        return Loot(events, self.lines, self.visits, known)

    def guessed(self, attacks: Mapping[str, Callable[[Loot], Guesses]]) -> dict[str, int]:
        """How many people each attack finds."""
        loot = self.loot()
        return {name: right(attack(loot), self.truth) for name, attack in attacks.items()}

    def guessed_with_the_master_key(self) -> dict[str, int]:
        """How many the company itself finds, with raw lines and its own keyed hashes."""
        loot = self.loot()
        with self.vault() as vault:
            hashes = [lambda purpose, data: vault.keyed_hash(purpose, [data])[0]]
            return {
                "uids": right(by_uid(loot, hashes), self.truth),
                "sessions": right(by_session(loot, hashes), self.truth),
                "addresses": right(by_address(loot, hashes), self.truth),
            }

    def files(self) -> dict[str, bytes]:
        """Every byte the product wrote or said."""
        estate_id = read_info(Layout(self.ledger)).estate_id
        said = "\n".join(self.talk).encode()
        return read_files(self.home) | {"said": said, "waiting": unpacked_wal(self.ledger, estate_id)}

    def found_in_files(self, files: Mapping[str, bytes]) -> dict[str, set[str]]:
        """Of whom a row or key of the vault, or a text, is in which files."""
        patterns = {
            person: [*self.secrets.get(person, ()), *forms(person)]
            + [form for text in self.texts[person] for form in forms(text, short=len(text) < 8)]
            for person in self.people
        }
        return found_in(files, patterns)

    def readable(self) -> set[str]:
        """Of whom the company can still read a text with its vault and master key."""
        events = self.events()
        events = [
            event for event in events if not event["source"].startswith("beholden:")
        ]  # nothing is encrypted there
        pairs = [(blob, event["subjects"]) for event in events for blob in (event["literals"], event["detail"]) if blob]
        with self.vault() as vault:
            texts = vault.decrypt([blob for blob, _ in pairs], [subjects for _, subjects in pairs])
        plain = {"texts": b"\n".join(text for text in texts if text is not None)}
        patterns = {person: [text.encode() for text in texts if len(text) >= 8] for person, texts in self.texts.items()}
        return set(found_in(plain, patterns))
