"""Where methods that are not ours come from; each place is looked at once, when it is needed.

- entry points of the group `memviz.guidance` of installed packages;
- `plugins/*.py` in $MEMVIZ_HOME;
- the files in $MEMVIZ_PLUGINS (as in PATH), to which `--plugin FILE` adds.

A file or module registers its methods when it is imported, by `memviz.guidance.registry.register`.
What cannot be imported is one warning. Nothing of this can be named in a page of the app: the files
are those of whoever starts it.
"""

import logging
import os
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from threading import RLock

from memviz.errors import InputError
from memviz.io.paths import home

GROUP = "memviz.guidance"
VARIABLE = "MEMVIZ_PLUGINS"

log = logging.getLogger(__name__)
_lock = (
    RLock()
)  # held while they load: another thread waits for all, a plug-in of this one does not
_begun: set[str] = set()


def load_plugins() -> None:
    """Import every plug-in that was not imported before; what fails is a warning."""
    with _lock:
        if GROUP in _begun:
            return
        _begun.add(GROUP)
        from importlib.metadata import entry_points

        for point in entry_points(group=GROUP):
            _attempt(f"{point.name} ({point.value})", point.load)
        for file in [*sorted(home().glob("plugins/*.py")), *_files()]:
            _attempt(str(file), lambda file=file: load_file(file))


def use_file(path: str) -> None:
    """Load a plug-in now, here and in all processes that this one starts.

    Raises InputError if it cannot be loaded.
    """
    file = Path(path).expanduser().resolve()
    if not file.is_file():
        raise InputError(f"There is no plug-in {path}. Name a file of Python.")
    try:
        load_file(file)
    except Exception as error:
        raise InputError(f"The plug-in {path} cannot be loaded: {_explain(error)}") from error
    os.environ[VARIABLE] = os.pathsep.join(map(str, dict.fromkeys([*_files(), file])))


def load_file(file: Path) -> None:
    """Import a file as a module of its own, once."""
    name = f"memviz_plugin_{sha256(str(file.resolve()).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError(f"{file} is no file of Python; its name must end in .py.")
    sys.modules[name] = module = module_from_spec(spec)  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise


def _files() -> list[Path]:
    return [Path(part) for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part]


def _attempt(name: str, load: Callable[[], object]) -> None:
    try:
        load()
    except Exception as error:
        log.warning("The plug-in %s was left out: %s", name, _explain(error))


def _explain(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
