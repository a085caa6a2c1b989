"""What scikit-learn's optimizers keep and decide between epochs; the steps are the compiled half's."""

from __future__ import annotations

import numpy as np

from . import _core


def optimizer_of(estimator, theta):
    """The optimizer that an estimator asks for, at its first step."""
    if estimator.solver == "adam":
        return AdamOptimizer(theta, estimator.learning_rate_init, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    return SGDOptimizer(
        theta,
        estimator.learning_rate_init,
        estimator.learning_rate,
        estimator.momentum,
        estimator.nesterovs_momentum,
        estimator.power_t,
    )


class _Optimizer:
    """Its state is arrays and numbers, so it is pickled as it is."""

    def __init__(self, learning_rate_init):
        self.learning_rate_init = learning_rate_init
        self.learning_rate = float(learning_rate_init)
        self.steps = 0

    def epoch(self, problem, theta, X, y, weights, order, batch_size, threads):
        rows = len(X) if order is None else len(order)
        loss = problem.epoch(
            theta, X, y, weights, order, batch_size, self._rule(), self.first, self.second, self.steps, self.learning_rate, threads
        )
        self.steps += -(-rows // batch_size)
        return loss

    def iteration_ends(self, time_step):
        """An epoch has ended, after so many rows in all."""

    def trigger_stopping(self, message, verbose):
        """Whether to stop where nothing improves any more."""
        if verbose:
            print(message + " Stopping.")
        return True


class SGDOptimizer(_Optimizer):
    """Gradient descent with momentum. The velocity is kept in the unit of the gradient, so it is rescaled when the rate changes:
    scikit-learn's is the last step, which a new rate leaves as it is."""

    def __init__(self, theta, learning_rate_init, lr_schedule, momentum, nesterov, power_t):
        super().__init__(learning_rate_init)
        self.lr_schedule, self.momentum, self.nesterov, self.power_t = lr_schedule, momentum, nesterov, power_t
        self.first = np.zeros_like(theta) if momentum > 0 else None
        self.second = None

    def _rule(self):
        return _core.Optimizer.sgd(float(self.momentum), bool(self.nesterov))

    def _set_learning_rate(self, rate):
        if self.first is not None:
            self.first *= self.learning_rate / rate
        self.learning_rate = rate

    def iteration_ends(self, time_step):
        if self.lr_schedule == "invscaling":
            self._set_learning_rate(float(self.learning_rate_init) / (time_step + 1) ** self.power_t)

    def trigger_stopping(self, message, verbose):
        if self.lr_schedule != "adaptive":
            return super().trigger_stopping(message, verbose)
        if self.learning_rate <= 1e-6:
            if verbose:
                print(message + " Learning rate too small. Stopping.")
            return True
        self._set_learning_rate(self.learning_rate / 5.0)
        if verbose:
            print(message + " Setting learning rate to %f" % self.learning_rate)
        return False


class AdamOptimizer(_Optimizer):
    """Adam with scikit-learn's ε, which is added before the bias is corrected."""

    def __init__(self, theta, learning_rate_init, beta_1, beta_2, epsilon):
        super().__init__(learning_rate_init)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.first, self.second = np.zeros_like(theta), np.zeros_like(theta)

    def _rule(self):
        return _core.Optimizer.adam(float(self.beta_1), float(self.beta_2), float(self.epsilon))
