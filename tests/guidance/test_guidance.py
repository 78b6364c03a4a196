"""The rules of the methods on hand-written curves, and the registry that everyone reads."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memviz.guidance.base import Observation, Transition
from memviz.guidance.first_minimum import dip, first_minimum
from memviz.guidance.registry import METHODS
from memviz.guidance.spec import knobs, parse, spec
from memviz.guidance.transition import SHAPES, Constant, Dynamic, Opposite, Static, dynamic, static

NAN = math.nan

CURVES = {  # name: values, index of the first minimum, index of the rise that reveals it
    "empty": ([], None, None),
    "one value": ([3], None, None),
    "two values": ([3, 1], None, None),
    "falling": ([5, 4, 3, 2, 1], None, None),
    "rising": ([1, 2, 3, 4, 5], None, None),
    "level": ([2, 2, 2, 2], None, None),
    "V": ([5, 3, 1, 2, 4], 2, 3),
    "inverted V": ([1, 3, 5, 3, 1], None, None),
    "W: the first of two": ([5, 2, 4, 1, 6], 1, 2),
    "first rising, then a V": ([1, 4, 2, 3], 2, 3),
    "plateau at the bottom": ([5, 2, 2, 2, 3], 1, 4),
    "plateau on the way down": ([5, 4, 4, 2, 3], 3, 4),
    "plateau on the way up": ([5, 1, 2, 2, 3], 1, 2),
    "plateau that never rises": ([5, 2, 2, 2], None, None),
    "rise after a level start": ([2, 2, 3], None, None),
    "minimum at the first value": ([1, 5, 4, 3], None, None),
    "minimum at the last value": ([5, 4, 3, 1], None, None),
    "minimum just inside the end": ([5, 4, 1, 3], 2, 3),
    "minimum just inside the start": ([5, 1, 3, 4], 1, 2),
    "a small wiggle counts": ([9.0, 8.0, 8.001, 7.0, 3.0, 5.0], 1, 2),
    "NaN hides the fall": ([5, NAN, 1, 2], None, None),
    "NaN hides the rise": ([5, 1, NAN, 2], None, None),
    "NaN, then a V": ([NAN, 5, 1, 2], 2, 3),
    "NaN between two minima": ([5, 1, NAN, 4, 2, 3], 4, 5),
    "all NaN": ([NAN, NAN, NAN], None, None),
    "infinite start": ([math.inf, 1, 2], 1, 2),
}


@pytest.mark.parametrize("name", CURVES)
def test_first_minimum_and_the_rise_that_reveals_it(name):
    values, lowest, rise = CURVES[name]
    assert first_minimum(values) == lowest
    assert dip(values) == (None if lowest is None else (lowest, rise))


@given(st.lists(st.floats(0, 100), max_size=30))
def test_a_minimum_once_known_does_not_move(values):
    found = dip(values)
    if found is not None:
        lowest, rise = found
        assert values[lowest - 1] > values[lowest] < values[rise]
        assert all(dip(values[:end]) is None for end in range(rise + 1))
        assert all(dip([*values, more]) == found for more in (0.0, 200.0, NAN))


@given(st.lists(st.floats(0, 100), max_size=30))
def test_first_minimum_agrees_with_the_papers_definition(values):
    """Where no two neighbours are equal: first i with values[i-1] > values[i] < values[i+1]."""
    kept = [v for i, v in enumerate(values) if not i or v != values[i - 1]]
    inside = range(1, len(kept) - 1)
    slow = next((i for i in inside if kept[i - 1] > kept[i] < kept[i + 1]), None)
    assert first_minimum(kept) == slow


def seen(*magnitudes: float, first: int = 900, by: int = 100) -> list[Observation]:
    return [Observation(first - by * i, {"magnitude": m}) for i, m in enumerate(magnitudes)]


def scales(guidance, signals: list[Observation]) -> list[float]:
    """What a method answers at each step of a trace."""
    return [guidance.scale(signals[: i + 1]) for i in range(len(signals))]


def test_constant_never_switches():
    signals = seen(5, 1, 2)
    assert scales(Constant(7.5), signals) == [7.5] * 3
    assert Constant(7.5).transition(signals) is None


def test_static_guides_from_the_timestep_itself():
    signals = seen(1, 1, 1, 1, 1)  # 900, 800, 700, 600, 500
    assert scales(Static(early=0, late=7.5, at=700), signals) == [0, 0, 7.5, 7.5, 7.5]
    assert static(signals, 700) == Transition(2, "static")
    assert static(signals, 650) == Transition(3, "static")
    assert static(signals, 400) is None and static([], 400) is None
    assert static(signals, 1000) == Transition(0, "static")


def test_dynamic_switches_one_step_after_the_dip():
    signals = seen(5, 3, 1, 2, 4, 6)
    assert scales(Dynamic(early=0, late=7.5, latest=0), signals) == [0, 0, 0, 7.5, 7.5, 7.5]
    assert dynamic(signals, 0) == Transition(3, "minimum")


def test_dynamic_without_a_dip_falls_back_visibly():
    signals = seen(1, 2, 3, 4, 5, 6, 7)  # 900 to 300
    assert scales(Dynamic(latest=500), signals) == [0, 0, 0, 0, 0, 7.5, 7.5]
    assert dynamic(signals, 500) == Transition(5, "fallback")


def test_dynamic_without_a_dip_and_without_a_fallback_never_guides():
    signals = seen(1, 2, 3)
    assert scales(Dynamic(latest=0), signals) == [0, 0, 0]
    assert Dynamic(latest=0).transition(signals) is None


def test_a_dip_after_the_fallback_changes_nothing():
    signals = seen(9, 8, 7, 6, 5, 6)
    assert dynamic(signals, 700) == Transition(3, "fallback")


def test_a_dip_at_the_step_of_the_fallback_is_a_dip():
    assert dynamic(seen(5, 3, 1, 2), 700) == Transition(3, "minimum")


def test_dynamic_is_not_misled_by_nan():
    assert dynamic(seen(NAN, NAN, NAN, NAN), 0) is None
    assert dynamic(seen(NAN, NAN, NAN, NAN), 800) == Transition(2, "fallback")


def test_opposite_moves_away_first_with_either_transition():
    signals = seen(5, 1, 2, 3, 4)
    assert scales(Opposite(at=650), signals) == [-2, -2, -2, 7.5, 7.5]
    assert scales(Opposite(kind="dynamic", latest=0), signals) == [-2, -2, 7.5, 7.5, 7.5]
    assert Opposite(at=650).transition(signals).kind == "static"
    assert Opposite(kind="dynamic").transition(signals).kind == "minimum"


@pytest.mark.parametrize(
    ("shape", "at_the_start", "at_500", "at_the_end"),
    [
        ("static", 1, 1, 1),
        ("linear", 0, 0.5, 1),
        ("invlinear", 1, 0.5, 0),
        ("cosine", 0, 1, 2),
        ("sine", 2, 1, 0),
        ("v", 1, 0, 1),
        ("a", 0, 1, 0),
    ],
)
def test_shapes_are_those_of_the_released_code(shape, at_the_start, at_500, at_the_end):
    found = [SHAPES[shape](u) for u in (1.0, 0.5, 0.0)]
    assert found == pytest.approx([at_the_start, at_500, at_the_end])


def test_all_shapes_are_tested():
    assert set(SHAPES) == {"static", "linear", "invlinear", "cosine", "sine", "v", "a"}


def test_a_shape_bends_the_late_scale_only():
    signals = seen(1, 1, first=600, by=100)
    assert scales(Static(early=-1, late=10, at=500, shape="invlinear"), signals) == [-1, 5]
    assert scales(Constant(10, "linear"), signals) == pytest.approx([4, 5])


@pytest.mark.parametrize("key", METHODS)
class TestEveryMethod:
    def test_it_is_a_frozen_value(self, key):
        guidance = METHODS[key].guidance
        assert hash(guidance) == hash(dataclasses.replace(guidance))
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(guidance, dataclasses.fields(guidance)[0].name, 1)

    def test_it_has_no_memory(self, key):
        signals, guidance = seen(5, 3, 1, 2, 4, 6, 8, 9, 9), METHODS[key].guidance
        assert scales(guidance, signals) == scales(guidance, signals)

    def test_its_row_is_complete_and_its_own(self, key):
        row = METHODS[key]
        assert row.label and row.about.endswith(".")
        others = [m for k, m in METHODS.items() if k != key]
        assert all(row.symbol != m.symbol and row.dash != m.dash for m in others)

    def test_its_scale_changes_at_its_transition(self, key):
        signals, guidance = seen(5, 3, 1, 2, 4, 6, 8, 9, 9), METHODS[key].guidance
        change, found = guidance.transition(signals), scales(guidance, signals)
        turn = change.step if change else 0
        assert len(set(found[:turn])) <= 1 and len(set(found[turn:])) == 1
        assert not change or found[turn - 1] != found[turn]

    def test_it_is_spelled_and_read_back(self, key):
        guidance = METHODS[key].guidance
        assert parse(spec(key, guidance)) == (key, guidance) == parse(f" {key} ")

    def test_its_presets_can_be_named_and_refined(self, key):
        for name, preset in METHODS[key].presets.items():
            assert parse(f"{key}:{name}") == (key, preset)

    def test_a_models_own_parameters_come_before_those_asked_for(self, key):
        knob = knobs(METHODS[key].guidance)[0]
        text = f"{knob.name}=3"
        assert parse(key, {key: text}) == parse(f"{key}:{text}")
        assert parse(f"{key}:{knob.name}=4", {key: text}) == parse(f"{key}:{knob.name}=4")

    def test_its_defaults_lie_within_their_limits(self, key):
        for knob in knobs(METHODS[key].guidance):
            assert knob.about
            if knob.choices:
                assert knob.default in knob.choices
            else:
                assert knob.low <= knob.default <= knob.high

    def test_a_value_out_of_range_gets_a_sentence(self, key):
        for knob in knobs(METHODS[key].guidance):
            bad = ["zigzag"] if knob.choices else ["nan", "inf", "1e9", "-1e9", "x", ""]
            for value in bad:
                with pytest.raises(ValueError, match=rf"^{key}: {knob.name} is .+\.$"):
                    parse(f"{key}:{knob.name}={value}")


@st.composite
def values(draw: st.DrawFn) -> tuple[str, str]:
    """A method with any values its knobs allow, spelled out."""
    key = draw(st.sampled_from(sorted(METHODS)))
    parts = []
    for knob in knobs(METHODS[key].guidance):
        of = st.sampled_from(knob.choices) if knob.choices else st.floats(knob.low, knob.high)
        parts.append(f"{knob.name}={draw(of)}")
    return key, f"{key}:{','.join(draw(st.permutations(parts)))}"


@given(values())
def test_spec_and_parse_are_inverse(drawn):
    """Also for values that a short spelling would round."""
    key, guidance = parse(drawn[1])
    assert parse(spec(key, guidance)) == (key, guidance)


@pytest.mark.parametrize("text", ["", "xyz", "cfg:w=1", "stp:early", "cfg:scale=1=2", "og:static"])
def test_nonsense_gets_a_sentence(text):
    with pytest.raises(ValueError, match=r"\.$"):
        parse(text)


def test_an_unknown_method_is_told_the_known_ones():
    with pytest.raises(ValueError, match="cfg, stp, dtp, og"):
        parse("cfgg")
