"""The words a company uses: names of its databases, tables and fields, of its console's log, of its roles, its ids.

Everything is thought up in the words of the ``retailer``; other presets say the same things in words of their own, as a
subsidiary that was bought (``grocer``) or another trade (``bank``) would. `Words.name` renames one identifier,
`Words.said` a whole statement; ids are those of `IdForm`. Nothing outside this module knows a preset by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import UsageError
from beholden.retailer.chance import Ints
from beholden.retailer.render import hexadecimal_of, lines, numbers

__all__ = ["WORDS", "ConsoleWords", "IdForm", "Words", "words_of"]

#: Literals stay as they are; comments are prose and follow the words of the house.
_LITERAL: Final = re.compile(r"('(?:[^']|'')*')")
_WORD: Final = re.compile(r"\b[a-z_][a-z0-9_]*\b")
#: Columns that hold a customer's number, whatever a copy calls them: their literals are ids.
_CUSTOMER_COLUMNS: Final = "customer_id|customer_ref|cust|buyer|caller"
_IDS: Final = re.compile(
    rf"\b(?P<column>{_CUSTOMER_COLUMNS})(?P<held>\s*(?:=|<>|\bin\b\s*\()\s*)(?P<ids>'?\d+'?(?:\s*,\s*'?\d+'?)*)"
    r"|'(?:[^']|'')*'",  # other literals are passed over as wholes
    re.IGNORECASE,
)
_NUMBER: Final = re.compile(r"'?(\d+)'?")
#: SQL's own words that are also parts of names: alone they are not names.
_KEYWORDS: Final = frozenset({"order", "group", "table", "column"})


@dataclass(frozen=True, slots=True)
class IdForm:
    """How customers are numbered: plain numbers, or a text of ``prefix`` and so many digits in no order."""

    prefix: str = ""
    digits: int = 0  # 0 for plain numbers
    hexadecimal: bool = False

    @property
    def sql_type(self) -> str:
        """The type of a column that holds such ids."""
        return "text" if self.digits else "integer"

    def texts(self, number: Ints) -> pa.Array:
        """Ids of customers given by their numbers (from 1), as texts."""
        if not self.digits:
            return numbers(number)
        if self.hexadecimal:
            bits = 4 * self.digits
            spread = (number & ~((1 << bits) - 1)) | (number * _SPREAD & ((1 << bits) - 1))
            width = self.digits if not len(number) or int(number.max()) < 1 << bits else self.digits + 2
            digits = pc.utf8_slice_codeunits(hexadecimal_of(spread.astype(np.uint64)), 16 - width, 16)
            return lines(self.prefix, pc.utf8_upper(digits))
        return lines(self.prefix, pc.utf8_lpad(numbers(number), self.digits, "0"))

    def values(self, number: Ints) -> list[int] | list[str]:
        """Ids as a database holds them."""
        found: list[int] | list[str] = self.texts(number).to_pylist() if self.digits else number.tolist()
        return found


#: Odd, so that different numbers keep different codes.
_SPREAD: Final = 0x9E3779B1


@dataclass(frozen=True, slots=True)
class ConsoleWords:
    """The console's own log: its line, with what changes in ``<...>``, and where a reader finds what.

    Placeholders: time, uid, operation, login, team, ip, customer, screen, ticket (with its quotes, or null), session,
    host, result. ``fields`` are JSON paths of the event columns of a mapping.
    """

    line: str
    fields: tuple[tuple[str, str], ...]
    operations: tuple[str, str, str] = ("view", "edit", "export")
    screens: tuple[str, str, str, str] = ("profile", "orders", "address", "payment")
    results: tuple[str, str, str] = ("ok", "denied", "error")
    epoch: bool = False  # times in milliseconds since 1970 instead of ISO 8601


@dataclass(frozen=True)
class Words:
    """The vocabulary of a preset, given as what differs from the retailer's."""

    preset: str
    company: str
    trade: str
    console: ConsoleWords
    customer: IdForm = IdForm()
    ticket: str = "CT"  # before the number of a contact
    stores: tuple[tuple[str, str], ...] = ()
    whole: tuple[tuple[str, str], ...] = ()  # identifiers, each as a whole
    parts: tuple[tuple[str, str], ...] = ()  # words within identifiers
    roles: tuple[tuple[str, str], ...] = ()  # as the personnel department calls them

    def store(self, name: str) -> str:
        """What a store is called."""
        return self._stores.get(name, name)

    def role(self, name: str) -> str:
        """What the personnel department calls a role."""
        return self._roles.get(name, name)

    def name(self, identifier: str) -> str:
        """What a table or a column is called."""
        if identifier in self._whole:
            return self._whole[identifier]
        parts = identifier.split("_")
        if len(parts) == 1 and identifier in _KEYWORDS:
            return identifier
        return "_".join(self._parts.get(part, part) for part in parts)

    def said(self, sql: str) -> str:
        """A statement (or a part of one) in these words: its names, and customers' ids where they are compared."""
        if not (self.whole or self.parts or self.customer.digits):
            return sql
        if self.customer.digits:
            sql = _IDS.sub(self._ids, sql)
        pieces = _LITERAL.split(sql)
        pieces[::2] = [_WORD.sub(lambda found: self.name(found[0]), piece) for piece in pieces[::2]]
        return "".join(pieces)

    def _ids(self, found: re.Match[str]) -> str:
        if found["column"] is None:
            return found[0]
        number = np.array([int(one) for one in _NUMBER.findall(found["ids"])], dtype=np.int64)
        ids = ", ".join(f"'{text}'" for text in self.customer.texts(number).to_pylist())
        return f"{found['column']}{found['held']}{ids}"

    @cached_property
    def _stores(self) -> dict[str, str]:
        return dict(self.stores)

    @cached_property
    def _whole(self) -> dict[str, str]:
        return dict(self.whole)

    @cached_property
    def _parts(self) -> dict[str, str]:
        return dict(self.parts)

    @cached_property
    def _roles(self) -> dict[str, str]:
        return dict(self.roles)


