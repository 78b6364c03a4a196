"""Does a prompt look memorized? The magnitude of its first step, against ordinary prompts."""

from memviz.retrieval.verdict import Verdict, _checked


def prompt_signal(
    magnitude: float, band: tuple[float, float] | None, kind: str = "prompts"
) -> Verdict:
    """Does the prompt look memorized? `band` is where ordinary prompts of its kind lie."""
    value = _checked(magnitude)
    if value is None or band is None:
        reason = "No band of ordinary prompts is known for this kind of prompt, model and settings."
        return Verdict("No band", reason, "unknown")
    low, high = band
    text = f"{value:.2f}; ordinary {kind} lie between {low:.2f} and {high:.2f}."
    if value > high:
        return Verdict("Looks memorized", f"Magnitude at the start: {text}", "memorized")
    return Verdict("Looks ordinary", f"Magnitude at the start: {text}", "ordinary")
