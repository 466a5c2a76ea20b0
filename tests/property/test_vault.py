"""Whatever is done in whatever order: one token a person, and what is forgotten stays forgotten."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from beholden.core.ids import seeded_entropy
from beholden.core.names import Person
from beholden.vault import ErasureSeals, MasterKey, Vault, open_vault, restore

PERSONS = st.builds(Person, st.sampled_from(["customer", "staff"]), st.sampled_from(["1", "é"]))
MASTER = MasterKey(bytes(32))


class VaultMachine(RuleBasedStateMachine):
    """The vault against a dictionary."""

    backups = Bundle("backups")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.url = f"sqlite:///{self.directory.name}/vault.db"
        self.known: dict[Person, bytes] = {}
        self.forgotten: set[bytes] = set()
        self.texts: list[tuple[tuple[bytes, ...], bytes, bytes]] = []
        self.record: list[tuple[bytes, bytes]] = []  # what the ledger was told
        self.erasures: set[tuple[bytes, Person]] = set()

    @initialize(seed=st.integers(0, 1000))
    def make(self, seed):
        self.entropy = seeded_entropy(seed)
        self.vault = self.opened(create=True)
        self.other = self.opened()

    def opened(self, *, create: bool = False) -> Vault:
        return open_vault(self.url, MASTER, create=create, entropy=self.entropy)

    def teardown(self):
        self.vault.close()
        self.other.close()
        self.directory.cleanup()

    @rule(people=st.lists(PERSONS, min_size=1, max_size=4), mine=st.booleans())
    def tokens(self, people: list[Person], mine: bool) -> None:  # noqa: FBT001 - Hypothesis fills it
        for person, token in zip(people, (self.vault if mine else self.other).tokens(people), strict=True):
            assert self.known.setdefault(person, token) == token
            assert token not in self.forgotten

    @rule(people=st.lists(PERSONS, min_size=1, max_size=3))
    def forget(self, people: list[Person]) -> None:
        gone = {(self.known.pop(person), person) for person in people if person in self.known}
        expected = {token for token, _ in gone}
        self.erasures |= gone
        done = self.vault.forget(people, reason="test")
        assert done.scrubbed
        assert set(done.tokens) == expected
        self.forgotten |= expected
        erasures = self.other.untold()
        assert {token for erasure in erasures for token in erasure.tokens} == expected
        self.record += [(one.uid[:10], one.detail) for each in erasures for one in self.other.erasure_records(each)]
        self.vault.told(erasures)

    @rule(person=PERSONS)
    def forget_and_return(self, person):
        self.tokens([person], True)
        self.forget([person])
        self.tokens([person], False)

    @rule(people=st.lists(PERSONS, max_size=3), text=st.binary(max_size=20))
    def encrypt(self, people, text):
        owners = tuple(self.known[person] for person in people if person in self.known)
        (blob,) = self.other.encrypt_many([(owners, text)])
        self.texts.append((owners, text, blob))

    @rule()
    def reopen(self):
        self.vault.close()
        self.vault = self.opened()

    @rule(target=backups)
    def backup(self):
        path = Path(self.directory.name) / f"backup{len(list(Path(self.directory.name).iterdir()))}"
        info = self.vault.backup(path)
        assert (info.people, info.forgotten) == (len(self.known), len(self.forgotten))
        return path, dict(self.known), set(self.erasures)

    @rule(backup=backups)
    def restore(self, backup):
        path, known, erasures = backup
        gone = {person for _, person in self.erasures - erasures}
        self.known = {
            person: token for person, token in known.items() if token not in self.forgotten and person not in gone
        }
        done = restore(path, self.url, MASTER, replace=True, entropy=self.entropy)
        assert done.scrubbed
        assert (done.people, done.forgotten) == (len(self.known), len(self.forgotten))
        assert done.forgotten_again == len(known) - len(self.known)

    @rule(backup=backups)
    def restore_where_the_vault_is_lost(self, backup):
        """The backup and the ledger are all that is left."""
        path, known, _ = backup
        url = f"sqlite:///{self.directory.name}/elsewhere{len(list(Path(self.directory.name).iterdir()))}.db"
        told = ErasureSeals(MASTER).read(self.record)
        assert told == self.forgotten
        restore(path, url, MASTER, forgotten_tokens=told, entropy=self.entropy)
        with open_vault(url, MASTER) as vault:
            expected = {person: token for person, token in known.items() if token not in self.forgotten}
            assert dict(zip(known, vault.find(list(known)), strict=True)) == {
                person: expected.get(person) for person in known
            }
            assert set(vault.forgotten(self.forgotten)) == self.forgotten

    @invariant()
    def agrees(self):
        if not hasattr(self, "vault"):
            return
        everyone = [Person(kind, name) for kind in ("customer", "staff") for name in ("1", "é")]
        expected = [self.known.get(person) for person in everyone]
        assert self.vault.find(everyone) == self.other.find(everyone) == expected
        tokens = {*self.known.values(), *self.forgotten}
        assert self.other.identities(tokens) == {token: person for person, token in self.known.items()}
        assert set(self.vault.forgotten(tokens)) == self.forgotten
        readable = [set(owners) <= set(self.known.values()) for owners, _, _ in self.texts]
        answers = self.vault.decrypt([blob for _, _, blob in self.texts], [owners for owners, _, _ in self.texts])
        assert answers == [text if ok else None for ok, (_, text, _) in zip(readable, self.texts, strict=True)]


TestVault = VaultMachine.TestCase
TestVault.settings = settings(
    max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
