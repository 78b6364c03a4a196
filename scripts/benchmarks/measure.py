"""What every benchmark needs: a clock, and words for the machine."""

import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from memviz.models.loading import Model


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what the call returned."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def machine() -> dict[str, Any]:
    """What figures were measured on."""
    return {
        "cpu": cpu(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def environment(model: Model) -> dict[str, Any]:
    """The machine and the model."""
    named = {"name": model.name, "hash": model.hash, "parameters": model.parameters}
    told = machine()
    return {"cpu": told.pop("cpu"), "device": str(model.pipe.device), **told, "model": named}


def cpu() -> str:
    """The processor's name as the system tells it."""
    info = Path("/proc/cpuinfo")
    told = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in told if line.startswith("model name")]
    return f"{names[0]} ({len(names)} cores)" if names else platform.processor()


def peak_mib() -> float:
    """The most memory this process ever held at once."""
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage would count the parent, from which this was forked
        (line,) = (x for x in status.read_text().splitlines() if x.startswith("VmHWM"))
        return int(line.split()[1]) / 2**10
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)
