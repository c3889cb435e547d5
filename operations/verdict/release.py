"""The name of a release: another one for each deployment that changes anything, and the same for one that doesn't.

It is a salted digest of the functions' executables, the template and the parameters. Secrets are among the parameters, and
the name can be read by all who may look at the stack. So the digest is scrypt's, the salt is the stack's own, and a new one
for each release: the name tells whether a guess at all of the secrets at once is right, after a tenth of a second for each
guess, and nothing else. A secret that the functions take is too long to be guessed.

The salt stands in the name itself, so that a deployment can tell whether it changes anything.
"""
from __future__ import annotations

import hashlib
import json
import re
import secrets
from pathlib import Path
from typing import Mapping

PARAMETER = "Release"
#: The digest, of which SAM makes the names of versions of the first ten characters, and the salt.
FORM = re.compile(r"([0-9a-f]{32})-([0-9a-f]{32})")
SALT_BYTES = 16
#: A tenth of a second, and 32 MB.
COST = {"n": 2 ** 15, "r": 8, "p": 1, "maxmem": 64 * 1024 * 1024, "dklen": 16}


def name(content: Mapping[str, str], current: str = "") -> str:
    """The name of a release of that content: the current one if nothing changed."""
    known = FORM.fullmatch(current)
    if known and digest(content, known[2]) == known[1]:
        return current
    salt = secrets.token_hex(SALT_BYTES)
    return f"{digest(content, salt)}-{salt}"


def digest(content: Mapping[str, str], salt: str) -> str:
    text = json.dumps(dict(content), sort_keys=True).encode("utf-8")
    return hashlib.scrypt(text, salt=bytes.fromhex(salt), **COST).hex()


def content(files: Mapping[str, Path], parameters: Mapping[str, str]) -> dict[str, str]:
    """What a release is made of: files by what they are, and the values of parameters."""
    return {**{f"file {what}": hashlib.sha256(file.read_bytes()).hexdigest() for what, file in files.items()},
            **{f"parameter {name}": value for name, value in parameters.items()}}
