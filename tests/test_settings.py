"""Settings say what they take, and lists of numbers are counted before they are made."""

import tracemalloc
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memviz.errors import InputError
from memviz.number_lists import LONGEST, parse_ints, parse_numbers
from memviz.settings import change_settings, check_settings, list_settings, setting, spell_value


@dataclass(frozen=True)
class Inner:
    depth: "int" = setting(3, "how deep", 1, 9)  # noqa: RUF009 - as late annotations have it


@dataclass(frozen=True)
class Outer:
    rate: float = setting(0.5, "how fast", 0, 2_000_000, label="learning rate")
    inner: Inner = Inner()
    own: str = setting("a", "which", choices=("a", "b"), name="kind")
    on: bool = setting(True, "whether")

    def __post_init__(self):
        check_settings(self, "--")


def test_settings_are_listed_where_they_stand_with_their_values():
    found = list_settings(Outer(rate=2, inner=Inner(5)))
    assert [(s.name, s.default, s.label) for s in found] == [
        ("rate", 2.0, "learning rate"), ("depth", 5, "depth"), ("kind", "a", "kind"),
        ("on", True, "on"),
    ]  # fmt: skip
    assert [s.kind for s in list_settings(Outer)] == [float, int, str, bool]
    assert found[0].info == "how fast; 0 to 2,000,000"


def test_a_setting_of_a_part_is_changed_by_its_name():
    assert change_settings(Outer(), {"depth": 4, "kind": "b"}) == Outer(inner=Inner(4), own="b")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"rate": float("nan")}, "--rate is nan; give a number from 0 to 2,000,000."),
        ({"rate": None}, "--rate is empty; give a number from 0 to 2,000,000."),
        ({"rate": True}, "--rate is True; give a number from 0 to 2,000,000."),
        ({"own": "c"}, "--kind is 'c'; choose one of a, b."),
        ({"on": 1}, "--on is 1; give true or false."),
    ],
)
def test_a_value_that_cannot_be_is_one_sentence(change, sentence):
    with pytest.raises(InputError) as error:
        Outer(**change)
    assert str(error.value) == sentence


def test_values_are_spelled_so_that_they_are_read_again():
    assert [spell_value(v) for v in (500.0, 0.1 + 0.2, 3, "a")] == [
        "500", "0.30000000000000004", "3", "a"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0, 1,2", [0, 1, 2]), ("0-3", [0, 1, 2, 3]), ("100:900:400", [100, 500, 900]),
        ("7 0-2;1,-4", [7, 0, 1, 2, -4]), ("-2:0", [-2, -1, 0]), ("-2-0", [-2, -1, 0]),
        ("9223372036854775807", [2**63 - 1]), ("", []), (" , ", []),
    ],
)  # fmt: skip
def test_whole_numbers_are_read_in_every_form(text, found):
    assert parse_ints(text, "--seeds") == found


def test_numbers_are_read_in_every_form():
    assert parse_numbers("0.1:0.5:0.1,7,1e-3", "The list") == [0.1, 0.2, 0.3, 0.4, 0.5, 7, 0.001]
    assert parse_ints("1,5,all", "--steps-used", words={"all": 0}) == [1, 5, 0]


@pytest.mark.parametrize("text", ["one", "1.5", "1-", "0, <b>", "3-1", "0:5:0", "1:2:3:4", "nan"])
def test_what_is_no_list_of_whole_numbers_is_one_sentence(text):
    with pytest.raises(InputError, match=r"^--seeds has '.+' in it\. Write whole numbers, as"):
        parse_ints(text, "--seeds")


@pytest.mark.parametrize(
    "text",
    ["0:2e8:1", "0-99999999999999999", "0:1e200:1", ",".join(["0-200"] * 1000), "1," * LONGEST],
)
def test_a_list_that_is_too_long_costs_a_sentence_and_no_memory(text):
    tracemalloc.start()
    with pytest.raises(InputError, match=r"Give at most [\d,]+\.$"):
        parse_numbers(text, "The list")
    assert tracemalloc.get_traced_memory()[1] < 1_000_000
    tracemalloc.stop()


@given(st.lists(st.integers(-(2**40), 2**40), max_size=50, unique=True))
def test_a_list_is_read_back_as_it_was_written(numbers):
    assert parse_ints(",".join(map(str, numbers)), "It") == numbers


@given(st.text(alphabet="0123456789-:,.e ", max_size=40))
def test_any_text_is_a_short_list_or_one_sentence(text):
    for parse in (parse_ints, parse_numbers):
        try:
            assert len(parse(text, "It")) <= 256
        except InputError as error:
            assert str(error).endswith(".")
