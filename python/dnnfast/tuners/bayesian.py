"""Bayesian optimization: a Gaussian process of the scores says where to try next."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dnnfast import checks
from dnnfast.tuners.oracle import Oracle, fingerprint
from dnnfast.tuners.trial import TrialStatus

_CANDIDATES = 1000  # drawn from all of the space
_NEAR = 200  # drawn around the best trials
_SCALES = np.geomspace(0.05, 5.0, 13)  # lengths over which scores are alike, of ranges of length 1


def matern(a: np.ndarray, b: np.ndarray, scale: float) -> np.ndarray:
    """Return the covariances of two sets of points, Matern's with ``nu = 5/2``.

    Formula: ``(1 + d + d^2 / 3) exp(-d)`` with ``d = sqrt(5) |a - b| / scale``; Rasmussen and
    Williams, "Gaussian Processes for Machine Learning" (2006), equation 4.17.
    """
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * a @ b.T
    d = np.sqrt(5 * np.maximum(squares, 0)) / scale
    return (1 + d + d**2 / 3) * np.exp(-d)


class GaussianProcess:
    """A Gaussian process through noisy values at some points.

    Args:
        x: points, ``[n, features]``.
        y: values, ``[n]``.
        alpha: variance of the noise, of values that are scaled to variance 1.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, alpha: float) -> None:
        self.x, self.mean = x, float(y.mean())
        self.deviation = float(y.std()) or 1.0
        targets = (y - self.mean) / self.deviation
        best = -math.inf
        for scale in _SCALES:
            factor = np.linalg.cholesky(matern(x, x, scale) + alpha * np.eye(len(x)))
            weights = np.linalg.solve(factor.T, np.linalg.solve(factor, targets))
            # The logarithm of the likelihood of the values, but for a constant.
            likelihood = -0.5 * targets @ weights - np.log(np.diag(factor)).sum()
            if likelihood > best:
                best, self.scale = likelihood, float(scale)
                self._factor, self._weights = factor, weights

    def predict(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations at points."""
        across = matern(x, self.x, self.scale)
        mean = self.mean + self.deviation * (across @ self._weights)
        reduced = np.linalg.solve(self._factor, across.T)
        variance = np.maximum(1 - (reduced**2).sum(0), 1e-12)
        return mean, self.deviation * np.sqrt(variance)


class BayesianOracle(Oracle):
    """Draws values at random first, then those that promise most.

    Args:
        num_initial_points: number of the former, or None: three for each hyperparameter.
        alpha: variance of the noise of scores.
        beta: how much an uncertain score counts as a good one.
        **options: those of `Oracle`.
    """

    def __init__(
        self, num_initial_points: int | None, alpha: float, beta: float, **options: Any
    ) -> None:
        super().__init__(**options)
        self.num_initial_points = num_initial_points
        self.alpha = checks.number("BayesianOptimization", "alpha", alpha, above=0.0)
        self.beta = checks.number("BayesianOptimization", "beta", beta, 0.0)

    def choose(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        done = [t for t in self._counted() if t.status == TrialStatus.COMPLETED]
        done = [trial for trial in done if trial.score is not None]
        tuned = [hp for hp in self.hyperparameters.space if hp.features(hp.default)]
        first = max(3 * len(tuned), 3)
        if self.num_initial_points is not None:
            first = self.num_initial_points
        values = None
        if len(done) >= max(first, 2) and tuned:
            values = self._promising(done, number)
        values = self.drawn(number) if values is None else values
        return None if values is None else (values, {})

    def _promising(self, done: list[Any], number: int) -> dict[str, Any] | None:
        """Return the candidate of the lowest bound of its score, to be made small."""
        sign = 1.0 if self.objective.direction == "min" else -1.0
        scores = np.array([sign * trial.score for trial in done])
        points = [self._features(trial.hyperparameters.values) for trial in done]
        # What is running now counts as giving a usual score, so that others try elsewhere.
        running = [t for t in self.trials.values() if t.status == TrialStatus.RUNNING]
        points += [self._features(trial.hyperparameters.values) for trial in running]
        scores = np.concatenate([scores, np.full(len(running), scores.mean())])
        process = GaussianProcess(np.array(points), scores, self.alpha)
        random = np.random.default_rng([self.seed, number])
        tried = self.tried()
        candidates = [c for c in self._candidates(random, done) if fingerprint(c) not in tried]
        if not candidates:
            return None
        means, deviations = process.predict(np.array([self._features(c) for c in candidates]))
        return candidates[int(np.argmin(means - self.beta * deviations))]

    def _candidates(self, random: Any, done: list[Any]) -> list[dict[str, Any]]:
        found = [self.values(lambda hp: hp.at(random.random())) for _ in range(_CANDIDATES)]
        best = [trial.hyperparameters.values for trial in self.get_best_trials(3)]
        for i in range(_NEAR):
            near = best[i % len(best)]

            def moved(hp: Any, near: dict[str, Any] = near) -> Any:
                place = hp.features(near[hp.name]) if hp.name in near else []
                if len(place) != 1 or random.random() < 0.3:
                    keep = hp.name in near and random.random() < 0.7
                    return near[hp.name] if keep else hp.at(random.random())
                return hp.at(float(np.clip(place[0] + 0.1 * random.normal(), 0, 1 - 1e-9)))

            found.append(self.values(moved))
        return found

    def _features(self, values: dict[str, Any]) -> list[float]:
        found: list[float] = []
        for hp in self.hyperparameters.space:
            known = hp.is_active(values) and hp.name in values
            found += hp.features(values[hp.name] if known else hp.default)
        return found
