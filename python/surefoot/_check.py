"""The gradient check of any function."""

from __future__ import annotations

import numpy as np

from . import _core
from ._data import row_by_row


def check_gradient(fun, theta, epsilon=1e-4):
    """Compares the gradient that a function claims with the numerical derivative of its cost.

    Parameters
    ----------
    fun : callable
        ``fun(theta) -> (cost, gradient)``, for a flat float64 array.
    theta : array-like
        Where to compare.
    epsilon : float, default=1e-4
        The step of the two-sided difference, in place of which smaller ones are tried where the function bends too much.

    Returns
    -------
    GradientReport
        ``passed``; ``difference``, ‖n − g‖/‖n + g‖; ``max_difference``; ``worst``, the coordinate to look at.

    Examples
    --------
    >>> import numpy as np, surefoot
    >>> def h(x):
    ...     return x[0] ** 2 + 3 * x[0] * x[1], np.array([2 * x[0] + 3 * x[1], 3 * x[0]])
    >>> surefoot.check_gradient(h, [4.0, 10.0]).passed
    True
    """
    theta = row_by_row(theta, np.float64)
    shape = theta.shape
    if theta.ndim != 1:
        function = fun

        def fun(flat):
            return function(flat.reshape(shape))

    return _core.check_gradient(fun, theta.ravel(), epsilon)
