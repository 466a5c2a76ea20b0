"""``beholden.toml`` and ``mappings/``: how the company would describe itself to whoever looks after its data.

Public forms only (docs/reference/configuration.md, mapping.md): stores with their zones and owners, logs, feeds, kinds of
data subject. What nobody in the company has written down is not in it either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from beholden.retailer.stores.layout import STORES, Layout, schema_of
from beholden.retailer.toml_mappings import written_mappings
from beholden.retailer.world import World

__all__ = ["write_configuration"]

#: Zone and owner of each store.
_ZONES: Final = {
    "crm": ("support", "customer-service"),
    "orders": ("support", "order-platform"),
    "payments": ("cardholder", "payments"),
    "sellers": ("support", "seller-services"),
    "warehouse": ("analytics", "data-platform"),
}
#: File, kind, and columns: key, actor, subject, opened, closed.
_FEEDS: Final = (
    ("tickets", "contacts.parquet", "contact", "ticket_id", "agent_id", "customer:customer_id", "opened_at", "closed_at"),
    ("fraud-cases", "cases.parquet", "case", "case_id", "investigator", "customer:customer_id", "opened_at", "closed_at"),
    ("reviews", "reviews.parquet", "assignment", "review_id", "reviewer", "customer:customer_id", "opened_at", "closed_at"),
    ("requests", "requests.parquet", "case", "request_id", "handler", "customer:customer_id", "opened_at", "closed_at"),
    ("assignments", "assignments.parquet", "assignment", "assignment_id", "assignee", "customer:customer_id", "opened_at", "closed_at"),
    ("seller-cases", "seller_cases.parquet", "case", "case_id", "handler", "seller:seller_code", "opened_at", "closed_at"),
    ("staff", "staff.csv", "staff", "employee_id", "login", "", "hired", "left"),
    ("staff-moves", "staff_moves.csv", "other", "", "employee_id", "", "effective", ""),
    ("team-members", "team_members.csv", "membership", "", "employee_id", "", "since", "until"),
    ("groups", "groups.csv", "membership", "", "member", "", "since", "until"),
    ("roles", "roles.csv", "membership", "", "member", "", "since", "until"),
    ("grants", "grants.parquet", "grant", "", "principal", "", "granted", "expires"),
    ("devices-mdm", "devices_mdm.csv", "device", "device_id", "user", "", "enrolled", ""),
    ("devices-assets", "devices_assets.csv", "device", "asset_tag", "assigned_to", "", "purchased", ""),
    ("devices-network", "devices_network.jsonl", "device", "mac", "", "", "first_seen", ""),
    ("sellers", "sellers.csv", "seller", "seller_number", "", "seller:legacy_code", "since", ""),
    ("seller-states", "seller_states.csv", "seller", "", "", "seller:seller", "from", "until"),
    ("developers", "developers.csv", "third_party", "developer_id", "", "", "since", ""),
    ("apps", "apps.csv", "third_party", "app_id", "developer_id", "", "registered", ""),
    ("consents", "consents.csv", "grant", "", "app_id", "seller:seller", "given_at", "withdrawn_at"),
    ("api-keys", "keys.parquet", "grant", "key_id", "app_id", "seller:seller_code", "issued_at", "revoked_at"),
    ("partner-audits", "partner_audits.csv", "other", "", "developer_id", "", "audited_on", "remedied_on"),
    ("deletion-attestations", "deletion_attestations.csv", "other", "", "app_id", "seller:seller", "ended_on", ""),
    ("copies", "copies_register.csv", "other", "object", "made_by", "", "made", ""),
)  # fmt: skip
_FEED_KEYS: Final = ("key", "actor", "subject", "opened", "closed")


def write_configuration(
    world: World, directory: Path, *, postgres: str | None = None, mariadb: str | None = None
) -> None:
    """Write ``beholden.toml`` and the mapping files into the company's directory.

    Args:
        world: the company.
        directory: the company's directory.
        postgres: the server that `beholden.retailer.stores.write_stores` was given; its password is not written down.
        mariadb: likewise.

    Raises:
        OSError: a file cannot be written.
    """
    layout = Layout(world.parameters)
    text = "\n".join(_estate(layout, postgres, mariadb))
    (directory / "beholden.toml").write_text(text, encoding="utf-8", newline="\n")
    (directory / "mappings").mkdir(exist_ok=True)
    words = layout.words
    schema = schema_of(postgres)
    tables = {name: f"{schema}.{words.name(name)}" for name in ("customer", "orders", "card", "account")}
    if mariadb is not None:
        tables["orders"] = f"{words.store('orders')}.{words.name('orders')}"
    for name, mapping in written_mappings(words, tables).items():
        (directory / "mappings" / f"{name}.toml").write_text(mapping, encoding="utf-8", newline="\n")


def _estate(layout: Layout, postgres: str | None, mariadb: str | None) -> Iterator[str]:
    words = layout.words
    yield f"# {words.company.capitalize()}, a simulated {words.trade}. Nothing here is anybody's."
    yield _table("estate", name=words.company)
    yield _table("ledger", origin=f"{words.company}.example/ledger")
    yield _table(
        "[ledger.retention]",
        events="*",
        keep_days=2555,
        purpose=words.told("accountability for access to customer data"),
    )
    yield _table("watch", false_cases_per_day=2.0)
    yield from _subjects(layout, schema_of(postgres), mariadb)
    yield _table("[zone]", name="cardholder", only_here=["payment_card"])
    for name in ("support", "analytics", "company"):
        yield _table("[zone]", name=name)
    yield from _stores(layout, postgres, mariadb)
    yield from _logs(layout)
    for name, file, kind, *columns in _FEEDS:
        named = {key: words.told(column) for key, column in zip(_FEED_KEYS, columns, strict=True) if column}
        yield _table("[feed]", name=words.told(name), source=f"feeds/{words.told(file)}", kind=kind, **named)


def _subjects(layout: Layout, schema: str, mariadb: str | None) -> Iterator[str]:
    """Where customers and sellers stand under their ids, as far as the catalogue of data knows."""
    words = layout.words

    def fields(store: str, table: str, *columns: str) -> list[str]:
        return [f"{words.store(store)}/{schema}.{words.name(table)}#{words.name(column)}" for column in columns]

    def elsewhere(meaning: str, home: str) -> list[str]:
        return [
            f"{placed.table.database}/{schema}.{placed.name}#{words.name(column)}"
            for placed in layout.tables
            if (column := placed.canonical.has(meaning)) is not None
            and placed.canonical.documented
            and placed.canonical.layer in {"source", "core", "mart"}
            and placed.canonical.path != home
            and not (mariadb is not None and placed.canonical.database == "orders")
        ]

    yield _table(
        "[subject]",
        kind=words.name("customer"),
        key=fields("crm", "customer", "customer_id")[0],
        names=fields("crm", "customer", "first_name", "last_name"),
        emails=fields("crm", "customer", "email"),
        aliases=elsewhere("customer.id", "crm.customer"),
    )
    yield _table(
        "[subject]",
        kind=words.name("seller"),
        key=fields("sellers", "account", "seller_id")[0],
        names=fields("sellers", "account", "owner_name"),
        emails=fields("sellers", "account", "contact_email"),
        aliases=[*fields("sellers", "account", "legacy_code"), *elsewhere("seller.id", "sellers.account")],
    )


def _stores(layout: Layout, postgres: str | None, mariadb: str | None) -> Iterator[str]:
    words = layout.words
    for store in STORES:
        zone, owner = _ZONES[store][0], words.told(_ZONES[store][1])
        name = words.store(store)
        if store == "orders" and mariadb is not None:
            yield f"# The order system is the MariaDB database {name}; there is no connector to such servers yet.\n"
            continue
        url = f"sqlite:///stores/{name}.db" if postgres is None else _database_url(postgres, name)
        yield _table("[store]", name=name, url=url, zone=zone, owner=owner)
    yield _table("[store]", name="exports", url="file:exports", zone="analytics")
    yield "# The wiki and the repositories: their log names files of both by the path from here.\n"
    yield _table("[store]", name="documents", url="file:[rw]*/**", zone="company", owner="it")


#: Settings of a connection that are nobody else's business.
_SECRET: Final = frozenset({"password", "sslpassword", "passfile"})


def _database_url(server: str, name: str) -> str:
    """The server's URL with the database's name and without a password."""
    parts = urlsplit(server)
    user, _, host = parts.netloc.rpartition("@")
    login = user.partition(":")[0]
    said = [(key, value) for key, value in parse_qsl(parts.query) if key not in _SECRET]
    netloc = f"{login}@{host}" if login else host
    return urlunsplit(parts._replace(netloc=netloc, path=f"/{name}", query=urlencode(said)))


def _logs(layout: Layout) -> Iterator[str]:
    words = layout.words
    yield "# Lines that came late stand in files of their own, which these patterns include.\n"
    yield _mapped("console", "console-*.jsonl*")
    yield _mapped("accounts", "accounts-*.jsonl*")
    yield _mapped(words.told("seller-desk"), words.told("seller-desk-*.jsonl*"), words.store("sellers"))
    yield _mapped("gateway", "gateway-*.jsonl*", words.store("orders"))
    for name in map(words.store, ("crm", "payments")):
        yield _table(
            "[log]", name=f"{name}-sql", format="pgaudit-csv", path=f"logs/{name}-postgresql-*.csv", store=name,
            server=f"{name}-db-1", time_zone="UTC",
        )  # fmt: skip
    orders, warehouse = words.store("orders"), words.store("warehouse")
    yield f"# {orders}: logs/{orders}-audit-*.log is MariaDB's server_audit, for which there is no reader yet.\n"
    path = f"logs/{warehouse}-*.ocsf.jsonl"
    yield _table("[log]", name=f"{warehouse}-sql", format="ocsf", path=path, store=warehouse)
    yield words.told("# Log-ins and the accounts in the shop lie in no store that is declared here.\n")
    yield _table("[log]", name="sso", format="ocsf", path="logs/sso-*.ocsf.jsonl")
    yield _mapped("wiki", "wiki-*.jsonl*", "documents")
    yield _mapped("buckets", "buckets-*.json*", "exports")


def _mapped(name: str, path: str, store: str = "") -> str:
    more = {"store": store} if store else {}
    return _table("[log]", name=name, format="mapped", path=f"logs/{path}", mapping=f"mappings/{name}.toml", **more)


def _table(header: str, **values: str | float | Sequence[str]) -> str:
    """A table of TOML with its keys, and an empty line. JSON's strings are TOML's."""
    return "\n".join([f"[{header}]", *(f"{key} = {_value(value)}" for key, value in values.items()), ""])


def _value(value: str | float | Sequence[str] | Mapping[str, str]) -> str:
    if isinstance(value, str | float | int):
        return json.dumps(value, ensure_ascii=False)
    one_line = f"[{', '.join(json.dumps(text) for text in value)}]"
    if len(one_line) < 100:
        return one_line
    return "[\n" + "".join(f"  {json.dumps(text)},\n" for text in value) + "]"
