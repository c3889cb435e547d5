"""Rotates what a provider proves itself with, step by step, in the secret that the functions fetch.

The state of a rotation is in the secret itself: the first entry of a list is the current one, and the time of the last
step is that of the secret's current version.
"""
from .command import rotate

__all__ = ["rotate"]
