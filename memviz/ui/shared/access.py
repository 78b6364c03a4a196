"""Who may start work that writes to this machine: everybody at home, on a public host the owner."""

import os
import secrets

VARIABLE = "MEMVIZ_OWNER_TOKEN"
SHORTEST = 16  # characters: shorter tokens can be guessed
LOCAL = ("", "127.0.0.1", "localhost", "::1")


def public() -> bool:
    """Whether others can reach this app: a Space, or a server that listens beyond this machine."""
    return bool(os.environ.get("SPACE_ID")) or os.environ.get("GRADIO_SERVER_NAME", "") not in LOCAL


def token() -> str:
    """The owner's token; empty where none is set that would be safe."""
    found = os.environ.get(VARIABLE, "")
    return found if len(found) >= SHORTEST else ""


def knows(said: str) -> bool:
    """Whether this is the owner's token."""
    return bool(token()) and secrets.compare_digest((said or "").encode(), token().encode())
