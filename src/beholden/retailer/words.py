"""The words a company uses: names of its databases, tables and fields, of its console's log, of its roles, its ids.

Everything is thought up in the words of the ``retailer``; other presets say the same things in words of their own, as a
subsidiary that was bought (``grocer``) or another trade (``bank``) would. `Words.name` renames one identifier,
`Words.said` a whole statement, `Words.told` any other text; ids are those of `IdForm`. Nothing outside this module
knows a preset by name.

What is renamed is remembered, pieces of statements between their literals among it: there are few of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beholden.core.errors import UsageError
from beholden.retailer.chance import Ints
from beholden.retailer.render import hexadecimal_of, lines, numbers

__all__ = ["WORDS", "ConsoleWords", "IdForm", "Words", "words_of"]

T = TypeVar("T")

#: Texts, and pieces of statements, whose renaming is remembered.
_REMEMBERED_MAX: Final = 50_000
#: A statement's literals; between them stand names and, in comments, prose.
_LITERALS: Final = re.compile(r"('(?:[^']|'')*'|\b\d+\b)")
_IDENTIFIER: Final = re.compile(r"\b[a-z_][a-z0-9_]*\b")
#: Columns that hold a customer's number, whatever a copy calls them: the literals that they are compared with are ids.
_COMPARED: Final = re.compile(
    r"\b(?:customer_id|customer_ref|cust|buyer|caller)\s*(?:=|<>|\bin\b\s*\()\s*$", re.IGNORECASE
)
_QUOTE: Final = "'"
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
            whole = pc.utf8_upper(hexadecimal_of(spread.astype(np.uint64)))
            short, long = (pc.utf8_slice_codeunits(whole, 16 - width, 16) for width in (self.digits, self.digits + 2))
            return lines(self.prefix, pc.if_else(pa.array(number < 1 << bits), short, long))
        return lines(self.prefix, pc.utf8_lpad(numbers(number), self.digits, "0"))

    def json(self, number: Ints) -> pa.Array:
        """Ids as JSON has them: texts in quotation marks."""
        texts = self.texts(number)
        return lines('"', texts, '"') if self.digits else texts

    def text(self, number: int) -> str:
        """The id of one customer."""
        if not self.digits:
            return str(number)
        if not self.hexadecimal:
            return f"{self.prefix}{number:0{self.digits}d}"
        mask = (1 << 4 * self.digits) - 1
        width = self.digits if number <= mask else self.digits + 2
        return f"{self.prefix}{number & ~mask | number * _SPREAD & mask:0{width}X}"

    def number(self, text: str) -> int:
        """The number of the customer whose id that is."""
        rest = text.removeprefix(self.prefix)
        if not self.hexadecimal:
            return int(rest)
        spread, size = int(rest, 16), 1 << 4 * self.digits
        return spread & ~(size - 1) | spread * pow(_SPREAD, -1, size) & (size - 1)

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

    @property
    def is_first(self) -> bool:
        """Whether these are the words that everything is thought up in: nothing is renamed."""
        return not self.parts

    def store(self, name: str) -> str:
        """What a store is called."""
        return self._stores.get(name, name)

    def role(self, name: str) -> str:
        """What the personnel department calls a role."""
        return self._roles.get(name, name)

    def name(self, identifier: str) -> str:
        """What a table or a column is called."""
        if identifier in _KEYWORDS:
            return identifier
        return self.told(identifier)

    def told(self, text: str) -> str:
        """Any text that is no statement in these words: a path, a line of a log, prose. Capitals stay."""
        if self.is_first:
            return text
        found = self._told.get(text)
        if found is None:
            found = _remember(self._told, text, self._word.sub(self._renamed, text))
        return found

    def placed(self, path: str) -> str:
        """A path that begins with a store (``crm/customer``) or with something else that holds things."""
        store, slash, rest = path.partition("/")
        return f"{self._stores.get(store) or self.told(store)}{slash}{self.told(rest)}"

    def subject(self, subject: str) -> str:
        """A data subject (``customer:17``) or a dataset, as stores and configuration have it."""
        kind, colon, number = subject.partition(":")
        if not colon or "/" in kind:
            return self.placed(subject)
        return f"{self.name(kind)}:{self.customer.text(int(number)) if kind == 'customer' else number}"

    def said(self, sql: str) -> str:
        """A statement (or a part of one) in these words: its names, and customers' ids where they are compared."""
        if self.is_first:
            return sql
        pieces = _LITERALS.split(sql)
        known, last = self._pieces, len(pieces) - 1
        compared = False
        for at in range(0, last + 1, 2):
            pieces[at], begins, goes_on = known.get(pieces[at]) or self._piece(pieces[at])
            compared = begins or (compared and goes_on)
            if at == last:
                break
            if compared:
                pieces[at + 1] = self._id(pieces[at + 1])
            elif "/" in pieces[at + 1]:  # a path
                pieces[at + 1] = self.told(pieces[at + 1])
        return "".join(pieces)

    def names(self, identifiers: tuple[str, ...]) -> tuple[str, ...]:
        """What several tables or columns are called."""
        return identifiers if self.is_first else tuple(map(self.told, identifiers))

    def _piece(self, piece: str) -> tuple[str, bool, bool]:
        """What stands before a literal, whether that is a customer's id, and whether it is if the one before was."""
        renamed = _IDENTIFIER.sub(lambda found: self.name(found[0]), piece)
        found = renamed, _COMPARED.search(piece) is not None, piece.strip() == ","
        return _remember(self._pieces, piece, found)

    def _id(self, literal: str) -> str:
        return f"'{self.customer.text(int(literal.strip(_QUOTE)))}'" if self.customer.digits else literal

    def _renamed(self, found: re.Match[str]) -> str:
        word = found[0]
        other = self._whole.get(word) or self._parts.get(word.lower())
        if other is None:
            return word
        if word.islower():
            return other
        return other.upper() if word.isupper() and len(word) > 1 else other.capitalize()

    @cached_property
    def _word(self) -> re.Pattern[str]:
        """Names that are renamed as wholes, else a word, also of a name that is written together (``getOrders``)."""
        wholes = "|".join(self._whole)
        # Behind a letter with an accent (a name's) no word begins.
        return re.compile(rf"(?<![\u00c0-\u024f])(?:\b(?:{wholes})\b|[A-Z]?[a-z]+|[A-Z]+(?![a-z]))")

    @cached_property
    def _told(self) -> dict[str, str]:
        return {}

    @cached_property
    def _pieces(self) -> dict[str, tuple[str, bool, bool]]:
        return {}

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


def _remember(known: dict[str, T], text: str, value: T) -> T:
    if len(known) >= _REMEMBERED_MAX:
        known.clear()
    known[text] = value
    return value


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
        ("cards", "paycards"), ("shipment", "dropoff"), ("shipments", "dropoffs"), ("created", "joined"), ("line", "item"),
        ("meridian", "greenbasket"), ("warehouse", "lake"), ("sellers", "suppliers"), ("payments", "paybox"),
        ("merchant", "vendor"), ("shop", "market"), ("buyer", "patron"), ("buyers", "patrons"),
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
        ("sales", "volume"), ("household", "family"), ("quantity", "units"), ("meridian", "corvane"), ("warehouse", "dwh"),
        ("sellers", "branches"), ("payments", "settlements"), ("shipments", "mailings"), ("shop", "portal"),
        ("merchant", "office"), ("buyer", "payer"), ("buyers", "payers"), ("basket", "portfolio"), ("grocery", "mortgage"),
        ("checkout", "signing"), ("giftcard", "voucher"), ("assortment", "instruments"), ("wholesale", "corporate"),
        ("freight", "treasury"), ("ordered", "booked"),
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
