"""The rules of the methods on hand-written curves, and the registry that everyone reads."""

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memviz.errors import InputError
from memviz.guidance.base import Observation, Transition
from memviz.guidance.first_minimum import dip, first_minimum, prominence, prominent_minimum
from memviz.guidance.registry import METHODS
from memviz.guidance.shapes import SHAPES
from memviz.guidance.spec import MethodSpec, Unregistered, make_specs, split_methods
from memviz.guidance.switch import AtTimestep, FirstMinimum
from memviz.guidance.transition import Constant, TwoPhase
from memviz.settings import Setting, spell_value

NAN = math.nan
SHIPPED = sorted(Path(__file__).parents[2].glob("assets/demo/runs/*/run.json"))

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


PROMINENCES = {  # name: values, place, the share by which the curve rises on both sides of it
    "the lower side counts": ([9, 2, 5], 1, 1.5),
    "what lies before a lower value does not": ([9, 1, 6, 4, 8], 3, 0.5),
    "nor what comes after one": ([9, 4, 5, 1, 9], 1, 0.25),
    "steps away": ([2, 6, 5, 2, 3, 3, 4], 3, 1),
    "falling": ([5, 4, 3, 2, 1], 2, 0),
    "rising": ([1, 2, 3], 1, 0),
    "level": ([2, 2, 2], 1, 0),
    "first value": ([1, 5, 4], 0, 0),
    "last value": ([5, 4, 1], 2, 0),
    "alone": ([3], 0, 0),
    "a level bottom": ([5, 2, 2, 2, 3], 1, 0.5),
    "above nothing": ([1, 0, 1], 1, math.inf),
    "NaN ends the stretch": ([5, NAN, 1, 2], 2, 0),
    "NaN itself": ([5, NAN, 6], 1, 0),
}


@pytest.mark.parametrize("name", PROMINENCES)
def test_prominence_is_the_share_that_a_curve_rises_by_on_both_sides(name):
    values, at, share = PROMINENCES[name]
    assert prominence(values, at) == pytest.approx(share)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([9, 8.9, 9, 5, 2, 6], 4),  # a dip of noise first
        ([9, 2, 2, 2, 6], 1),  # the first of a level bottom
        ([9, 2, 3, 1, 6], 1),  # the first of two
        ([9, 2, 2.9, 1, 6], 3),  # just below the half, then one above
        ([20, 19, 19.5, 18, 18.2], None),  # falls far, rises little
        ([1, 2, 1.9, 4, 8], None),  # an ordinary prompt's: it rises from end to end
        ([9, 2], None),
        ([], None),
    ],
)
def test_a_prominent_minimum_is_one_that_the_curve_rises_by_half_from(values, found):
    assert prominent_minimum(values) == found


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
    assert scales(TwoPhase(0, 7.5, AtTimestep(700)), signals) == [0, 0, 7.5, 7.5, 7.5]
    assert AtTimestep(700).transition(signals) == Transition(2, "static")
    assert AtTimestep(650).transition(signals) == Transition(3, "static")
    assert AtTimestep(400).transition(signals) is None and AtTimestep(400).transition([]) is None
    assert AtTimestep(1000).transition(signals) == Transition(0, "static")


def test_dynamic_switches_one_step_after_the_dip():
    signals = seen(5, 3, 1, 2, 4, 6)
    assert scales(TwoPhase(0, 7.5, FirstMinimum(0)), signals) == [0, 0, 0, 7.5, 7.5, 7.5]
    assert FirstMinimum(0).transition(signals) == Transition(3, "minimum")


def test_dynamic_without_a_dip_falls_back_visibly():
    signals = seen(1, 2, 3, 4, 5, 6, 7)  # 900 to 300
    assert scales(TwoPhase(switch=FirstMinimum(500)), signals) == [0, 0, 0, 0, 0, 7.5, 7.5]
    assert FirstMinimum(500).transition(signals) == Transition(5, "fallback")


def test_dynamic_without_a_dip_and_without_a_fallback_never_guides():
    signals = seen(1, 2, 3)
    assert scales(TwoPhase(switch=FirstMinimum(0)), signals) == [0, 0, 0]
    assert TwoPhase(switch=FirstMinimum(0)).transition(signals) is None


def test_a_dip_after_the_fallback_changes_nothing():
    signals = seen(9, 8, 7, 6, 5, 6)
    assert FirstMinimum(700).transition(signals) == Transition(3, "fallback")


def test_a_dip_at_the_step_of_the_fallback_is_a_dip():
    assert FirstMinimum(700).transition(seen(5, 3, 1, 2)) == Transition(3, "minimum")


def test_dynamic_is_not_misled_by_nan():
    assert FirstMinimum(0).transition(seen(NAN, NAN, NAN, NAN)) is None
    assert FirstMinimum(800).transition(seen(NAN, NAN, NAN, NAN)) == Transition(2, "fallback")


