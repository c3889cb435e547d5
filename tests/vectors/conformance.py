"""Conformance cases: deliveries that a proof has to accept or refuse, and why.

What proves a delivery is made by the scripts beside this one, with Python's own library, so that no implementation of
ours vouches for itself. The same Python text gives the same file, byte for byte. Needs nothing but Python 3.9.

A case holds all that its verdict depends on: the `credentials` as a function is configured with them, `method`, `path`,
`query` (decoded pairs, where there are any), `headers` (pairs, since a header may come twice), `body` (UTF-8 text) or
`bodyBase64`, the address of the sender as `source` where it is known, the time `now` where it matters, the `verdict`,
and for a refused one the code of the `refusal`.
"""
from __future__ import annotations

import base64
import json
from pathlib import Path


#: Two ranges as they are written mostly, one of IPv4 addresses that is written as IPv6 addresses, and a single address.
RANGES = ["203.0.113.0/24", "2001:db8:7::/48", "::ffff:198.51.100.16/124", "192.0.2.200/32"]
OUTSIDE = "address_not_allowed"
#: The name of each case, why it exists, the sender's address, the refusal.
SOURCES = [
    ("in a range", "The sender's address is in the first range.", "203.0.113.7", None),
    ("first of a range", "A range holds its first address.", "203.0.113.0", None),
    ("last of a range", "A range holds its last address.", "203.0.113.255", None),
    ("before a range", "The address before a range's first is outside.", "203.0.112.255", OUTSIDE),
    ("after a range", "The address after a range's last is outside.", "203.0.114.0", OUTSIDE),
    ("IPv6 in a range", "The sender's address is in the second range.", "2001:db8:7::1", None),
    ("IPv6 written in full", "The spelling of an address changes nothing.", "2001:0DB8:0007:0:0:0:0:1", None),
    ("IPv6 last of a range", "A range holds its last address.", "2001:db8:7:ffff:ffff:ffff:ffff:ffff", None),
    ("IPv6 after a range", "The address after a range's last is outside.", "2001:db8:8::", OUTSIDE),
    ("IPv4 written as IPv6", "A mapped address is the IPv4 address in it.", "::ffff:203.0.113.7", None),
    ("mapped in hex", "The same, with the IPv4 address in hexadecimal.", "::ffff:cb00:7107", None),
    ("mapped outside", "A mapped address is the IPv4 address in it, and that is outside.", "::ffff:192.0.2.1", OUTSIDE),
    ("in a mapped range", "A mapped range is the IPv4 range in it.", "198.51.100.31", None),
    ("after a mapped range", "The address after a mapped range's last is outside.", "198.51.100.32", OUTSIDE),
    ("a range of one", "A prefix of 32 bits is one address.", "192.0.2.200", None),
    ("beside a range of one", "The next address is another one.", "192.0.2.201", OUTSIDE),
    ("compatible IPv6", "`::203.0.113.7` is an IPv6 address of its own, and no IPv4 address.", "::203.0.113.7", OUTSIDE),
    ("unknown", "A sender whose address is unknown is outside.", None, OUTSIDE),
    ("blank", "A blank address is unknown.", "", OUTSIDE),
    ("no address", "A host name is no address.", "localhost", OUTSIDE),
    ("with a port", "An address with a port is no address.", "203.0.113.7:443", OUTSIDE),
    ("octal", "An octet with a leading zero means different things to different readers.", "203.0.0113.7", OUTSIDE),
    ("two", "Two addresses are no address.", "203.0.113.7, 203.0.113.8", OUTSIDE),
    ("a range", "A range is no address.", "203.0.113.0/24", OUTSIDE),
]

