"""The company's devices, and the three lists of them that disagree.

Device management knows what enrolled, by serial number and hostname in capitals; the personnel office's list knows what
was bought and handed out, by asset tag and serial number as somebody typed it; the network knows whatever was plugged
in, by address. Owners are out of date, retired devices are still listed, some are missing (`Parameters.devices_*`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from beholden.retailer.chance import DAY_US, HOUR_US, Bools, Chance, Hashes, Ints, Rng, below, iso, stream, uniform
from beholden.retailer.parameters import Parameters
from beholden.retailer.staff import Staff
from beholden.retailer.tables import write_csv
from beholden.retailer.words import words_of

__all__ = ["SOURCES", "Device", "Devices", "personal_name", "stranger", "write_devices"]

#: The lists, in the order of `Parameters.devices_missing`.
SOURCES: Final = ("mdm", "assets", "network")
_LISTED: Final = {
    "mdm": frozenset({"laptop", "terminal", "phone"}),
    "assets": frozenset({"laptop", "terminal", "phone", "printer", "server"}),
    "network": frozenset({"laptop", "terminal", "phone", "printer", "server"}),
}
_PREFIX: Final = {"laptop": "WS", "terminal": "CC", "server": "SRV", "printer": "PRN", "phone": "PH"}
_MODELS: Final = {
    "laptop": ("Fjord 14 G3", "Fjord 14 G4", "Slate Pro 15"), "terminal": ("Anchor T2", "Anchor T3"),
    "server": ("Basalt R640", "Basalt R740"), "printer": ("Inkwell 400", "Inkwell 600"), "phone": ("Pebble 8", "Pebble 9"),
}  # fmt: skip
_SYSTEMS: Final = {"laptop": "Windows 11", "terminal": "Windows 10 IoT", "phone": "Android 15"}
#: Of what stands around besides the staff's own: servers, printers, phones; assumed.
_OTHERS: Final = (("server", 5), ("printer", 2), ("phone", 3))
_HANDED_BACK_DAYS: Final = 6
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
#: Locally administered addresses: they belong to no maker.
_MAC_FIRST: Final = 0x02 << 40
_DOMAIN: Final = "corp.meridian.example"
#: What devices call themselves that people bring: form, bits of the number. The first three sign in to things.
_STRANGERS: Final = (
    ("android-{:08x}", 32), ("iPhone-{:04X}", 16), ("DESKTOP-{:07X}", 28), ("ESP-{:06X}", 24), ("raspberrypi{:02d}", 5), ("", 1),
)  # fmt: skip
_PERSONAL: Final = 3


@dataclass(frozen=True, slots=True)
class Device:
    """One device. ``owner`` is a position among the staff or -1; ``until`` the day from which it is out of use."""

    kind: str
    hostname: str
    serial: str
    mac: int
    owner: int
    since: int
    until: int | None = None

    def is_used(self, day: int) -> bool:
        """Whether it is in use on that day."""
        return self.since <= day and (self.until is None or day < self.until)


class Devices:
    """All devices by position: those of the staff first (`Member.device`), then their successors, then the others."""

    def __init__(self, parameters: Parameters, staff: Staff) -> None:
        self._p = parameters
        self._staff = staff
        self._chance = Chance(parameters.seed, "device")
        first, count = parameters.start // DAY_US, len(staff)
        drawn = uniform(self._chance(0, np.arange(count)))
        share = parameters.devices_replaced * parameters.days / 365
        #: The day from which each member has another device, or the far future.
        self.replaced: Ints = np.where(
            drawn < share, first + (drawn / max(share, 1e-12) * parameters.days).astype(np.int64), 1 << 40
        )
        for position, member in enumerate(staff.members):
            if not member.hired < self.replaced[position] < (member.left or 1 << 40):
                self.replaced[position] = 1 << 40
        self._again = np.flatnonzero(self.replaced < 1 << 40)
        self.all: tuple[Device, ...] = tuple(self._made())
        self._first_other = count + len(self._again)

    def __len__(self) -> int:
        return len(self.all)

    def _made(self) -> Iterator[Device]:
        staff = self._staff
        for position, member in enumerate(staff.members):
            left = None if member.left is None else member.left + _HANDED_BACK_DAYS
            replaced = int(self.replaced[position])
            until = replaced if replaced < 1 << 40 else left
            yield self._device(position, _kind(member.device), member.device, position, member.hired, until)
        numbers = below(self._chance(1, self._again), 3).tolist()
        for place, (position, extra) in enumerate(zip(self._again.tolist(), numbers, strict=True)):
            member = staff.members[position]
            name = f"{member.device[:2]}-{20_000 + (len(staff) + place) * 3 + extra:06d}"
            left = None if member.left is None else member.left + _HANDED_BACK_DAYS
            at = len(staff) + place
            yield self._device(at, _kind(name), name, position, int(self.replaced[position]), left)
        yield from self._others(len(staff) + len(self._again))

    def _others(self, start: int) -> Iterator[Device]:
        day = self._p.start // DAY_US
        employed = sum(member.is_employed(day) for member in self._staff.members)
        count = max(6, round(self._p.devices_at_full_scale * self._p.scale) - employed)
        kinds = [kind for kind, weight in _OTHERS for _ in range(weight)]
        for i in range(count):
            kind = kinds[i % len(kinds)]
            age = 30 + int(below(self._chance(2, i), 1500)[0])
            # One in eight was taken out of use in the months before.
            until = day - age // 20 if i % 8 == 7 else None
            yield self._device(start + i, kind, f"{_PREFIX[kind]}-{1000 + i:04d}", -1, day - age, until)

    def _device(self, at: int, kind: str, hostname: str, owner: int, since: int, until: int | None) -> Device:
        hashes = self._chance(3, at, np.arange(9))
        serial = "".join(_LETTERS[i] for i in below(hashes[:8], len(_LETTERS)).tolist())
        return Device(kind, hostname, serial, _MAC_FIRST + int(hashes[8]) % (1 << 40), owner, since, until)

    def used_by(self, day: int) -> Ints:
        """The position of the device that each principal works with on a day; programs run on servers."""
        count = len(self._staff)
        own = np.arange(count)
        own[self._again] = np.where(day >= self.replaced[self._again], count + np.arange(len(self._again)), self._again)
        servers = np.array([i for i, one in enumerate(self.all) if one.kind == "server" and one.until is None])
        services = below(self._chance(4, np.arange(len(self._staff.services))), len(servers))
        return np.concatenate([own, servers[services]])

    @cached_property
    def hostnames(self) -> list[str]:
        """What every device calls itself, by position."""
        return [one.hostname for one in self.all]

    def position(self, hostname: str) -> int:
        """The position of the device of that name."""
        return self.hostnames.index(hostname)

    @cached_property
    def _last_day(self) -> int:
        return self._p.end // DAY_US - 1

    def listed(self, source: str) -> Bools:
        """Which devices a list has at the end of the window."""
        at = SOURCES.index(source)
        kind = np.array([one.kind in _LISTED[source] for one in self.all])
        used = np.array([one.is_used(self._last_day) for one in self.all])
        draw = uniform(self._draw(source, 0))
        if source == "network":  # it forgets what is gone
            seen: Bools = kind & used & (draw >= self._p.devices_missing[at])
            return seen
        bought = np.array([one.since <= self._last_day for one in self.all])
        kept = np.where(used, draw >= self._p.devices_missing[at], draw < self._p.devices_retired_listed[at])
        listed: Bools = kind & bought & kept
        return listed

    def stale(self, source: str) -> Bools:
        """Which devices a list (of those that name owners) has under somebody else, who had them before."""
        owned = np.array([one.owner >= 0 for one in self.all])
        stale: Bools = owned & (uniform(self._draw(source, 1)) < self._p.devices_stale_owner[SOURCES.index(source)])
        return stale

    def owner_listed(self, source: str) -> Ints:
        """The owner that a list names for each device, or -1."""
        owner = np.array([one.owner for one in self.all])
        gone = [i for i, member in enumerate(self._staff.members) if member.left is not None]
        before = np.array(gone or range(len(self._staff)), dtype=np.int64)
        other = before[below(self._draw(source, 2), len(before))]
        other = np.where(other == owner, (owner + 1) % len(self._staff), other)
        return np.where(self.stale(source), other, owner)

    def _draw(self, source: str, what: int) -> Hashes:
        return Chance(self._p.seed, f"devices in {source}")(what, np.arange(len(self.all)))


def _kind(hostname: str) -> str:
    return "terminal" if hostname.startswith("CC") else "laptop"


def personal_name(number: int) -> str:
    """What somebody's own device calls itself; ``number`` has 40 random bits."""
    form, bits = _STRANGERS[number % _PERSONAL]
    return form.format((number >> 8) % (1 << bits))


