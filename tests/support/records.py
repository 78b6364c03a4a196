"""Records of runs and cells with something in every field that must be there."""

from memviz.runs.record import CellRecord, CellState, RunRecord

RUN = {
    "id": "20260101-000000-0123456789abcdef",
    "state": CellState.DONE,
    "created": "2026-01-01T12:00:00+00:00",
    "title": "a fox",
    "request": {
        "prompts": ("a fox",),
        "methods": ("cfg",),
        "seeds": (0,),
        "steps": 4,
        "scheduler": "ddim",
        "model": "demo",
    },
    "model": {"name": "demo", "hash": "0123abcd", "parameters": 10_934_348},
    "noise_hash": {"0": "0000"},
    "timesteps": (999, 749, 499, 249),
    "cells": (),
}
CELL = {
    "number": 0,
    "prompt": "a fox",
    "method": "cfg",
    "label": "CFG",
    "spec": "cfg:scale=2,shape=static",
    "seed": 0,
    "state": CellState.DONE,
}


def run_record(**changes: object) -> RunRecord:
    """A finished run without cells."""
    return RunRecord.model_validate(RUN | changes)


def cell_record(**changes: object) -> CellRecord:
    """A finished cell without a verdict."""
    return CellRecord.model_validate(CELL | changes)