def test_opposite_moves_away_first_with_either_transition():
    signals = seen(5, 1, 2, 3, 4)
    assert scales(TwoPhase(-2, switch=AtTimestep(650)), signals) == [-2, -2, -2, 7.5, 7.5]
    assert scales(TwoPhase(-2, switch=FirstMinimum(0)), signals) == [-2, -2, 7.5, 7.5, 7.5]
    assert TwoPhase(-2, switch=AtTimestep(650)).transition(signals).kind == "static"
    assert TwoPhase(-2, switch=FirstMinimum()).transition(signals).kind == "minimum"


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
        ("released-v", 0, 0.5, 0),
        ("released-a", 1, 0.5, 1),
    ],
)
def test_shapes_are_those_of_the_released_code(shape, at_the_start, at_500, at_the_end):
    found = [SHAPES[shape].factor(u) for u in (1.0, 0.5, 0.0)]
    assert found == pytest.approx([at_the_start, at_500, at_the_end])


def test_the_released_v_and_a_at_five_timesteps_bend_the_early_scale_too():
    times = (999, 750, 500, 250, 0)
    wanted = {"v": (0.001, 0.25, 0.5, 0.25, 0), "a": (0.999, 0.75, 0.5, 0.75, 1)}
    for name, factors in wanted.items():
        for switch in (AtTimestep(0), AtTimestep(1000)):
            guidance = TwoPhase(-2, 10, switch, f"released-{name}")
            full = [-2 if t > switch.at else 10 for t in times]
            found = [guidance.scale([Observation(t, {})]) for t in times]
            assert found == pytest.approx([f * s for f, s in zip(factors, full, strict=True)])


def test_all_shapes_are_tested():
    ours = {"static", "linear", "invlinear", "cosine", "sine", "v", "a"}
    assert set(SHAPES) == ours | {"released-v", "released-a"}


def test_our_shapes_bend_the_late_scale_only():
    signals = seen(1, 1, first=600, by=100)
    assert scales(TwoPhase(-1, 10, AtTimestep(500), "invlinear"), signals) == [-1, 5]
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
        assert sum(row.label == other.label for other in METHODS.values()) == 1

    def test_its_scale_changes_at_its_transition(self, key):
        if key == "clamp":
            pytest.skip("its scale follows the magnitude")
        signals, guidance = seen(5, 3, 1, 2, 4, 6, 8, 9, 9), METHODS[key].guidance
        change, found = guidance.transition(signals), scales(guidance, signals)
        turn = change.step if change else 0
        assert len(set(found[:turn])) <= 1 and len(set(found[turn:])) == 1
        assert turn == 0 or found[turn - 1] != found[turn]

    def test_it_is_spelled_and_read_back(self, key):
        spec = MethodSpec(key, METHODS[key].guidance)
        assert MethodSpec.parse(str(spec)) == spec == MethodSpec.parse(f" {key} ")
        assert spec.label == METHODS[key].label

    def test_it_keeps_a_name_that_a_user_gives_it(self, key):
        (spec,) = make_specs({"My own!": METHODS[key].guidance})
        again = MethodSpec.parse(str(spec))
        assert again.key == again.label == "My own!" and again.guidance == spec.guidance

    def test_its_presets_can_be_named_and_refined(self, key):
        for name, preset in METHODS[key].presets.items():
            assert MethodSpec.parse(f"{key}:{name}") == MethodSpec(key, preset)

    def test_a_models_own_parameters_come_before_those_asked_for(self, key):
        parse, name = MethodSpec.parse, METHODS[key].settings[0].name
        assert parse(key, {key: f"{name}=3"}) == parse(f"{key}:{name}=3")
        assert parse(key).resolve({key: f"{name}=3"}) == parse(f"{key}:{name}=3")
        assert parse(f"{key}:{name}=4", {key: f"{name}=3"}) == parse(f"{key}:{name}=4")

    def test_its_defaults_lie_within_their_limits(self, key):
        for each in METHODS[key].settings:
            assert each.about
            assert not each.choices or each.default in each.choices
            assert each.kind is str or each.low <= each.default <= each.high

    def test_a_value_out_of_range_gets_a_sentence(self, key):
        for each in METHODS[key].settings:
            bad = ["zigzag"] if each.choices else ["nan", "inf", "1e9", "-1e9", "x", ""]
            for value in bad if each.choices or each.kind is not str else ():
                with pytest.raises(InputError, match=rf"^{key}: {each.name} is .+\.$"):
                    MethodSpec.parse(f"{key}:{each.name}={value}")

    def test_a_value_out_of_range_is_refused_in_an_object_too(self, key):
        guidance = METHODS[key].guidance
        first = next(f.name for f in dataclasses.fields(guidance) if "setting" in f.metadata)
        with pytest.raises(InputError, match=r" is nan; give a number from"):
            dataclasses.replace(guidance, **{first: NAN})


@st.composite
def values(draw: st.DrawFn) -> tuple[str, str]:
    """A method with any values its knobs allow, spelled out."""
    key = draw(st.sampled_from(sorted(METHODS)))
    parts = [f"{each.name}={draw(drawn(each))}" for each in METHODS[key].settings]
    return key, f"{key}:{','.join(draw(st.permutations(parts)))}"


