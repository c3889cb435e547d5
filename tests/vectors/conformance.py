"""Conformance cases: deliveries that a proof has to accept or refuse, and why.

What proves a delivery is made by the scripts beside this one, with Python's own library, so that no implementation of
ours vouches for itself. The same Python text gives the same file, byte for byte. Needs nothing but Python 3.9.

A case holds all that its verdict depends on: the `credentials` as a function is configured with them, `method`, `path`,
`query` (decoded pairs, where there are any), `headers` (pairs, since a header may come twice), `body` (UTF-8 text) or
`bodyBase64`, the time `now` where it matters, the `verdict`, and for a refused one the code of the `refusal`.
"""
from __future__ import annotations

import base64
import json
from pathlib import Path


class Cases:
    """The cases of one provider."""

    def __init__(self, provider: str):
        self._file = Path(__file__).with_name(f"{provider}.json")
        self._cases: list[dict] = []

    def add(self, name: str, why: str, *, credentials: dict, path: str, headers, body: bytes, refusal: str | None = None,
            method: str = "POST", query=(), now: str | None = None) -> None:
        entry = {"name": name, "why": why, "credentials": credentials, "method": method, "path": path}
        if query:
            entry["query"] = [list(pair) for pair in query]
        entry["headers"] = [list(pair) for pair in headers]
        try:
            entry["body"] = body.decode()
        except UnicodeDecodeError:
            entry["bodyBase64"] = base64.b64encode(body).decode()
        if now is not None:
            entry["now"] = now
        entry.update(verdict="refused" if refusal else "genuine", refusal=refusal)
        self._cases.append(entry)

    def write(self) -> None:
        """As JSON, a line for each member; in ASCII, so that what only looks alike can be told apart."""
        def members(entry: dict) -> str:
            return ",\n".join(f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in entry.items())

        text = "[\n" + ",\n".join(f" {{\n{members(entry)}\n }}" for entry in self._cases) + "\n]\n"
        self._file.write_text(text, encoding="ascii")
