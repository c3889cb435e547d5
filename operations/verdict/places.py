"""Where this project's own files are."""
from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
#: Where `sam build` leaves the functions, and the template that names them.
BUILD = ROOT / ".aws-sam/build"
#: What Lambda starts, in the folder of each built function.
BOOTSTRAP = "bootstrap"
#: Where `make package` leaves what it makes, by processor.
PACKAGE = ROOT / "target/package"
#: The virtual environment that has sam and cargo-lambda.
TOOLS = ROOT / ".venv/tools/bin"
EVENTS = ROOT / "events"
