"""The end-to-end tests: the real template, deployed on a local stack, spoken to over HTTP."""
