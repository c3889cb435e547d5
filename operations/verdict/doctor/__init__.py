"""Tells whether a deployed stack works: holds each of its parts against the template, and sends each provider's probe.

An inspection is a module here with a function that yields findings; `command.py` lists them.
"""
from .command import doctor, examine

__all__ = ["doctor", "examine"]
