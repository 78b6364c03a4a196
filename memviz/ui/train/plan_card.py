"""The card before a start: what the trainer's own dry run found, in a person's words."""

from collections.abc import Mapping
from typing import Any

import psutil

from memviz.io import html
from memviz.ui.train.view import big, duration

Plan = Mapping[str, Any]


def card(plan: Plan) -> str:
    """A plan as a list of facts, what will not fit first."""
    return html.render("ui/train/plan_card.html", missing=missing(plan), facts=facts(plan))


def facts(plan: Plan) -> list[tuple[str, str]]:
    """Label and value."""
    looks = f", and {plan['looks']} looks at the watched prompts" if plan["looks"] else ""
    return [
        ("Pictures", big(plan["pictures"]) + shown(plan)),
        ("Duplicates", duplicates(plan)),
        ("Work", f"{big(plan['steps'])} steps, {big(plan['samples'])} samples"),
        ("Members", str(plan["members"])),
        (
            "Time",
            f"about {duration(plan['seconds_of_training'])} at {plan['seconds_per_step']:.2f} s "
            f"a step, measured just now{looks}",
        ),
        ("Memory", f"about {size(plan['memory_mb'])} on the {plan['device']}"),
        ("Disk", f"up to {size(plan['disk_mb'])}; {size(plan['disk_free_mb'])} are free"),
    ]


def shown(plan: Plan) -> str:
    """How often the pictures count, if some count more than once."""
    more = plan["entries"] > plan["pictures"]
    return f", shown {big(plan['entries'])} times in a pass" if more else ""


def duplicates(plan: Plan) -> str:
    """What repeats, which is what gets copied."""
    groups = plan["groups_of_copies"]
    most = f"one picture is there {big(plan['most_copies_of_one'])} times"
    if not groups:
        return "no two files show the same picture" if plan["most_copies_of_one"] < 2 else most
    return f"{big(plan['pictures_in_them'])} files in {big(groups)} groups show the same; {most}"


def missing(plan: Plan) -> list[str]:
    """What stands against it."""
    found = []
    if plan["disk_mb"] > plan["disk_free_mb"]:
        found.append("The disk is too small for this: make room, or keep fewer checkpoints.")
    free = psutil.virtual_memory().available / 1e6
    if plan["device"] == "cpu" and plan["memory_mb"] > free:
        found.append(f"Only {size(free)} of memory are free: take fewer shards or a smaller batch.")
    return found


def size(megabytes: float) -> str:
    """Megabytes as a person says them."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
