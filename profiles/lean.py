"""Libraries that load another only to see whether they could do more: here they do not see it.

PyMongo, PyJWT and python-telegram-bot each try to import cryptography, 10 MB of a server's memory, for OCSP stapling, RSA tokens
and Telegram Passport, none of which is used. Whoever needs cryptography imports it, and has it.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def absent(package: str) -> Iterator[None]:
    """Let an import inside not find this package, unless it is loaded already."""
    modules: dict[str, Any] = sys.modules
    if package in modules:
        yield
        return
    modules[package] = None  # what Python itself takes for "there is none"
    try:
        yield
    finally:
        del modules[package]