EDGE_VALUE, NEXT_EDGE_VALUE = "edge-9bN4vR7tK2wQ5zX8", "edge-3hJ6mC1pL0sD4fG7"
EDGE = {"X-Edge-Key": [EDGE_VALUE, NEXT_EDGE_VALUE]}
#: The name of each case, why it exists, the headers beside the provider's, the refusal.
EDGES = [
    ("right", "The edge has added its header.", [["x-edge-key", EDGE_VALUE]], None),
    ("next value", "During a rotation either value is right.", [["X-EDGE-KEY", NEXT_EDGE_VALUE]], None),
    ("missing", "The webhook came past the edge.", [], "edge_header_missing"),
    ("blank", "A blank header is not the configured value.", [["x-edge-key", ""]], "edge_header_mismatch"),
    ("wrong", "Another value is not the configured one.", [["x-edge-key", EDGE_VALUE + "x"]], "edge_header_mismatch"),
    ("in capitals", "The case of a value counts.", [["x-edge-key", EDGE_VALUE.upper()]], "edge_header_mismatch"),
    ("twice", "It is unknown which of two headers the edge has added.",
     [["x-edge-key", EDGE_VALUE], ["X-Edge-Key", EDGE_VALUE]], "edge_header_repeated"),
]


class Cases:
    """The cases of one provider."""

    def __init__(self, provider: str):
        self._file = Path(__file__).with_name(f"{provider}.json")
        self._cases: list[dict] = []

    def add(self, name: str, why: str, *, credentials: dict, path: str, headers, body: bytes, refusal: str | None = None,
            method: str = "POST", query=(), now: str | None = None, source: str | None = None) -> None:
        entry = {"name": name, "why": why, "credentials": credentials, "method": method, "path": path}
        if query:
            entry["query"] = [list(pair) for pair in query]
        entry["headers"] = [list(pair) for pair in headers]
        try:
            entry["body"] = body.decode()
        except UnicodeDecodeError:
            entry["bodyBase64"] = base64.b64encode(body).decode()
        if source is not None:
            entry["source"] = source
        if now is not None:
            entry["now"] = now
        entry.update(verdict="refused" if refusal else "genuine", refusal=refusal)
        self._cases.append(entry)

    def add_gates(self) -> None:
        """The cases of what stands before every proof, made of the first genuine case and of the first refused one."""
        genuine = next(case for case in self._cases if case["verdict"] == "genuine")
        refused = next(case for case in self._cases if case["verdict"] == "refused")
        for name, why, source, refusal in SOURCES:
            self._add_gate(genuine, f"addresses: {name}", why, {"allowedCidrs": RANGES}, refusal, source=source)
        forwarded = [["x-forwarded-for", "203.0.113.7"], ["forwarded", "for=203.0.113.7"], ["x-real-ip", "203.0.113.7"]]
        self._add_gate(genuine, "addresses: an allowed one in headers", "Anybody can write a header.",
                       {"allowedCidrs": RANGES}, "address_not_allowed", source="192.0.2.1", headers=forwarded)
        self._add_gate(refused, "addresses: no proof from outside", "The address is looked at before the proof.",
                       {"allowedCidrs": RANGES}, "address_not_allowed", source="192.0.2.1")
        self._add_gate(refused, "addresses: no proof from inside", "An allowed address proves nothing.",
                       {"allowedCidrs": RANGES}, refused["refusal"], source="203.0.113.7")
        for name, why, headers, refusal in EDGES:
            self._add_gate(genuine, f"edge: {name}", why, {"edgeHeader": EDGE}, refusal, headers=headers)
        self._add_gate(refused, "edge: no proof without it", "The edge's header is looked at before the proof.",
                       {"edgeHeader": EDGE}, "edge_header_missing")
        self._add_gate(refused, "edge: no proof with it", "The edge's header proves nothing.", {"edgeHeader": EDGE},
                       refused["refusal"], headers=[["x-edge-key", EDGE_VALUE]])

    def _add_gate(self, case: dict, name: str, why: str, gate: dict, refusal: str | None, *, source: str | None = None,
                  headers=()) -> None:
        entry = {**case, "name": name, "why": why, "credentials": {**case["credentials"], **gate}}
        entry["headers"] = [*case["headers"], *headers]
        for member in ("source", "verdict", "refusal"):
            entry.pop(member, None)
        if source is not None:
            entry["source"] = source
        entry.update(verdict="refused" if refusal else "genuine", refusal=refusal)
        self._cases.append(entry)

    def write(self) -> None:
        """As JSON, a line for each member; in ASCII, so that what only looks alike can be told apart."""
        def members(entry: dict) -> str:
            return ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in entry.items())

        text = "[\n" + ",\n".join(f" {{\n{members(entry)}\n }}" for entry in self._cases) + "\n]\n"
        self._file.write_text(text, encoding="ascii")
