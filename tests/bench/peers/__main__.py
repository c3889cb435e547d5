"""Builds the peers into target/bench/peers, tries each, and says in a line what became of it.

    python -m bench.peers [NAME …]      all of them if none is named

A peer that is there has a `bootstrap`, which is started as a function is; any other has a file `missing`, which says why.
`PEERS_ENVIRONMENT` is the folder of the virtual environment with requirements/bench.txt.
"""
from __future__ import annotations

import sys

from . import check
from .build import BUILDERS, PEERS, Missing, folder


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BUILDERS]
    if unknown:
        print(f"there is no peer {', '.join(unknown)}: choose from {', '.join(BUILDERS)}", file=sys.stderr)
        return 2
    PEERS.mkdir(parents=True, exist_ok=True)
    states = {name: built(name) for name in names or BUILDERS}
    works = [name for name, state in states.items() if state is None]
    for name, problem in check.problems(works).items():
        states[name] = leave_out(name, f"does not work: {problem}")
    print()
    for name, state in states.items():
        print(f"{name:18} {f'not measured: {state}' if state else f'built and tried: {folder(name)}'}")
    return 0


def built(name: str) -> str | None:
    """Builds a peer; returns why not, if it can't be built."""
    print(f"{name} …", flush=True)
    (folder(name) / "missing").unlink(missing_ok=True)
    folder(name).mkdir(exist_ok=True)
    try:
        BUILDERS[name](name)
    except Missing as missing:
        return leave_out(name, str(missing))
    return None


def leave_out(name: str, why: str) -> str:
    """Has nothing start the peer."""
    (folder(name) / "bootstrap").unlink(missing_ok=True)
    (folder(name) / "missing").write_text(f"{why}\n", "utf-8")
    return why


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
