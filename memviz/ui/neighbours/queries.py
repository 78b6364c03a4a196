"""The ways into the Neighbours tab: a picture, a cell of a run, words, the training data itself."""

import secrets
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from memviz.data import corpus
from memviz.errors import InputError, MemvizError
from memviz.retrieval.descriptors.choice import CHOICES
from memviz.runs import store
from memviz.search.folder import kept
from memviz.ui.neighbours import indexing
from memviz.ui.neighbours.view import view
from memviz.ui.shared import access
from memviz.ui.shared.kept_runs import own
from memviz.ui.shared.live import MACHINE
from memviz.ui.shared.messages import notice

if TYPE_CHECKING:
    from memviz.retrieval.copy_detector import CopyDetector
    from memviz.search import SearchRequest

KEPT_RUNS = 12  # in the menu of pictures that were made
BY_WORDS = 12  # training images that a caption search looks up
LOOKING = "Looking it up … The first search loads the descriptor."


def made() -> list[tuple[str, str]]:
    """Pictures of the newest runs, as label and "run/cell"."""
    return [
        (f"{run.record.title}: {c.label}, seed {c.seed}", f"{run.record.id}/{c.number}")
        for run in [*store.bundled(), *own(KEPT_RUNS)]
        for c in run.record.cells
        if c.image
    ]


def cell_picture(chosen: str) -> tuple[Path, str]:
    """The file and prompt of one cell; only runs that are kept can be named."""
    run_id, _, number = (chosen or "").partition("/")
    run = store.read(run_id)
    for cell in run.record.cells:
        if cell.image and str(cell.number) == number:
            return run.folder / cell.image, cell.prompt
    raise InputError(f"Run {run_id} has no finished picture {number!r}. Choose from the list.")


def find_detector(name: str, preset: str) -> "CopyDetector":
    """Corpus, descriptor and index; on a public page only those it knows."""
    if access.public() and (name not in corpus.known() or preset not in CHOICES):
        raise InputError("On this public page, choose corpus and descriptor from the lists.")
    return indexing.searchable(name, preset)


def pictures(files: list[Path], prompts: list[str]) -> corpus.Corpus:
    """Some pictures as a set."""
    from memviz.data.formats.files import PictureFiles

    return corpus.Corpus(
        "your picture", PictureFiles(files, prompts, [file.name for file in files])
    )


def uploaded(picture: str | None, name: str, preset: str, mark: str) -> "SearchRequest":
    """A dropped picture, as its file came."""
    from memviz.search import SearchRequest

    if not picture:
        raise InputError("Drop a picture first.")
    return SearchRequest(find_detector(name, preset), pictures([Path(picture)], [""]), mark)


def of_run(chosen: str, name: str, preset: str, mark: str) -> "SearchRequest":
    """A picture that was made here."""
    from memviz.search import SearchRequest

    file, prompt = cell_picture(chosen)
    return SearchRequest(find_detector(name, preset), pictures([file], [prompt]), mark)


def by_words(text: str, name: str, preset: str, mark: str) -> "SearchRequest":
    """Training images whose captions have these words, each against the others."""
    from memviz.data.caption_overlap import best, shared
    from memviz.search import SearchRequest

    looking = find_detector(name, preset)
    rows = best(looking.corpus.captions, text or "", BY_WORDS)
    if not rows:
        raise InputError(f"No caption of {name} has any of these words. Try others.")
    said = " ".join(shared(text, looking.corpus.captions[rows[0]]))
    note = f"Training images with “{said}” in their captions, each beside its nearest other."
    found = looking.corpus.some([looking.corpus.ids[row] for row in rows])
    return SearchRequest(looking, found, mark, note=note)


def of_case(case: str) -> Callable[[str, str, str], "SearchRequest"]:
    """Training images taken by chance, changed as pictures are on their way."""

    def changed(name: str, preset: str, mark: str) -> "SearchRequest":
        from memviz.search import SearchRequest, edited_images

        looking = find_detector(name, preset)
        made, used = edited_images.pictures(looking.corpus, case, secrets.randbelow(2**32))
        return SearchRequest(looking, made, mark, note=edited_images.said(case, used))

    return changed


def looked_up(asked: "SearchRequest") -> dict[str, Any]:
    """Search now; the view of what was found."""
    from memviz.search.folder import new_folder, search

    folder = new_folder()
    with MACHINE:
        deque(search(asked, folder), maxlen=0)
    return view(folder)


def duplicates(name: str, preset: str, _: str) -> dict[str, Any]:
    """Groups of duplicates within the training data."""
    from memviz.retrieval import index_store
    from memviz.search.duplicates import report
    from memviz.search.folder import new_folder

    looking, folder = find_detector(name, preset), new_folder()
    report(looking, index_store.folder(looking.corpus, looking.descriptor), folder)
    return view(folder)


def answering(find: Callable[..., Any]) -> Callable[..., Iterator[tuple[Any, str]]]:
    """A handler: a view and no message, or the sentence on why there is none."""

    def answer(*values: object) -> Iterator[tuple[Any, str]]:
        yield gr.skip(), notice(LOOKING, alert=False)
        try:
            found = find(*values)
            yield (found if isinstance(found, dict) else looked_up(found)), notice()
        except (MemvizError, OSError) as error:
            yield gr.skip(), notice(str(error), alert=not isinstance(error, indexing.Begun))

    return answer


def addressed(request: gr.Request) -> tuple[Any, Any]:
    """The search that the page's address names."""
    wanted = request.query_params.get("search")
    try:
        return (view(kept(wanted)), notice()) if wanted else (gr.skip(), gr.skip())
    except MemvizError as error:
        return gr.skip(), notice(str(error))
