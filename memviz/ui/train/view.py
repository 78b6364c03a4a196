"""A fine-tuning as the dictionary that the browser draws, and as sentences."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from memviz import jobs
from memviz.training import BINS
from memviz.ui.shared.messages import big, duration
from memviz.ui.train.history import History, Row, thinned

Picture = Callable[[str], str | None]  # a file in the output folder or an id to its address
KEPT = ("group", "prompt", "seed", "similarity")  # of a probe picture
SHOWN = 4  # probe pictures per group
LINES = 40
GROUPS = {"duplicated": "shown often", "single": "shown once", "unseen": "never seen"}
MEASURES = {  # of the watched prompts
    "copied": "copied",
    "similarity_mean": "similarity",
    "magnitude": "magnitude",
    "alignment": "alignment",
}
FIXED = {"held_out": "held out, fixed noise", "seen": "seen once, fixed noise"}
STEPS = range(0, 1_000, 1_000 // BINS)  # the least timestep of each range


def view(history: History, probe: Picture, trained: Picture) -> dict[str, Any]:
    """Everything about one job; `probe` and `trained` find the addresses of small pictures."""
    job, state = history.job, history.job.state()
    return {
        "id": job.id,
        "kind": job.asked["kind"],
        "title": job.asked["title"],
        "state": state.name,
        "words": words(state),
        "over": state.over,
        "since": state.since,
        "now": time.time(),
        "silence": job.silence() if state.name == "running" else None,
        "pace": history.pace(),
        "command": jobs.shown(job.command),
        "progress": progress(history),
        "loss": thinned(history.of("step"), "step", "loss"),
        "fixed_loss": fixed_loss(history.of("fixed_loss")),
        "probes": probes(history),
        "rounds": [pictures(row, probe) for row in history.of("probe")],
        "measures": MEASURES,
        "stop_step": stop_step(history),
        "best": history.last("done").get("model"),
        "gates": history.of("gate"),
        "timesteps": [t + STEPS.step / 2 for t in STEPS],
        "leaders": leaders(history.last("leaderboard"), trained),
        "log": job.log_tail(LINES),
        "said": said(history),
    }


def words(state: jobs.State) -> str:
    """A state as a sentence; a failure begins with what the trainer itself said last."""
    said = state.lines[-1:] if state.name == "failed" else ()
    return " ".join([*said, state.words])


def progress(history: History) -> dict[str, Any]:
    """How far it is and how long it will take."""
    start, left = history.last("start"), history.remaining()
    step = history.last("done").get("step") or history.step()
    facts = {"steps": start.get("steps"), "size": extent(start)}
    return {**facts, "step": step, "left": left and eta(*left)}


def extent(start: Mapping[str, Any]) -> str:
    """How much work it is."""
    if {"follows", "prompts"} <= start.keys():
        return f"each state that {start['follows']} saves, {start['prompts']} prompts"
    if {"looks", "prompts"} <= start.keys():
        return f"{start['looks']} looks at {start['prompts']} prompts"
    if not {"mode", "members", "pictures", "samples"} <= start.keys():
        return ""
    members = f"{start['members']} member{'s' * (start['members'] > 1)}"
    pictures, samples = big(start["pictures"]), big(start["samples"])
    return f"{start['mode']}, {members}, {pictures} pictures, {samples} samples"


def stop_step(history: History) -> int | None:
    """The step of the last round before copying began."""
    stop = history.last("probe").get("stop_here")
    ends = (row for row in history.of("probe") if row.get("member") is None)
    return next((row["step"] for row in ends if row["round"] == stop), None)


def eta(likely: float, best: float, worst: float) -> str:
    """A time to come with its spread."""
    if worst < 1:
        return "about to end"
    return f"about {duration(likely)} left ({duration(best)} to {duration(worst)})"


def probes(history: History) -> dict[str, dict[str, list]]:
    """The memorization curves: per group of prompts the copied share and more, by step."""
    rows = history.of("probe")
    names = list(dict.fromkeys(name for row in rows for name in row["groups"]))
    return {name: curve(name, rows) for name in names}


def fixed_loss(rows: list[Row]) -> dict[str, dict[str, list]]:
    """The loss at fixed noise of pictures held out and of pictures seen, by step."""
    found = {}
    for key, name in FIXED.items():
        if told := [row for row in rows if row[key] is not None]:
            found[name] = {"x": [r["step"] for r in told], "y": [r[key] for r in told]}
    return found


def curve(name: str, rows: list[Row]) -> dict[str, Any]:
    """One group's curves."""
    seen = [row for row in rows if name in row["groups"]]
    measured = {key: [row["groups"][name].get(key) for row in seen] for key in MEASURES}
    return {"x": [row["step"] for row in seen], "label": GROUPS.get(name, name), **measured}


