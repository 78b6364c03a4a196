"""Gradio without the type stubs that it writes again whenever it is imported.

For each of its 80 components it reads, parses and renders a `.pyi` file beside the source: a third
of the import, for editors alone. Nothing at run time reads them.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType

MODULE, WRITER = "gradio.component_meta", "create_or_modify_pyi"


class StubSkip(MetaPathFinder):
    """Finds the module that writes the stubs."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Its spec, with a loader that takes the writer away; None for any other module."""
        spec = PathFinder.find_spec(fullname, path) if fullname == MODULE else None
        if spec and isinstance(spec.loader, SourceFileLoader):
            spec.loader = StublessLoader(spec.loader.name, spec.loader.path)
        return spec


class StublessLoader(SourceFileLoader):
    """Loads it as it is, but for the writer."""

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, then let its writer do nothing."""
        super().exec_module(module)
        setattr(module, WRITER, lambda *_: None)


def install() -> None:
    """From now on Gradio is imported so, if it was not yet."""
    if not any(isinstance(finder, StubSkip) for finder in sys.meta_path):
        sys.meta_path.insert(0, StubSkip())
