"""Checks what Beholden exported or proved, with Python 3.9 or newer and openssl 3 alone: nothing here is Beholden's.

python3 check.py KEY.pub FILE.tlog-proof ...      each proves one event; prints what its record says
python3 check.py KEY.pub DIRECTORY                all events of an export
python3 check.py KEY.pub DIRECTORY --show         the same, and prints what each record says, one JSON a line
python3 check.py KEY.pub DIRECTORY --proof SEQ    the same, and prints the .tlog-proof of one event
python3 check.py KEY.pub --since OLD FILE         a consistency proof, from the checkpoint OLD that you kept

--witness W.pub before the files: the checkpoint has to be cosigned by this witness. KEY.pub is the ledger's key as you
got it from somebody you trust. Ends with 1 and says REFUSED where something does not hold.
"""

import base64
import datetime as dt
import gzip
import hashlib
import ipaddress
import json
import pathlib
import subprocess
import sys
import tempfile
import zlib

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
# n number, t time (microseconds), s text, x bytes (shown in hex), a address, ss and xx lists of them
COLUMNS = """seq:n time:t ingested:t source:s uid:x class_uid:n activity:s actor:x actor_kind:s on_behalf_of:x
credential:x session:x device:x ip:a app:x store:s dataset:s fields:ss subjects:xx scope:s subject_count:n rows:n bytes:n
purpose:x assignment:x decision:s status:s statement:x literals:x correlation:x detail:x"""


class Refused(Exception):
    pass


def require(holds, why):
    if not holds:
        raise Refused(why)


def sha256(data):
    return hashlib.sha256(data).digest()


def node(left, right):
    return sha256(b"\x01" + left + right)


def number(data):
    return int.from_bytes(data, "big", signed=True)


def time(data):
    return (EPOCH + dt.timedelta(microseconds=number(data))).isoformat()


def address(
    data,
):  # IPv4 and IPv6, with the length of a network's prefix in one byte more; or the hash of a host's name
    if len(data) in (5, 17):
        return f"{ipaddress.ip_address(data[:-1])}/{data[-1]}"
    return f"~{data.hex()}" if len(data) == 10 else str(ipaddress.ip_address(data))


def unbase64(text):
    data = base64.b64decode(text, validate=True)
    require(base64.b64encode(data).decode() == text, "base64 that is written differently")
    return data


def values(data, count):  # count times: 4 bytes of length, the value; the length ffffffff is null
    found, at = [], 0
    for _ in range(count):
        length, at = int.from_bytes(data[at : at + 4], "big"), at + 4
        null = length == 0xFFFFFFFF
        require(null or at + length <= len(data), "the record is cut off")
        found.append(None if null else data[at : at + length])
        at += 0 if null else length
    require(at == len(data), "the record has bytes too many")
    return found


def shown(kind, value):
    if value is None:
        return None
    if len(kind) == 2:
        return [shown(kind[0], part) for part in values(value[4:], int.from_bytes(value[:4], "big"))]
    return {"n": number, "t": time, "s": bytes.decode, "x": bytes.hex, "a": address}[kind](value)


def read_record(record):
    require(record[:1] == b"\x02", "not a record of version 2")
    columns = [column.split(":") for column in COLUMNS.split()]
    found = values(record[1:], len(columns))
    return {name: shown(kind, value) for (name, kind), value in zip(columns, found)}


def ed25519(key, signature, message):
    with tempfile.TemporaryDirectory() as place:
        files = [pathlib.Path(place, name) for name in ("key", "signature", "message")]
        for file, data in zip(files, (bytes.fromhex("302a300506032b6570032100") + key, signature, message)):
            file.write_bytes(data)
        command = "openssl pkeyutl -verify -pubin -keyform DER -rawin -inkey {} -sigfile {} -in {}".format(*files)
        return subprocess.run(command.split(), capture_output=True).returncode == 0


def signed_by(key_line, text, signatures):  # the key's own line has to be there, and to be right
    name, key_id, encoded = key_line.strip().split("+", 2)
    kind = unbase64(encoded)
    require(sha256(name.encode() + b"\n" + kind)[:4].hex() == key_id and len(kind) == 33, "KEY is no verifier key")
    require(signatures.endswith("\n"), "not a signed note")
    for line in signatures[:-1].split("\n"):
        dash, signer, value = line.split(" ")
        raw = unbase64(value)
        if (dash, signer, raw[:4].hex()) == ("\u2014", name, key_id):
            if kind[0] == 1:  # the ledger's
                message, signature = text, raw[4:]
            else:  # a witness's: what it signed begins with the time
                message = "cosignature/v1\ntime {}\n{}".format(int.from_bytes(raw[4:12], "big"), text)
                signature = raw[12:]
            require(ed25519(kind[1:], signature, message.encode()), f"the signature of {name} does not hold")
            return name
    raise Refused(f"no signature of {name}")


def open_checkpoint(note, keys):
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root = (text + "\n").split("\n")[:3]
    names = [signed_by(key, text + "\n", signatures) for key in keys]
    require(origin == names[0], f"a tree head of {origin}, not of {names[0]}")
    return int(size), unbase64(root), ", ".join(names)


def hashes(lines):
    return [unbase64(line) for line in lines]


def split(size):  # the largest power of two smaller than size
    return 1 << (size - 1).bit_length() - 1


