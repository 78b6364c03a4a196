"""Every verb, in the order of the help."""

from memviz.cli.calibrate import VERB as CALIBRATE
from memviz.cli.command import Verb
from memviz.cli.compare import VERB as COMPARE
from memviz.cli.demo_report import VERB as DEMO_REPORT
from memviz.cli.demo_sheet import VERB as DEMO_SHEET
from memviz.cli.detect import VERB as DETECT
from memviz.cli.fetch import VERB as FETCH
from memviz.cli.index import VERB as INDEX
from memviz.cli.jobs import VERB as JOBS
from memviz.cli.methods import VERB as REMEDIES
from memviz.cli.models import VERB as MODELS
from memviz.cli.reproduce import VERB as REPRODUCE
from memviz.cli.rounds import VERB as ROUNDS
from memviz.cli.runs import VERB as RUNS
from memviz.cli.search import VERB as SEARCH
from memviz.cli.sweep import VERB as SWEEP
from memviz.cli.train import VERB as TRAIN

VERBS: dict[str, Verb] = {
    "compare": COMPARE,
    "search": SEARCH,
    "index": INDEX,
    "fetch": FETCH,
    "sweep": SWEEP,
    "calibrate": CALIBRATE,
    "detect": DETECT,
    "remedies": REMEDIES,
    "models": MODELS,
    "runs": RUNS,
    "train": TRAIN,
    "rounds": ROUNDS,
    "jobs": JOBS,
    "reproduce": REPRODUCE,
    "demo-report": DEMO_REPORT,
    "demo-sheet": DEMO_SHEET,
}
