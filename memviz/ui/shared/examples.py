"""The demo's ready prompts by group."""

from memviz.data import prompts as data_prompts

GROUPS = {
    "duplicated": "Copied: shown hundreds of times in training",
    "swapped": "Caption swapped: the same words, mixed",
    "heldout": "Never seen in training",
}


def examples() -> dict[str, list[str]]:
    """The ready prompts of the demo by group; empty where there is no demo."""
    found = data_prompts.demo()
    return {group: found.get(group, []) for group in GROUPS}
