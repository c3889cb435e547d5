"""Finds Chromium, or says how one gets it: `python -m see.chromium`."""
from __future__ import annotations

import os
import shutil
import sys
from typing import Mapping

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: What a machine without it lacks.
MISSING = 2


class NoChromium(Exception):
    """There is no Chromium to drive; the message says what to do."""


def chromium(environment: Mapping[str, str] = os.environ) -> str:
    """The path of the program that CHROMIUM names, or else of the first one on the PATH."""
    asked = environment.get("CHROMIUM")
    path = environment.get("PATH", os.defpath)
    for name in (asked,) if asked else NAMES:
        found = shutil.which(name, path=path)
        if found:
            return found
    if asked:
        raise NoChromium(f"CHROMIUM is {asked!r}, and no program is there: give the path of a Chromium")
    raise NoChromium(f"none of {', '.join(NAMES)} is on the PATH: install the package chromium (Debian:"
                     " `apt-get install chromium`), or give CHROMIUM=path")


def main() -> int:
    try:
        chromium()
    except NoChromium as missing:
        print(f"make see: {missing}", file=sys.stderr)
        return MISSING
    return 0


if __name__ == "__main__":
    sys.exit(main())
