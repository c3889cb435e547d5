"""Where this project's own files are."""
from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
#: What `sam build` makes of the template, with the functions built.
BUILT_TEMPLATE = ROOT / ".aws-sam/build/template.yaml"
#: The virtual environment that has sam and cargo-lambda.
TOOLS = ROOT / ".venv/tools/bin"
EVENTS = ROOT / "events"
