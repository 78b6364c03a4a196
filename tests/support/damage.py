"""Damage: what a file may hold that nobody meant to write; the same for a seed."""

import json
import math
import os
from pathlib import Path
from random import Random
from typing import Any

ODD = [
    *(None, True, False, 0, -1, 2**31, 10**30, 1e308, -0.5, math.nan, math.inf),
    *("", " ", "\0", "x" * 100_000, "../..", "/etc/passwd", "~nobody", "🦊", "\ud800", "1e999"),
    *([], {}, [[]], [None], [0, "a"], {"a": {}}, {"": None}),
]
TOKENS = [b"\0", b"\xff\xfe", b"{", b"}", b"[" * 100_000, b'"', b"\n", b"\r", b"NaN", b"-1",
          b"9" * 5_000, b"\xed\xa0\x80", b"null", b"{}", b",,"]  # fmt: skip


def damage_file(path: Path, rng: Random) -> None:
    """Do something to a file: to its values, its bytes, or to what it is."""
    kind = rng.random()
    if kind < 0.06:
        replace_file(path, rng)
    elif kind < 0.6 and path.suffix in (".json", ".jsonl"):
        path.write_text(damage_json(path.read_text("utf-8"), rng), "utf-8")
    else:
        path.write_bytes(damage_bytes(path.read_bytes(), rng))


def replace_file(path: Path, rng: Random) -> None:
    """Put something else in its place that has a name, too."""
    path.unlink()
    match rng.randrange(7):
        case 0:
            os.mkfifo(path)
        case 1:
            path.mkdir()
        case 2:
            path.symlink_to(path.with_name("nowhere"))
        case 3:
            path.symlink_to(path)
        case 4:
            path.symlink_to("/dev/zero")
        case 5:
            path.symlink_to("/proc/self/mem")
        case 6:
            path.write_bytes(b"")


def damage_bytes(data: bytes, rng: Random) -> bytes:
    """Other bytes, here and there."""
    found = bytearray(data)
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        at = rng.randrange(len(found) + 1)
        length = min(rng.choice([1, 1, 4, 30]), len(found) - at)
        match rng.randrange(5):
            case 0:
                found[at : at + length] = rng.randbytes(length)
            case 1:
                del found[at:]
            case 2:
                del found[at : at + length]
            case 3:
                found[at:at] = rng.choice(TOKENS)
            case 4:
                found[at:at] = found[at : at + 200]
    return bytes(found)


def damage_json(text: str, rng: Random) -> str:
    """A document, or one line of several, with another value somewhere in it."""
    try:
        return json.dumps(damage_value(json.loads(text), rng))
    except json.JSONDecodeError:
        lines = text.splitlines()
        at = rng.randrange(len(lines))
        lines[at] = json.dumps(damage_value(json.loads(lines[at]), rng))
        return "\n".join(lines)


def damage_value(value: Any, rng: Random) -> Any:
    """The same with one entry replaced, taken away or moved."""
    places = list(walk(value))
    if not places:
        return rng.choice(ODD)
    holder, key = rng.choice(places)
    match rng.randrange(5):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, dict):
            holder[rng.choice(["", "x", "\0", "🦊", "__class__"])] = holder.pop(key)
        case 2 if isinstance(holder, list):
            holder[key:key] = [holder[key]] * rng.choice([1, 1_000])
        case _:
            holder[key] = rng.choice(ODD)
    return value


def walk(value: Any) -> Any:
    """Every holder with every key or place in it."""
    pairs = enumerate(value) if isinstance(value, list) else ()
    for key, item in [*value.items()] if isinstance(value, dict) else pairs:
        yield value, key
        yield from walk(item)
