"""Settings of a fine-tuning: their limits, their presets, the samples they amount to."""

import pytest

from memviz.settings import list_settings
from memviz.training.config import MODES, PRESETS, Config, from_json


@pytest.mark.parametrize("setting", list_settings(Config), ids=lambda s: s.name)
def test_every_setting_has_help_and_a_default_within_its_limits(setting):
    assert setting.about and setting.group
    assert setting.low is None or setting.low <= setting.default <= setting.high
    assert not setting.choices or setting.default in setting.choices
    assert (setting.low is None) == (setting.kind not in (int, float))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"shards": 0}, "--shards is 0; give a whole number from 1 to 64."),
        ({"ratio": float("nan")}, "--ratio is nan; give a number from 1 to 100."),
        ({"mode": "dp"}, "--mode is 'dp'; choose one of plain, iet, agc, iet-agc, iet-agc+."),
        ({"rounds": 2.5}, "--rounds is 2.5; give a whole number from 1 to 10,000."),
        ({"flip": 1}, "--flip is 1; give true or false."),
        (
            {"wen_threshold": float("inf")},
            "--wen-threshold is inf; give a number from 0 to 1,000,000.",
        ),
    ],
)
def test_a_value_out_of_bounds_is_one_sentence(change, sentence):
    with pytest.raises(ValueError) as error:
        Config(**change)
    assert str(error.value) == sentence


def test_every_mode_sees_the_same_samples():
    made = [Config(mode=mode) for mode in MODES]
    assert {c.samples for c in made} == {1_600_000}
    assert [c.members for c in made] == [1, 4, 1, 4, 4]
    assert all(c.member_steps * c.members * c.rounds == c.steps for c in made)


def test_a_config_survives_json():
    config = PRESETS["demo"].config(mode="agc", seed=3)
    assert from_json(config.to_json()) == config


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValueError, match="no setting 'sharts'"):
        from_json({"sharts": 3})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_config(name):
    assert PRESETS[name].config().samples > 0
