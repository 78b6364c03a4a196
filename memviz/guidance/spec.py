"""Methods as they are asked for: a key, a guidance value, and their spelling in between.

`stp`, `stp:released`, `stp:early=0,late=7.5,at=500`, and `mine=stp:late=5` under a name
of one's own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import cast

from memviz.errors import InputError
from memviz.guidance.base import Guidance, Observation, Transition
from memviz.guidance.registry import METHODS, Method
from memviz.settings import Value, list_settings, read_value, spell_value

RESERVED = set(",:=\n\r\t")
LONGEST = 64  # characters of a name


Named = Mapping[str, "str | MethodSpec | Guidance"]
Methods = Iterable["str | MethodSpec"] | Named


@dataclass(frozen=True)
class Unregistered:
    """The guidance of a saved method that means nothing here: its plug-in is not loaded."""

    text: str

    def scale(self, seen: Sequence[Observation]) -> float:
        """Raise InputError: it cannot be made again."""
        raise InputError(f"{self.text!r} is not registered here. Load it with --plugin FILE.")

    def transition(self, seen: Sequence[Observation]) -> Transition | None:
        """None: nothing is known of it."""
        return None


@dataclass(frozen=True)
class MethodSpec:
    """A method in a request: the key or the name that it has there, and its guidance.

    A key of the registry stands for that method; any other is a name of the user's. `text` is how
    it was typed; where that left settings open, a model's own go before the method's defaults.
    """

    key: str
    guidance: Guidance
    text: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise InputError on a name that cannot be spelled or belongs to another method."""
        if not self.key.strip() or RESERVED & set(self.key) or len(self.key) > LONGEST:
            raise InputError(
                f"{self.key!r} cannot name a method; give up to {LONGEST} characters but , : and =."
            )
        unread = isinstance(self.guidance, Unregistered)
        if not unread and self.key in METHODS and not METHODS[self.key].takes(self.guidance):
            raise InputError(f"{self.key!r} is another method. Name yours otherwise.")

    @property
    def label(self) -> str:
        """What it is called."""
        return METHODS[self.key].label if self.key in METHODS else self.key

    @property
    def values(self) -> dict[str, Value]:
        """Its settings by name, those of its switch and which switch that is included."""
        if self.key in METHODS and METHODS[self.key].takes(self.guidance):
            return METHODS[self.key].read(self.guidance)
        return {each.name: each.default for each in list_settings(self.guidance)}

    def __str__(self) -> str:
        """The full spelling with all settings, which `parse` reads back."""
        if isinstance(self.guidance, Unregistered):
            return self.guidance.text
        if self.key not in METHODS:  # a name: spelled with the method that its value is one of
            known = (key for key, method in METHODS.items() if method.takes(self.guidance))
            if key := next(known, ""):
                return f"{self.key}={MethodSpec(key, self.guidance)}"
        values = self.values
        row = METHODS[self.key].settings if self.key in METHODS else list_settings(self.guidance)
        parts = [
            f"{each.name}={spell_value(values[each.name])}"
            for each in row
            if each.name in values and not (each.terse and values[each.name] == each.default)
        ]
        return f"{self.key}:{','.join(parts)}"

    @classmethod
    def parse(cls, text: str, defaults: Mapping[str, str] | None = None) -> "MethodSpec":
        """Read a spelling; `defaults` are a model's own, by key.

        Raises InputError, in one sentence, on an unknown method, setting or value.
        """
        head, _, rest = text.strip().partition(":")
        name, _, key = (part.strip() for part in head.rpartition("="))
        if key not in METHODS:
            raise InputError(f"No method is named {key!r}. Choose among {', '.join(METHODS)}.")
        method = METHODS[key]
        values: dict[str, Value] = {}
        parts = chain((defaults or {}).get(key, "").split(","), rest.split(","))
        for part in filter(None, (part.strip() for part in parts)):
            values |= read_part(key, method, part)
        return cls(name or key, method.build(values), text)

    @classmethod
    def read(cls, text: str) -> "MethodSpec":
        """Read a saved spelling: one that means nothing here can still be named and laid out."""
        try:
            return cls.parse(text)
        except InputError:
            return cls(text.partition(":")[0].partition("=")[0], Unregistered(text))

    def resolve(self, defaults: Mapping[str, str]) -> "MethodSpec":
        """The same under a model whose own settings are `defaults`."""
        found = self.parse(self.text, defaults) if self.text else self
        return replace(found, key=self.key)


def read_part(key: str, method: Method, part: str) -> dict[str, Value]:
    """The settings in one `name=value`, or in the name of a preset."""
    if part in method.presets:
        return method.read(method.presets[part])
    name, _, value = (p.strip() for p in part.partition("="))
    found = {each.name: each for each in method.settings}
    if name not in found:
        wanted = ", ".join([*found, *method.presets])
        raise InputError(f"{key} has no setting or preset {name!r}. It has {wanted}.")
    return {name: read_value(found[name], value, f"{key}: ")}


def make_specs(methods: Methods) -> tuple[MethodSpec, ...]:
    """Methods in any form, each read once: spellings, specs, or values by a name of the user's.

    Raises InputError on one that cannot be.
    """
    if isinstance(methods, Mapping):
        named = cast(Named, methods)
        return tuple(name_spec(name, method) for name, method in named.items())
    return tuple(map(make_spec, split_methods(methods) if isinstance(methods, str) else methods))


def make_spec(method: object) -> MethodSpec:
    """One method from its spelling, or the spec itself."""
    if isinstance(method, str):
        return MethodSpec.parse(method)
    if not isinstance(method, MethodSpec):
        raise InputError(f'{method!r} has no name. Give it one, as in {{"mine": TwoPhase()}}.')
    return method


def name_spec(name: str, method: "str | MethodSpec | Guidance") -> MethodSpec:
    """A method under a name."""
    if isinstance(method, str):
        method = MethodSpec.parse(method)
    return replace(method, key=name) if isinstance(method, MethodSpec) else MethodSpec(name, method)


def split_methods(text: str) -> list[str]:
    """`cfg,stp:early=0,at=500` to its methods: a part that names a method starts a new one."""
    found: list[str] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        head, colon, _ = part.partition(":")
        if colon or head.rpartition("=")[2] in METHODS or not found or ":" not in found[-1]:
            found.append(part)
        else:
            found[-1] += f",{part}"
    return found
