"""Does a prompt look memorized? The magnitude of its first step, against ordinary prompts."""

import math

from memviz.retrieval.verdict import Verdict


def prompt_signal(
    magnitude: float, band: tuple[float, float] | None, kind: str = "prompts"
) -> Verdict:
    """Does the prompt look memorized? `band` is where ordinary prompts of its kind lie."""
    if band is None or not math.isfinite(magnitude):
        reason = "No band of ordinary prompts is known for this kind of prompt, model and settings."
        return Verdict("No band", reason, "unknown")
    low, high = band
    text = f"{magnitude:.2f}; ordinary {kind} lie between {low:.2f} and {high:.2f}."
    if magnitude > high:
        return Verdict("Looks memorized", f"Magnitude at the start: {text}", "memorized")
    return Verdict("Looks ordinary", f"Magnitude at the start: {text}", "ordinary")
