"""The smallest world to compare in: a random model, seven pictures, an untrained descriptor."""

from dataclasses import dataclass
from pathlib import Path

from memviz.comparison.request import ComparisonRequest
from tests.support import samples, tiny

PROMPT = "vintage fox poster"


@dataclass(frozen=True)
class World:
    """Where its parts lie."""

    model: Path
    corpus: Path
    descriptor: Path

    def ask(self, **changes: object) -> ComparisonRequest:
        """A comparison of two methods on one seed in four steps."""
        usual = {
            "prompts": [PROMPT],
            "methods": ["cfg", "stp:at=500"],
            "steps": 4,
            "model": str(self.model),
            "corpus": str(self.corpus),
            "descriptor": str(self.descriptor),
        }
        return ComparisonRequest(**(usual | changes))


def build(folder: Path) -> World:
    """Write all three under `folder`."""
    corpus = folder / "corpus"
    corpus.mkdir(parents=True)
    for i in range(7):
        samples.smooth(i, (32, 32)).save(corpus / f"{i:04}.png")
        (corpus / f"{i:04}.txt").write_text(f"picture {i} <b>& more</b>")
    model = tiny.build_zero_snr(folder / "model")
    return World(model, corpus, samples.save_descriptor(folder / "descriptor"))
