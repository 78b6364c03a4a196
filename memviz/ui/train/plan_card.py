"""The card before a start: what the trainer's own dry run found, in a person's words."""

from collections.abc import Mapping
from typing import Any

import psutil

from memviz.ui.shared.messages import big, duration
from memviz.ui.shared.plan_card import render_plan

Plan = Mapping[str, Any]
BUSY = 0.25  # share of the processors that others take from which a person is told


def card(plan: Plan) -> str:
    """A plan as a list of facts, what will not fit first."""
    return render_plan(missing(plan), facts(plan), warnings(plan))


def facts(plan: Plan) -> list[tuple[str, str]]:
    """Label and value."""
    looks = (
        f", and {plan['looks']} looks at the watched prompts, about "
        f"{duration(plan['seconds_of_looks'])}"
    )
    return [
        ("Pictures", big(plan["pictures"]) + shown(plan)),
        ("Duplicates", duplicates(plan)),
        ("Work", f"{big(plan['steps'])} steps, {big(plan['samples'])} samples"),
        ("Members", str(plan["members"])),
        (
            "Time",
            f"about {duration(plan['seconds_of_training'])} at {plan['seconds_per_step']:.2f} s "
            f"a step, measured just now{looks if plan['looks'] else ''}",
        ),
        ("Memory", memory(plan)),
        (
            "Disk",
            f"up to {size(plan['disk_mb'])}; {size(plan['disk_free_mb'])} are free. Encoded "
            f"pictures and captions take {size(plan['cache_mb'])} more in the data folder",
        ),
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


def memory(plan: Plan) -> str:
    """What is taken of the main memory, parked members included, and of the GPU's."""
    main = f"about {size(plan['memory_mb'])} of main memory"
    parked = ", parked members included" if plan["members"] > 1 else ""
    if plan["gpu_memory_mb"] is None:
        return main + parked
    gpu = f"{size(plan['gpu_memory_mb'])} of the GPU's {size(plan['gpu_total_mb'])}"
    return f"about {gpu}, {main}{parked}"


def missing(plan: Plan) -> list[str]:
    """What stands against it."""
    found = []
    if plan["disk_mb"] > plan["disk_free_mb"]:
        found.append("The disk is too small for this: make room, or keep fewer checkpoints.")
    free = psutil.virtual_memory().available / 1e6
    if plan["memory_mb"] > free:
        found.append(f"Only {size(free)} of memory are free: take fewer shards or a smaller batch.")
    return found


def warnings(plan: Plan) -> list[str]:
    """What makes these figures uncertain."""
    if plan["busy"] <= BUSY:
        return []
    return [
        f"Other programs take {plan['busy']:.0%} of the processors now: the times above are those "
        "of a busy machine, and shorter when it is free."
    ]


def size(megabytes: float) -> str:
    """Megabytes as a person says them."""
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes:.0f} MB"
