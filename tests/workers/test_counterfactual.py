"""The estimator on logs whose truth is known."""

import numpy as np
import pytest

from workers.training.counterfactual import snips, training_weights

TRUE = np.array([0.1, 0.3, 0.6, 0.2])
"""What each of four products earns when it is shown."""


def log(policy: np.ndarray, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Products that a policy showed and what they earned."""
    rng = np.random.default_rng(seed)
    shown = rng.choice(len(policy), size, p=policy)
    return shown, (rng.random(size) < TRUE[shown]).astype(float)


@pytest.mark.parametrize("target", [[0.0, 0.0, 1.0, 0.0], [0.25, 0.25, 0.25, 0.25], [0.7, 0.1, 0.1, 0.1]])
def test_the_value_of_a_policy_that_never_ran_is_found(target):
    logging, target = np.array([0.6, 0.25, 0.05, 0.1]), np.array(target)
    truth = float(target @ TRUE)
    estimates = []
    for seed in range(30):
        shown, rewards = log(logging, 1_200, seed)
        estimates.append(snips(rewards, logging[shown], target[shown], clip=50, seed=seed))
    assert np.mean([e.value for e in estimates]) == pytest.approx(truth, abs=0.025)
    covered = np.mean([e.low <= truth <= e.high for e in estimates])
    assert covered > 0.85


def test_the_plain_mean_of_the_log_is_wrong_where_snips_is_right():
    logging, target = np.array([0.9, 0.04, 0.03, 0.03]), np.array([0.0, 0.0, 1.0, 0.0])
    shown, rewards = log(logging, 6_000, 1)
    assert abs(rewards.mean() - TRUE[2]) > 0.4
    assert snips(rewards, logging[shown], target[shown], clip=50).value == pytest.approx(TRUE[2], abs=0.1)


def test_clipping_bounds_what_one_choice_can_weigh():
    rewards, logged, target = np.array([1.0, 0.0, 0.0]), np.array([0.001, 0.5, 0.5]), np.array([1.0, 0.5, 0.5])
    assert snips(rewards, logged, target, clip=2).value == pytest.approx(2 / 4)
    assert snips(rewards, logged, target, clip=2000).value == pytest.approx(1000 / 1002)


def test_rewards_moved_by_a_constant_move_the_value_by_it():
    shown, rewards = log(np.full(4, 0.25), 500, 2)
    target = np.array([0.4, 0.3, 0.2, 0.1])[shown]
    plain, moved = (snips(r, np.full(500, 0.25), target).value for r in (rewards, rewards + 3))
    assert moved == pytest.approx(plain + 3)


def test_few_heavy_choices_are_worth_few():
    even = snips(np.ones(100), np.full(100, 0.5), np.full(100, 0.5))
    uneven = snips(np.ones(100), np.full(100, 0.5), np.array([1.0] + [0.001] * 99))
    assert even.effective == pytest.approx(100) and uneven.effective < 2


@pytest.mark.parametrize(
    ("rewards", "logged", "target"),
    [([], [], []), ([1], [0], [1]), ([1], [1.5], [1]), ([1, 0], [0.5, 0.5], [0, 0]), ([1], [0.5, 0.5], [1])],
)
def test_what_cannot_be_estimated_is_an_error(rewards, logged, target):
    with pytest.raises(ValueError):
        snips(*(np.array(part, dtype=float) for part in (rewards, logged, target)))


def test_training_weights_are_clipped_and_mean_one():
    weights = training_weights(np.array([1.0, 0.5, 0.001]), clip=10)
    assert weights.mean() == pytest.approx(1)
    assert (weights / weights[0]).tolist() == pytest.approx([1, 2, 10])
