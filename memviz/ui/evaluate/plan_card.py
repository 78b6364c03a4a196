"""The card before a start: what the command's own dry run found, in a person's words."""

from collections.abc import Mapping, Sequence
from typing import Any

from memviz.io.disk import format_bytes
from memviz.ui.shared.messages import big, duration
from memviz.ui.shared.plan_card import render_plan


def render_card(plans: Sequence[Mapping[str, Any]]) -> str:
    """All plans together, what is missing first."""
    missing = {need["part"]: describe_need(need) for plan in plans for need in plan["missing"]}
    alerts = [*missing.values(), *full_disk(plans)]
    return render_plan(alerts, list_facts(plans))


def describe_need(need: Mapping[str, str]) -> str:
    """A download, with its size and license."""
    place = f" {need['url']}" if need["url"] else ""
    return f"Missing, {need['part']}: {need['what']} ({need['size']}, {need['license']}){place}"


def full_disk(plans: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence where the disk is too small."""
    needed = sum(plan["bytes"] or 0 for plan in plans)
    free = min(plan["free_bytes"] for plan in plans)
    return ["The disk is too small for this: make room first."] if needed > free else []


def list_facts(plans: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Label and value."""
    first = plans[0]
    total, ready = (sum(plan[name] for plan in plans) for name in ("pictures", "ready"))
    models = f" x {len(plans)} models" if len(plans) > 1 else ""
    facts = [
        ("Pictures", f"{big(total)}: {first['methods']} methods x {big(first['prompts'])} prompts "
                     f"x their seeds{models}" + (f"; {big(ready)} are there" if ready else "")),
        ("Columns", ", ".join(first["columns"])),
    ]  # fmt: skip
    seconds = [plan["seconds"] for plan in plans if plan["seconds"] is not None]
    if seconds:
        told = "measured just now on two short trials of each method"
        facts.insert(1, ("Time", f"about {duration(sum(seconds))} to make them, {told}"))
    if sizes := [plan["bytes"] for plan in plans if plan["bytes"] is not None]:
        room = f"about {format_bytes(sum(sizes))}; {format_bytes(first['free_bytes'])} are free"
        facts.insert(2, ("Disk", room))
    begin = all(plan["may_start"] for plan in plans)
    if not begin:
        facts.append(("Can it start?", "Not with what is here: fetch what is missing, or leave "
                                       "those columns out."))  # fmt: skip
    return facts
