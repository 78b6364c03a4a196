"""The demo's ready prompts by group."""

from memviz.data import prompts as data_prompts
from memviz.io.paths import demo
from memviz.io.read import read_json

GROUPS = {
    "duplicated": "Copied: shown hundreds of times in training",
    "swapped": "Caption swapped: the same words, mixed",
    "heldout": "Never seen in training",
}


def examples() -> dict[str, list[str]]:
    """The ready prompts of the demo by group; empty where there is no demo."""
    found = data_prompts.demo()
    return {group: found.get(group, []) for group in GROUPS}


def group_titles() -> dict[str, str]:
    """What each group is; of swapped captions also how often they are copied all the same."""
    report = demo() / "report.json"
    share = read_json(report).get("copied_cfg_swapped") if report.is_file() else None
    if share is None:
        return GROUPS
    return GROUPS | {"swapped": f"{GROUPS['swapped']}; {share:.0%} copied all the same"}
