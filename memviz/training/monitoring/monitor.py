"""The same prompts with the same noise, drawn again and again while weights change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from memviz.training.events import Event
from memviz.training.monitoring.probes import Judge, ProbeResult

BEGINS = 0.1  # rise of the copied share above the first look's from which copying has begun


class Watch:
    """Groups of prompts, who judges them, and every look at them so far; pictures go to `out`."""

    def __init__(
        self, judge: Judge, prompts: Mapping[str, Sequence[str]], out: Path, seeds: Sequence[int]
    ) -> None:
        self.judge, self.prompts, self.out, self.seeds = judge, prompts, out, seeds
        self.looks: list[Event] = []

    def look(
        self, step: int, number: int, member: int | None = None, mid_schedule: bool = False
    ) -> Event:
        """A `probe` event of the weights as they are: of the average, or of a member in a round."""
        found: Event = {"event": "probe", "step": step, "round": number, "member": member}
        found |= {"mid_schedule": mid_schedule, "groups": {}, "pictures": []}
        for group, texts in self.prompts.items():
            seen = self.judge.look(texts, self.seeds)
            found["groups"][group] = seen.figures(self.judge.detector.thresholds.copied)
            found["pictures"] += self.kept(f"probes/{step:09}/{group}", group, seen)
        self.looks.append(found)
        return found | {
            "copying_from": copying_from(self.looks),
            "stop_here": stop_here(self.looks),
        }

    def kept(self, place: str, group: str, look: ProbeResult) -> list[dict[str, Any]]:
        """Write a group's pictures; what an event says of each."""
        (self.out / place).mkdir(parents=True, exist_ok=True)
        rows = []
        asked = [(text, seed) for text in self.prompts[group] for seed in self.seeds]
        for i, (text, seed) in enumerate(asked):
            file = f"{place}/{i:02}.png"
            look.pictures[i].save(self.out / file)
            facts = {"group": group, "prompt": text, "seed": seed, "file": file}
            near = {"similarity": round(float(look.similarity[i]), 4), "match": int(look.match[i])}
            rows.append(facts | near)
        return rows


def rises(looks: Sequence[Event]) -> Iterator[tuple[Event, Event]]:
    """Each look from which copying has begun, after the look before it.

    It has begun when the copied share of a group is `BEGINS` above the first look's.
    """
    first = looks[0]["groups"] if looks else {}
    for before, now in pairwise(looks):
        risen = (f["copied"] - first[group]["copied"] for group, f in now["groups"].items())
        if max(risen) > BEGINS:
            yield before, now


def copying_from(looks: Sequence[Event]) -> int | None:
    """The step of the first look that found copying; None while none has."""
    return next((now["step"] for _, now in rises(looks)), None)


def stop_here(looks: Sequence[Event]) -> int | None:
    """The last round whose average was looked at before copying began; None while it has not."""
    ends = [look for look in looks if look.get("member") is None]
    return next((before["round"] for before, _ in rises(ends)), None)
