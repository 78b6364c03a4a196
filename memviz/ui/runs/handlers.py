"""What the list of runs asks for: a name, a note or a star, to delete and to bring back."""

from typing import Any

import gradio as gr

from memviz.errors import InputError, MemvizError
from memviz.runs import store, trash
from memviz.runs.note import Note, write_note
from memviz.ui.runs.view import make_view
from memviz.ui.shared import access

CLOSED = "Only the owner of this page can change its runs, on the machine that it runs on."


def change_runs(event: gr.EventData) -> dict[str, Any]:
    """Do what was asked, and the runs as they are then; what could not be done is said there."""
    try:
        if access.public():
            raise InputError(CLOSED)
        told = event._data
        ACTIONS[told["do"]](told)
    except MemvizError as error:
        return make_view(str(error))
    except (KeyError, TypeError):
        return make_view("The page sent something that this cannot take. Load it again.")
    return make_view()


def note_run(told: dict[str, Any]) -> None:
    """Keep name, note and star of a run."""
    note = Note(str(told["name"]).strip(), str(told["note"]).strip(), told["starred"] is True)
    write_note(store.own(str(told["id"])).folder, note)


def delete_runs(told: dict[str, Any]) -> None:
    """Take runs away, all or none; they can be brought back for a while."""
    wanted = [store.own(str(run_id)).record.id for run_id in told["ids"]]
    trash.empty_trash()
    for run_id in wanted:
        trash.delete_run(run_id)


def restore_runs(told: dict[str, Any]) -> None:
    """Bring deleted runs back."""
    for run_id in told["ids"]:
        trash.restore_run(str(run_id))


ACTIONS = {"note": note_run, "delete": delete_runs, "restore": restore_runs}
