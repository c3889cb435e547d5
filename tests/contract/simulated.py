"""Messages, records and events of simulated histories, from standard input, one in each line: as the schemas say?"""
from __future__ import annotations

import json
import sys
from collections import Counter

from .schemas import SCHEMA_OF, all_schemas

#: The fewest of each that say something.
FEWEST = 1000
#: How many problems are shown.
SHOWN = 20


def main() -> int:
    schemas, counts, problems = all_schemas(), Counter[str](), list[str]()
    for line in sys.stdin:
        [(kind, instance)] = json.loads(line).items()
        name = SCHEMA_OF.get(instance["type"], "another type") if kind == "message" else kind
        counts[kind] += 1
        counts[name] += kind == "message"
        problems += schemas[name].problems(instance) if name in schemas else [f"{name}: {instance['type']}"]
    types = {name: counts[name] for name in SCHEMA_OF.values()}
    print(f"contract: {counts['message']} messages {types}, {counts['session']} records, {counts['event']} events: "
          f"{len(problems)} problems")
    print(*problems[:SHOWN], sep="\n", file=sys.stderr)
    enough = all(counts[kind] >= FEWEST for kind in ("message", "session", "event"))
    return 0 if enough and not problems else 1


if __name__ == "__main__":
    sys.exit(main())