def drawn(of: Setting) -> st.SearchStrategy:
    """Any value of a setting."""
    if of.kind is str:
        signals = ["magnitude", "cosine"] if of.name == "signal" else [of.default]
        return st.sampled_from(of.choices or signals)
    return (st.integers if of.kind is int else st.floats)(of.low, of.high)


@given(values())
def test_spelling_and_parsing_are_inverse(drawn):
    """Also for values that a short spelling would round."""
    spec = MethodSpec.parse(drawn[1])
    assert MethodSpec.parse(str(spec)) == spec == spec.resolve({spec.key: drawn[1].split(":")[1]})


@given(values(), st.lists(st.floats(0, 100), min_size=1, max_size=12))
def test_a_method_before_its_transition_has_one_answer_and_afterwards_the_other(drawn, curve):
    """Also, the answer for a step does not change when later steps are shown."""
    guidance = MethodSpec.parse(drawn[1]).guidance
    signals = [
        Observation(999 - 80 * i, {"magnitude": m, "cosine": -m}) for i, m in enumerate(curve)
    ]
    changes = [guidance.transition(signals[: i + 1]) for i in range(len(signals))]
    come = [i for i, change in enumerate(changes) if change]
    assert come == [*range(come[0], len(signals))] if come else True
    assert len({change for change in changes if change}) <= 1
    if come and isinstance(guidance, TwoPhase):
        assert changes[-1].step == come[0]


@pytest.mark.parametrize("text", ["", "xyz", "cfg:w=1", "stp:early", "cfg:scale=1=2", "og:static"])
def test_nonsense_gets_a_sentence(text):
    with pytest.raises(InputError, match=r"\.$"):
        MethodSpec.parse(text)


@pytest.mark.parametrize("run", SHIPPED, ids=lambda path: path.parent.name)
def test_every_shipped_run_is_read_as_it_was_made(run):
    found = json.loads(run.read_text())
    for cell in found["cells"]:
        spec = MethodSpec.parse(cell["spec"])
        assert (spec.key, spec.label) == (cell["method"], cell["label"])
        said = dict(part.split("=") for part in cell["spec"].partition(":")[2].split(","))
        for name, value in spec.values.items():
            assert said.get(name, "magnitude") == spell_value(value)


def test_opposite_guidance_has_all_settings_of_the_dynamic_rule():
    spec = MethodSpec.parse("og:transition=dynamic,latest=300,rise=1,at=650")
    assert spec.guidance == TwoPhase(-2, switch=FirstMinimum(300, 1))
    assert MethodSpec.parse("og:at=700").guidance == TwoPhase(-2, switch=AtTimestep(700))


def test_a_rule_may_look_at_any_signal():
    guidance = MethodSpec.parse("dtp:signal=cosine,latest=0").guidance
    signals = [
        Observation(900 - i, {"magnitude": 1.0, "cosine": v}) for i, v in enumerate([3, 1, 2])
    ]
    assert guidance.transition(signals) == Transition(2, "minimum")
    with pytest.raises(InputError, match="'cosine' is not recorded here"):
        guidance.scale(seen(1, 2))
    with pytest.raises(InputError, match="signal is 'a b'"):
        FirstMinimum(signal="a b")


def test_users_give_values_under_names():
    specs = make_specs({"CFG": Constant(2), "mine": TwoPhase(late=5), "short": "dtp:rise=1"})
    assert [spec.label for spec in specs] == ["CFG", "mine", "short"]
    assert str(specs[0]) == "CFG=cfg:scale=2,shape=static"
    assert [MethodSpec.parse(str(spec)) for spec in specs] == [*specs]
    assert specs[2].resolve({"dtp": "late=4"}).guidance.late == 4
    assert specs[1].resolve({"stp": "late=4"}).guidance.late == 5
    names = ("stp", "a:b", "", "x" * 65)
    for wrong in ([Constant()], *({name: Constant()} for name in names)):
        with pytest.raises(InputError):
            make_specs(wrong)


def test_a_method_of_a_plug_in_that_is_gone_can_still_be_named():
    spec = MethodSpec.read("ramp:late=5")
    assert (spec.key, spec.label, str(spec)) == ("ramp", "ramp", "ramp:late=5")
    assert spec.guidance == Unregistered("ramp:late=5") and spec.values == {}
    with pytest.raises(InputError, match="--plugin"):
        spec.guidance.scale(seen(1))


def test_a_list_of_methods_is_split_where_a_method_begins():
    text = "cfg:scale=2,mine=stp,b=stp:at=3,late=2,og"
    assert split_methods(text) == ["cfg:scale=2", "mine=stp", "b=stp:at=3,late=2", "og"]


def test_an_unknown_method_is_told_the_known_ones():
    with pytest.raises(InputError, match="cfg, stp, dtp, og"):
        MethodSpec.parse("cfgg")
