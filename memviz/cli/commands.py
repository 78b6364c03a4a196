"""Every verb, in the order of the help; the module of one is loaded when it is asked for."""

from dataclasses import dataclass
from importlib import import_module

from memviz.cli.command import Verb


@dataclass(frozen=True)
class Entry:
    """A row of the help: the module in this package that holds a `VERB`, and what it does."""

    module: str
    about: str

    def load(self) -> Verb:
        """The verb itself."""
        return import_module(f"memviz.cli.{self.module}").VERB


VERBS = {
    "app": Entry("app", "open the app on this machine"),
    "compare": Entry(
        "compare",
        "make one prompt with several methods and seeds, and say which pictures are copies",
    ),
    "generate": Entry(
        "generate", "make pictures of many prompts into folders, and go on where that broke off"
    ),
    "evaluate": Entry(
        "evaluate", "fill a paper's table: make what is missing, and show published rows beside it"
    ),
    "guard": Entry(
        "guard", "make a picture that is no copy: try the next method where it is too near"
    ),
    "search": Entry(
        "search", "find the training images that pictures copy, one by one or a whole folder"
    ),
    "index": Entry("index", "make a corpus searchable, or bring its index up to date"),
    "fetch": Entry("fetch", "fetch the weights of a descriptor, with a check of what came"),
    "export-descriptor": Entry(
        "export_descriptor", "turn fetched weights into ONNX, which runs quicker without a GPU"
    ),
    "sweep": Entry("sweep", "make one prompt at many transition points, with shared evaluations"),
    "calibrate": Entry(
        "calibrate", "measure between which values every signal lies for ordinary prompts"
    ),
    "detect": Entry(
        "detect", "score which prompts of a list look memorized, and how well the score tells"
    ),
    "remedies": Entry(
        "methods", "measure every method on the demo's prompts: copies, alignment and cost"
    ),
    "models": Entry("models", "list the models that can be named"),
    "runs": Entry(
        "runs", "list the runs kept on this machine and the bundled ones, or remove some"
    ),
    "bundle": Entry("bundle", "write a run as one zip file to hand on"),
    "open": Entry("open", "verify such a file and keep its run, or make its pictures again"),
    "doctor": Entry("doctor", "list and mend what is left over, broken off or damaged"),
    "clean": Entry("clean", "remove old runs, searches and jobs, by age or by size"),
    "watch": Entry(
        "watch", "follow the checkpoints of any trainer, and say from which on they copy"
    ),
    "train": Entry("train", "fine-tune a model so that it copies less"),
    "rounds": Entry("rounds", "find the round of a training from which its model copies"),
    "jobs": Entry("jobs", "list the background jobs, or follow, stop, resume, clone or remove one"),
    "reproduce": Entry(
        "reproduce", "train the demo with and without IET-AGC and compare what is copied"
    ),
    "publish-space": Entry("publish_space", "put the app onto Hugging Face as a Space of yours"),
    "demo-report": Entry(
        "demo_report", "measure how the bundled demo model copies, in a few minutes"
    ),
    "demo-sheet": Entry(
        "demo_sheet", "draw what the demo model makes of its prompts, method by method"
    ),
}
