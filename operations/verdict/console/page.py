"""The page: three files, as they are in the folder `page`, and the headers that keep it to itself."""
from __future__ import annotations

from pathlib import Path

from werkzeug import Response

FOLDER = Path(__file__).with_name("page")
#: The files by the path that they are asked for by, with their types. There are no others.
FILES = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/console.css": ("console.css", "text/css; charset=utf-8"),
    "/console.js": ("console.js", "text/javascript; charset=utf-8"),
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
#: What the page never uses. It writes to the clipboard when it is told to.
FEATURES = ("accelerometer", "camera", "clipboard-read", "display-capture", "fullscreen", "geolocation", "gyroscope",
            "microphone", "midi", "payment", "usb")
#: In every answer.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": ", ".join(f"{feature}=()" for feature in FEATURES),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def page(path: str) -> Response:
    """One of the three files."""
    name, kind = FILES[path]
    return Response((FOLDER / name).read_bytes(), content_type=kind)
