"""Fine-tuning that copies less: IET-AGC (Liu et al., ECCV 2024, https://arxiv.org/abs/2407.15328).

May import everything from `jobs` down.

`config.Config` holds what can be asked. `run.train` is a generator of plain dictionaries, each
with an `event`; whoever runs it writes them down. A reader needs to know no more than this:

`start`: once, and again after a resume. steps, samples, pictures, members,
    processes, mode, resumed_at.
`step`: every few steps of a member. step, steps (in all), round, member, loss, kept (share), lr,
    norm (of the gradient, before it is clipped), samples_per_second (of all processes), seconds,
    left (seconds of training to the end).
`fixed_loss`: at each look. step, round, member as in `probe`, held_out and seen: the denoising loss
    at fixed noise and timesteps of pictures held out (null where none are) and of pictures that
    count once.
`gate`: end of a round, with a loss gate. step, round, skipped (share), and two lists over `BINS`
    equal ranges of the timestep, the least noisy first, null where nothing was seen:
    skipped_by_t (share), bank_by_t (loss).
`leaderboard`: end of a round, with a gate. step, round, pictures: those skipped most, a list of
    {id, caption, seen, skipped, copies (entries that show the same, its own included),
    duplicates (ids of other pictures that do)}.
`probe`: before the first round, after each, and within rounds where asked for. step, round, member
    (whose weights they are within a round; null: the average), mid_schedule (the learning rate was
    still to fall: a training that ends there, with a decay of its own, is another model), groups:
    {group: {copied, similarity_mean, magnitude, alignment}}, pictures: [{group, prompt, seed, file,
    similarity, match}], copying_from (step of the first look that found copying) and stop_here
    (the last round before it); both null while there is none.
`saved`: a round's weights were written. step, round, folder.
`checkpoint`: all that a resume needs was written. step, folder.
`stopped`: it was asked to stop, and wrote a checkpoint. step.
`done`: the pipeline was written. step, samples, seconds, folder.

`step` counts the optimizer steps of all members, so it runs to the `steps` of `start` in every
mode; `round` counts from 1, 0 being the model before; `seconds` is time spent training, stretches
before a resume included. Paths are relative to the output folder.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memviz.training.monitoring.copy_monitor import CopyMonitor

__all__ = ["BINS", "CopyMonitor"]

BINS = 20  # ranges of the timestep in the lists of a `gate` event


def __getattr__(name: str) -> object:
    """`CopyMonitor`, imported when it is asked for: it needs torch."""
    if name != "CopyMonitor":
        raise AttributeError(f"module 'memviz.training' has no attribute {name!r}")
    from memviz.training.monitoring.copy_monitor import CopyMonitor

    return CopyMonitor