def stranger(rng: Rng, since: int, *, personal: bool = False) -> Device:
    """A device that stands in no list: somebody's own (``personal`` ones sign in), a gadget, or worse."""
    number = int(rng.integers(1 << 40))
    form, bits = _STRANGERS[int(rng.integers(len(_STRANGERS)))]
    name = personal_name(number) if personal else form.format((number >> 8) % (1 << bits))
    serial = "".join(_LETTERS[i] for i in rng.integers(0, len(_LETTERS), 8).tolist())
    return Device("unknown", name, serial, _MAC_FIRST + int(rng.integers(1 << 40)), -1, since)


def write_devices(
    parameters: Parameters, staff: Staff, devices: Devices, directory: Path, extra: Sequence[Device] = ()
) -> None:
    """Write the three lists as they are at the end of the window; ``extra`` devices (incidents') the network alone saw."""
    _write_mdm(parameters, staff, devices, directory / "devices_mdm.csv")
    _write_assets(parameters, staff, devices, directory / "devices_assets.csv")
    _write_network(parameters, devices, extra, directory / "devices_network.jsonl")


def _write_mdm(p: Parameters, staff: Staff, devices: Devices, path: Path) -> None:
    rng = stream(p.seed, "device management")
    day = p.end // DAY_US - 1
    owners = devices.owner_listed("mdm").tolist()
    rows = []
    for at in np.flatnonzero(devices.listed("mdm")).tolist():
        one = devices.all[at]
        uid, hours, model = rng.bytes(16).hex(), int(rng.integers(1, 60)), int(rng.integers(8))
        last = day if one.is_used(day) else (one.until or day)
        rows.append((
            f"{uid[:8]}-{uid[8:12]}-4{uid[13:16]}-a{uid[17:20]}-{uid[20:]}", one.serial, one.hostname.upper(),
            _octets(one.mac, ":").upper(), _MODELS[one.kind][model % len(_MODELS[one.kind])], _SYSTEMS[one.kind],
            "" if owners[at] < 0 else staff.members[owners[at]].login_on(day), _date(one.since),
            iso(np.array([(last + 1) * DAY_US - hours * HOUR_US]))[0] + "Z", "true" if rng.random() < 0.93 else "false",
        ))  # fmt: skip
    header = [
        "device_id",
        "serial",
        "hostname",
        "wifi_mac",
        "model",
        "os",
        "user",
        "enrolled",
        "last_checkin",
        "compliant",
    ]
    write_csv(path, header, [rows[i] for i in rng.permutation(len(rows)).tolist()])


