"""What is asked is checked before anything is loaded, and every refusal says what to do."""

import dataclasses
import json

import pytest

from memviz.comparison.request import CELLS, LONGEST, SEEDS, ComparisonRequest
from memviz.guidance.registry import CORE
from memviz.guidance.spec import MethodSpec
from memviz.guidance.switch import AtTimestep
from memviz.guidance.transition import Constant, TwoPhase


def ask(**changes):
    return ComparisonRequest(**({"prompts": ["a fox"]} | changes))


def test_the_defaults_make_one_cell_for_each_method():
    made = ask()
    assert [key for _, key, _, _ in made.cells({})] == [*CORE]
    assert dataclasses.replace(made, seeds=(1,)).seeds == (1,)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"prompts": [""]}, "The prompt is empty"),
        ({"prompts": [" \n\t"]}, "The prompt is empty"),
        ({"prompts": ["a fox", ""]}, "The prompt is empty"),
        ({"prompts": ["x" * 20_000]}, "20,000 characters"),
        ({"prompts": []}, "no prompts"),
        ({"methods": []}, "no methods"),
        ({"methods": ["magic"]}, "No method is named 'magic'"),
        ({"methods": ["cfg:scale=nan"]}, "scale is 'nan'"),
        ({"methods": ["stp:at=5000"]}, "at is '5000'"),
        ({"seeds": []}, "no seeds"),
        ({"seeds": [-1]}, "The seed is -1"),
        ({"seeds": [2**63]}, "The seed is 9223372036854775808"),
        ({"seeds": [1.5]}, "The seed is 1.5"),
        ({"seeds": [True]}, "The seed is True"),
        ({"seeds": ["0"]}, "The seed is 0"),
        ({"steps": 0}, "The number of steps is 0"),
        ({"steps": -5}, "The number of steps is -5"),
        ({"steps": 100_000}, "The number of steps is 100000"),
        ({"steps": 10.0}, "The number of steps is 10.0"),
        ({"steps": None}, "The number of steps is None"),
        ({"scheduler": "heun"}, "Choose ddim, dpm, pndm, euler"),
        ({"seeds": range(CELLS)}, "fewer seeds or methods"),
    ],
)
def test_a_mistake_gets_a_sentence(wrong, sentence):
    with pytest.raises(ValueError, match=r"\.$") as caught:
        ask(**wrong)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "prompt",
    [
        "一只狐狸",
        "ثعلب",
        "\U0001f98a\U0001f335",
        "<script>alert(1)</script>",
        "{{7*7}} ${x} %s",
        "a\u202efox",
        "x" * LONGEST,
    ],
)
def test_any_script_and_markup_is_only_text(prompt):
    assert json.loads(json.dumps(ask(prompts=[prompt]).to_json({})))["prompts"] == [prompt]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_smallest_and_the_largest_seed(seed):
    assert ask(seeds=[seed]).cells({})[0][3] == seed


def test_as_many_cells_as_a_run_can_hold():
    assert len(ask(methods=["cfg"], seeds=range(CELLS)).cells({})) == CELLS


def test_cells_go_prompt_by_prompt_then_seed_by_seed():
    made = ask(prompts=["a", "b"], methods=["cfg", "stp"], seeds=[3, 4]).cells({})
    assert [(p, s, k) for p, k, _, s in made] == [
        (p, s, k) for p in "ab" for s in (3, 4) for k in ("cfg", "stp")
    ]


def test_a_models_defaults_are_used_and_overruled():
    made = ask(methods=["cfg", "stp:late=5"])
    defaults = {"cfg": "scale=3", "stp": "at=700,late=6"}
    assert made.resolve_methods(defaults) == (
        MethodSpec("cfg", Constant(3)),
        MethodSpec("stp", TwoPhase(late=5, switch=AtTimestep(700))),
    )


def test_run_json_spells_the_methods_out():
    spelled = ask(methods=["cfg"]).to_json({"cfg": "scale=3"})
    assert spelled["methods"] == ["cfg:scale=3,shape=static"]
    assert spelled["seeds"] == [0] and spelled["steps"] == 50 and spelled["model"] == "demo"


def test_one_method_may_be_asked_with_two_parameters():
    made = ask(methods=["stp:at=400", "stp:at=600"])
    assert [method.guidance.switch.at for method in made.methods] == [400, 600]
