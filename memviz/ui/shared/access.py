"""Whether strangers can reach this app, who its owner is, and what each may do.

A page is private only where it is served on this machine alone: bound to a loopback address, not
shared, on no Space and behind no proxy. Everything else is public: decided from how the app is
served, and again for each request that says it came through a proxy. $MEMVIZ_PUBLIC overrules that
(1, or 0 for a proxy that lets only the owner through).
"""

import hmac
import os
import time
from collections import Counter
from collections.abc import Mapping
from ipaddress import ip_address
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import gradio as gr

VARIABLE = "MEMVIZ_OWNER_TOKEN"
SHORTEST = 16  # characters: shorter tokens can be guessed
LONGEST_DELAY = 8.0  # seconds before an answer to one more wrong guess
PROXIED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_SERVED: dict[str, Any] = {}  # the options that the app was launched with
_OWNERS: set[str] = set()  # sessions that gave the token
_GUESSES: Counter[str] = Counter()  # wrong ones, by address
_LOCK = Lock()


def serve(options: Mapping[str, Any]) -> None:
    """Remember how the app is served; call it before the page is laid out."""
    _SERVED.clear()
    _SERVED.update(options)


def public() -> bool:
    """Whether others can reach this app."""
    told = os.environ.get("MEMVIZ_PUBLIC", "")
    if told in ("0", "1"):
        return told == "1"
    share = _SERVED.get("share") or os.environ.get("GRADIO_SHARE", "").lower() == "true"
    root = _SERVED.get("root_path") or os.environ.get("GRADIO_ROOT_PATH")
    name = _SERVED.get("server_name") or os.environ.get("GRADIO_SERVER_NAME") or "127.0.0.1"
    return bool(os.environ.get("SPACE_ID") or share or root or not is_loopback(name))


def is_loopback(name: str) -> bool:
    """Whether a server of this name or address is heard on this machine alone."""
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:  # another name: who knows where it leads
        return False


def is_strange(request: "gr.Request | None") -> bool:
    """Whether a request reached a private page through a proxy that nobody told of."""
    if public() or os.environ.get("MEMVIZ_PUBLIC") == "0" or request is None:
        return False
    headers = getattr(request, "headers", None) or {}
    return any(name in headers for name in PROXIED)


def token() -> str:
    """The owner's token; empty where none is set that would be safe."""
    found = os.environ.get(VARIABLE, "")
    return found if len(found) >= SHORTEST else ""


def knows(said: str, address: str = "") -> bool:
    """Whether this is the owner's token; each wrong guess of an address makes the next slower."""
    with _LOCK:
        wrong = _GUESSES[address]
    time.sleep(min(LONGEST_DELAY, 0.1 * 2**wrong) if wrong else 0)
    right = bool(token()) and hmac.compare_digest((said or "").encode(), token().encode())
    with _LOCK:
        if right:
            _GUESSES.pop(address, None)
        elif len(_GUESSES) < 10_000:  # addresses; more than that are an attack that may wait
            _GUESSES[address] += 1
    return right


def let_in(request: "gr.Request | None") -> None:
    """From now on this session is the owner's."""
    if session := getattr(request, "session_hash", None):
        _OWNERS.add(session)


def is_visitor(request: "gr.Request | None") -> bool:
    """Whether a request on a public page is from somebody else than the owner."""
    return public() and getattr(request, "session_hash", None) not in _OWNERS


def current_request() -> "gr.Request | None":
    """The request that the running handler answers."""
    from gradio.context import LocalContext

    return LocalContext.request.get(None)


def current_session() -> str:
    """The session of the page that the running handler answers; empty where there is none."""
    return getattr(current_request(), "session_hash", None) or ""


def current_visitor() -> str:
    """The session of the visitor for whom a handler runs; empty for the owner, and at home."""
    request = current_request()
    return getattr(request, "session_hash", None) or "?" if is_visitor(request) else ""