def _write_assets(p: Parameters, staff: Staff, devices: Devices, path: Path) -> None:
    rng = stream(p.seed, "asset list")
    day = p.end // DAY_US - 1
    owners = devices.owner_listed("assets").tolist()
    rows = []
    for at in np.flatnonzero(devices.listed("assets")).tolist():
        one, owner = devices.all[at], owners[at]
        serial = one.serial.lower() if rng.random() < 0.5 else f"S/N {one.serial}"
        if rng.random() < p.serials_mistyped:
            cut = int(rng.integers(4, len(serial) - 1))
            serial = serial[:cut] + serial[cut + 1] + serial[cut] + serial[cut + 2 :]
        status = "in use" if one.is_used(day) else ("in use", "in store", "disposed")[int(rng.integers(3))]
        member = staff.members[owner] if owner >= 0 else None
        model = int(rng.integers(8))
        rows.append((
            f"A{100_000 + at * 3}", serial, one.kind, _MODELS[one.kind][model % len(_MODELS[one.kind])],
            f"E{member.number}" if member else "", member.team_on(day) if member else "it",
            _date(one.since - int(rng.integers(1, 40))), status,
        ))  # fmt: skip
    write_csv(path, ["asset_tag", "serial", "type", "model", "assigned_to", "cost_centre", "purchased", "status"], rows)


def _write_network(p: Parameters, devices: Devices, extra: Sequence[Device], path: Path) -> None:
    rng = stream(p.seed, "network list")
    day = p.end // DAY_US - 1
    seen = [devices.all[at] for at in np.flatnonzero(devices.listed("network")).tolist()]
    count = max(1, round(len(seen) * p.devices_unregistered))
    guests = [stranger(rng, day - int(rng.integers(0, 120))) for _ in range(count)]
    domain = words_of(p.preset).told(_DOMAIN)
    both = sorted([*seen, *guests, *extra], key=lambda one: one.mac)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for one in both:
            named = one.hostname and rng.random() >= p.devices_nameless
            known = one.kind != "unknown"
            first, last = int(rng.integers(86_400)), int(rng.integers(86_400))
            line = {
                "mac": ".".join(_octets(one.mac, "")[i : i + 4] for i in (0, 4, 8)),
                "name": (f"{one.hostname.lower()}.{domain}" if known else one.hostname) if named else None,
                "ip": f"10.{30 + int(rng.integers(8))}.{int(rng.integers(256))}.{int(rng.integers(1, 255))}",
                "port": f"sw{int(rng.integers(1, 25)):02d}/{int(rng.integers(1, 49))}",
                "first_seen": iso(np.array([one.since * DAY_US + first * 1_000_000]))[0] + "Z",
                "last_seen": iso(np.array([max(day, one.since) * DAY_US + last * 1_000_000]))[0] + "Z",
            }
            file.write(json.dumps(line) + "\n")


def _octets(mac: int, separator: str) -> str:
    return separator.join(f"{mac >> shift & 255:02x}" for shift in range(40, -8, -8))


def _date(day: int) -> str:
    return iso(np.array([day * DAY_US]), "D")[0]