_RETAILER: Final = Words(
    preset="retailer",
    company="meridian",
    trade="retailer",
    console=ConsoleWords(
        line=(
            '{"ts":"<time>Z","id":"<uid>","op":"<operation>","user":{"login":"<login>","team":"<team>"},"src":"<ip>",'
            '"cust_id":<customer>,"screen":"<screen>","ticket":<ticket>,"session":"<session>","host":"cs-app-<host>",'
            '"result":"<result>"}\n'
        ),
        fields=(
            ("time", "$.ts"), ("uid", "$.id"), ("actor", "$.user.login"), ("operation", "$.op"), ("screen", "$.screen"),
            ("subject", "$.cust_id"), ("session", "$.session"), ("ip", "$.src"), ("assignment", "$.ticket"),
            ("result", "$.result"),
        ),
    ),
)  # fmt: skip
#: Bought some years ago: its own programs, its own numbers.
_GROCER: Final = Words(
    preset="grocer",
    company="greenbasket",
    trade="grocer",
    customer=IdForm("G-", 6, hexadecimal=True),
    ticket="HELP-",
    stores=(("crm", "members"), ("orders", "baskets"), ("payments", "paybox"), ("sellers", "suppliers"), ("warehouse", "lake")),
    whole=(("pan", "card_number"), ("holder_name", "name_on_card"), ("postal_code", "postcode"), ("date_of_birth", "born_on")),
    parts=(
        ("customer", "member"), ("customers", "members"), ("crm", "members"), ("order", "basket"), ("orders", "baskets"),
        ("ordered", "checked_out"), ("seller", "supplier"), ("notes", "remarks"), ("note", "remark"), ("card", "paycard"),
        ("shipment", "dropoff"), ("created", "joined"), ("line", "item"),
    ),
    roles=(("agent", "Helpdesk"), ("supervisor", "Helpdesk lead"), ("seller_support", "Supplier desk"), ("it", "Systems"),
           ("analyst", "Insight"), ("engineer", "Developer"), ("fraud", "Loss prevention"), ("finance", "Accounts"),
           ("marketing", "Offers"), ("privacy", "Data protection")),
    console=ConsoleWords(
        line=(
            '{"at":<time>,"event":{"no":"<uid>","verb":"<operation>","pane":"<screen>","outcome":"<result>"},"staff":"<login>",'
            '"desk":"<team>","from":"<ip>","member":"<customer>","help":<ticket>,"sid":"<session>","box":"helpdesk<host>"}\n'
        ),
        fields=(
            ("time", "$.at"), ("uid", "$.event.no"), ("actor", "$.staff"), ("operation", "$.event.verb"),
            ("screen", "$.event.pane"), ("subject", "$.member"), ("session", "$.sid"), ("ip", "$.from"),
            ("assignment", "$.help"), ("result", "$.event.outcome"),
        ),
        operations=("open", "change", "save_as"),
        screens=("person", "baskets", "doorstep", "paycard"),
        results=("done", "refused", "failed"),
        epoch=True,
    ),
)  # fmt: skip
#: Another trade: clients and their transfers instead of customers and their orders.
_BANK: Final = Words(
    preset="bank",
    company="corvane",
    trade="bank",
    customer=IdForm("K", 9),
    ticket="SR",
    stores=(("crm", "clients"), ("orders", "transfers"), ("payments", "cardvault"), ("sellers", "branches"), ("warehouse", "dwh")),
    whole=(("pan", "card_no"), ("holder_name", "embossed_name"), ("expiry", "valid_thru"), ("sku", "product_code"),
           ("tracking_number", "letter_number"), ("ordered_at", "booked_at")),
    parts=(
        ("customer", "client"), ("customers", "clients"), ("crm", "clients"), ("order", "transfer"), ("orders", "transfers"),
        ("seller", "branch"), ("notes", "memos"), ("note", "memo"), ("shipment", "mailing"), ("parcel", "letter"),
        ("parcels", "letters"), ("contact", "enquiry"), ("contacts", "enquiries"), ("payment", "settlement"),
        ("sales", "volume"), ("household", "family"), ("quantity", "units"),
    ),
    roles=(("agent", "Client adviser"), ("supervisor", "Team manager"), ("seller_support", "Branch support"),
           ("fraud", "Financial crime"), ("analyst", "Data officer"), ("engineer", "Software engineer"),
           ("marketing", "Client communication"), ("privacy", "Data protection officer"), ("finance", "Treasury"),
           ("it", "IT operations")),
    console=ConsoleWords(
        line=(
            '{"header":{"timestamp":"<time>Z","messageId":"<uid>","node":"adv-<host>"},"principal":{"userId":"<login>",'
            '"orgUnit":"<team>","ip":"<ip>","sessionId":"<session>"},"access":{"function":"<operation>","view":"<screen>",'
            '"clientNo":"<customer>","serviceRequest":<ticket>,"status":"<result>"}}\n'
        ),
        fields=(
            ("time", "$.header.timestamp"), ("uid", "$.header.messageId"), ("actor", "$.principal.userId"),
            ("operation", "$.access.function"), ("screen", "$.access.view"), ("subject", "$.access.clientNo"),
            ("session", "$.principal.sessionId"), ("ip", "$.principal.ip"), ("assignment", "$.access.serviceRequest"),
            ("result", "$.access.status"),
        ),
        operations=("DISPLAY", "AMEND", "EXTRACT"),
        screens=("MASTER", "TRANSFERS", "RESIDENCE", "CARDS"),
        results=("COMPLETED", "REJECTED", "ABORTED"),
    ),
)  # fmt: skip
WORDS: Final = {one.preset: one for one in (_RETAILER, _GROCER, _BANK)}


@lru_cache(maxsize=8)
def words_of(preset: str) -> Words:
    """The vocabulary of a preset; raises `UsageError` where there is none."""
    if preset not in WORDS:
        raise UsageError("preset", f"'{preset[:40]}' is unknown", expected="one of: " + ", ".join(WORDS))
    return WORDS[preset]
