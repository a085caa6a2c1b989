"""The parameters of a network as one flat array θ, and as the matrices that scikit-learn calls coefs and intercepts."""

from __future__ import annotations

import numpy as np


class Parameters:
    """θ in the compiled half's order: for each layer its weights, unit by unit, then its biases."""

    def __init__(self, theta, shapes):
        self.theta = theta
        self._coefs, self._intercepts = [], []
        start = 0
        for inputs, outputs in shapes:
            middle = start + inputs * outputs
            self._coefs.append(theta[start:middle].reshape(outputs, inputs).T)
            self._intercepts.append(theta[middle : middle + outputs])
            start = middle + outputs

    @classmethod
    def packed(cls, coefs, intercepts, dtype):
        """A copy of these."""
        parts = [part for coef, bias in zip(coefs, intercepts) for part in (np.ravel(np.asarray(coef).T), bias)]
        return cls(np.concatenate(parts).astype(dtype, copy=False), [np.shape(coef) for coef in coefs])

    def views(self):
        """Lists of matrices (in, out) and of vectors that are θ: to edit one is to edit the other."""
        return list(self._coefs), list(self._intercepts)

    def are(self, coefs, intercepts):
        """Whether these are the views of this θ."""
        return (
            len(coefs) == len(self._coefs)
            and len(intercepts) == len(self._intercepts)
            and all(one is other for one, other in zip(coefs, self._coefs))
            and all(one is other for one, other in zip(intercepts, self._intercepts))
        )