def root_of(low, high, index, leaf, path):  # RFC 6962, 2.1.1: the path is from the leaf up
    if high - low == 1:
        return leaf
    require(path, "the proof is too short")
    middle, sibling = low + split(high - low), path.pop()
    if index < middle:
        return node(root_of(low, middle, index, leaf, path), sibling)
    return node(sibling, root_of(middle, high, index, leaf, path))


def check_proof(file, keys):
    head, _, note = file.read_text().partition("\n\n")
    header, extra, index, *path = head.split("\n")
    require(header == "c2sp.org/tlog-proof@v1" and extra[:6] == "extra " and index[:6] == "index ", "not a tlog-proof")
    size, root, names = open_checkpoint(note, keys)
    seq, record, path = int(index[6:]), unbase64(extra[6:]), hashes(path)
    require(0 <= seq < size, "an event behind the end")
    require(root_of(0, size, seq, sha256(b"\x00" + record), path) == root and not path, "it does not lead to the root")
    event = read_record(record)
    require(event["seq"] == seq, "the record is another event's")
    print(json.dumps(event, ensure_ascii=False))
    return f"event {seq} is among the {size} under a tree head signed by {names}"


def check_range(directory, keys, show, wanted):
    note = (directory / "checkpoint").read_text()
    size, root, names = open_checkpoint(note, keys)
    first_line, *outside, end = (directory / "range").read_text().split("\n")
    first, stop = (int(part) for part in first_line.split(" ")[1:])
    require(first_line == f"range {first} {stop}" and not end, "not a range")
    require(0 <= first < stop <= size, "a range behind the end")
    given, path, found = iter(hashes(outside)), [], {}
    with gzip.open(directory / "records.gz") as file:

        def record(seq):
            data = file.read(int.from_bytes(file.read(4), "big"))
            require(data[:13] == b"\x02\0\0\0\x08" + seq.to_bytes(8, "big"), f"record {seq} is missing")
            if show:
                print(json.dumps(read_record(data), ensure_ascii=False))
            if seq == wanted:
                found[seq] = data
            return sha256(b"\x00" + data)

        def subtree(low, high):
            if high <= first or stop <= low:
                return next(given, b"")
            if high - low == 1:
                return record(low)
            middle = low + split(high - low)
            left = subtree(low, middle)
            right = subtree(middle, high)
            if wanted is not None and low <= wanted < high:
                path.append(right if wanted < middle else left)
            return node(left, right)

        require(
            subtree(0, size) == root and not file.read(1) and next(given, None) is None,
            "the records do not lead to the root",
        )
    if wanted is not None:
        require(wanted in found, f"event {wanted} is not in this export")
        lines = [base64.b64encode(part).decode() for part in path]
        extra = base64.b64encode(found[wanted]).decode()
        print("\n".join(["c2sp.org/tlog-proof@v1", f"extra {extra}", f"index {wanted}", *lines, "", note]), end="")
    return f"events {first} to {stop - 1}, all of them, are under the tree head of {size} events signed by {names}"


def check_consistency(old_note, file, keys):  # RFC 9162, 2.1.4.2
    head, _, note = file.read_text().partition("\n\n")
    (size, root, names), (old_size, old_root, _) = open_checkpoint(note, keys), open_checkpoint(old_note, keys[:1])
    claimed, *path = head.split("\n")
    path = hashes(path)
    require(claimed == f"old {old_size}", "a proof from another size")
    if old_size in (0, size):
        require(not path and (old_size == 0 or root == old_root), "two roots for one size")
        return f"the tree head of {size} events signed by {names} continues that of {old_size}"
    require(0 < old_size < size, "the ledger became shorter")
    path = path if old_size & (old_size - 1) else [old_root, *path]
    require(path, "the proof is too short")
    at, last = old_size - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old, new = path[0], path[0]
    for part in path[1:]:
        require(last, "the proof is too long")
        if at & 1 or at == last:
            old, new = node(part, old), node(part, new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            new = node(new, part)
        at, last = at >> 1, last >> 1
    require(last == 0 and old == old_root and new == root, "the newer tree does not begin with the older one")
    return f"the tree head of {size} events signed by {names} continues that of {old_size}"


def main(key, *arguments):
    arguments, keys, options = list(arguments), [pathlib.Path(key).read_text()], {}
    for option in ("--witness", "--proof", "--since"):
        if option in arguments:
            at = arguments.index(option)
            options[option] = arguments[at + 1]
            del arguments[at : at + 2]
    if "--witness" in options:
        keys.append(pathlib.Path(options["--witness"]).read_text())
    show = "--show" in arguments
    bad = 0
    for name in (name for name in arguments if name != "--show"):
        path = pathlib.Path(name)
        try:
            if "--since" in options:
                said = check_consistency(pathlib.Path(options["--since"]).read_text(), path, keys)
            elif path.is_dir():
                wanted = options.get("--proof")
                said = check_range(path, keys, show, None if wanted is None else int(wanted))
            else:
                said = check_proof(path, keys)
            print(f"{name}: {said}", file=sys.stderr)
        except (Refused, ValueError, LookupError, OSError, EOFError, RuntimeError, zlib.error) as error:
            print(f"{name}: REFUSED: {error}", file=sys.stderr)
            bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]) if len(sys.argv) > 2 else __doc__)
