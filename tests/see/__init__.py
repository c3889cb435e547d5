"""`make see`: Chromium drives the console of a local stack, as a person would, and judges what it shows."""