def pictures(row: Row, probe: Picture) -> dict[str, Any]:
    """The probe pictures of one look, the same prompts each time."""
    counts: dict[str, int] = {}
    found = []
    for item in row.get("pictures", ()):
        counts[item["group"]] = counts.get(item["group"], 0) + 1
        if counts[item["group"]] <= SHOWN:
            found.append({**{k: item.get(k) for k in KEPT}, "src": probe(item["file"])})
    return {"name": moment(row), "pictures": found}


def moment(row: Mapping[str, Any]) -> str:
    """When a look was."""
    if row["round"] == 0:
        return "before training"
    if row.get("saved"):
        return f"at step {big(row['step'])} ({row['saved']})"
    mid = ", in mid-schedule" if row.get("mid_schedule") else ""
    if row.get("member") is None:
        return f"after round {row['round']}{mid}"
    return f"at step {big(row['step'])}, round {row['round']}, member {row['member'] + 1}{mid}"


def leaders(row: Mapping[str, Any], trained: Picture) -> list[dict[str, Any]]:
    """The pictures skipped most."""
    return [{**item, "src": trained(str(item["id"]))} for item in row.get("pictures", ())]


def said(history: History) -> dict[str, str | dict[str, str]]:
    """A sentence beside each chart."""
    losses, gate, probe = history.of("step"), history.last("gate"), history.last("probe")
    return {
        "loss": loss_words(losses, history.last("fixed_loss")),
        "probes": probe_words(probe, history.of("probe")),
        "gate": gate_words(gate),
        "bank": "The bank holds the running mean loss of each range of timesteps." if gate else "",
    }


def loss_words(losses: list[Row], fixed: Mapping[str, Any]) -> str:
    """The newest losses."""
    if not losses:
        return ""
    words = f"The loss is {losses[-1]['loss']:.3f} now."
    told = [f"{fixed[key]:.3f} {name}" for key, name in FIXED.items() if fixed.get(key)]
    return f"{words} At the last look it was {' and '.join(told)}." if told else words


def probe_words(row: Mapping[str, Any], looks: list[Row]) -> dict[str, str]:
    """What the newest of all looks found, by measure."""
    if not row:
        return {}
    words = {name: measured(row, name) for name in MEASURES}
    stop, step = row.get("stop_here"), row.get("copying_from")
    if step is not None:
        until = "even the first is too much" if stop == 0 else f"after round {stop}: stop there"
        words["copied"] += f" Copying began by step {big(step)}, {until}."
        if any(look["round"] == stop and look.get("mid_schedule") for look in looks):
            words["copied"] += (
                f" That round was judged in mid-schedule: train anew with --rounds {stop}, so that "
                "its learning rate falls to the end."
            )
    return words


def measured(row: Mapping[str, Any], name: str) -> str:
    """One measure of every group of prompts."""
    say = share if name == "copied" else figure
    parts = [
        f"{say(found.get(name))} of the prompts {GROUPS.get(group, group)}"
        for group, found in row["groups"].items()
    ]
    return f"{MEASURES[name].capitalize()} {moment(row)}: {', '.join(parts)}."


def figure(value: float | None) -> str:
    """A mean."""
    return "an unknown mean" if value is None else f"{value:.2f}"


def gate_words(row: Mapping[str, Any]) -> str:
    """How much was skipped, and where most."""
    if not row:
        return ""
    seen = [(s, i) for i, s in enumerate(row["skipped_by_t"]) if s is not None]
    if not seen or not row["skipped"]:
        return f"No sample was skipped in round {row['round']}."
    most, place = max(seen)
    low = STEPS[place]
    return (
        f"{share(row['skipped'])} of the samples were skipped in round {row['round']}, "
        f"most at timesteps {low} to {low + STEPS.step - 1} ({share(most)})."
    )


def share(value: float | None) -> str:
    """A share in percent."""
    return "an unknown share" if value is None else f"{100 * value:.0f} %"
