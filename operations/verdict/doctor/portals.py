"""What to paste into each provider's portal. It holds no secret: what is one is named by where it is."""
from __future__ import annotations

from typing import Iterator

from ..stack import Stack

#: By output of the stack: what a provider calls it, and what to add to the URL.
PLACES = (
    ("VeriffEventsUrl", "Veriff, webhook events URL", ""),
    ("VeriffDecisionsUrl", "Veriff, webhook decisions URL (and all other webhooks)", ""),
    ("IncodeWebhooksUrl", "Incode, webhook URLs: each with its kind behind, as in /onboarding-status", ""),
    ("IncodeTokenUrl", "Incode, authentication URL (OAuth 2.0 client credentials)", ""),
    ("TreezorUrl", "Treezor, webhook URL; TOKEN is one of your urlTokens, if you have any", "?token=TOKEN"),
    ("WultraUrl", "Wultra, base URL of the adapter; Enrollment Server appends /process/event", ""),
)


def lines(stack: Stack) -> Iterator[str]:
    """A line for each URL of the providers that are deployed."""
    for output, what, appended in PLACES:
        url = stack.url(output)
        if url:
            yield f"{what}: {url}{appended}"
