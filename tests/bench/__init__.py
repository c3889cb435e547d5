"""Measures Verdict's functions, beside what a user would write instead, and makes docs/performance.md of it."""
