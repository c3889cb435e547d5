"""Verdict's operations: what an operator does with a deployed stack, and what the local stack needs besides."""
