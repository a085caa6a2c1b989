"""scikit-learn's callbacks (1.9 and later), where it has them."""

from __future__ import annotations

from contextlib import contextmanager

try:
    from sklearn.callback import CallbackSupportMixin as CallbackSupport
    from sklearn.callback import with_callbacks
except ImportError:

    class CallbackSupport:  # type: ignore[no-redef]
        """Nothing, before scikit-learn 1.9."""

    def with_callbacks(method):
        return method


# What a fitted estimator needs to predict.
_FITTED = (
    "classes_",
    "_label_binarizer",
    "n_features_in_",
    "feature_names_in_",
    "n_layers_",
    "n_outputs_",
    "out_activation_",
)


class Callbacks:
    """The callbacks of one fit: the fit is a task, each of its epochs one within."""

    def __init__(self, estimator, X, y, weights, epochs):
        self.want_to_stop = False
        self._context = None
        if not (hasattr(estimator, "_skl_callbacks") or hasattr(estimator, "_parent_callback_ctx")):
            return
        self._estimator = estimator
        metadata = None if weights is None else {"sample_weight": weights}
        self._data = {"X": X, "y": y, "metadata": metadata}
        self._context = estimator._init_callback_context(max_subtasks=epochs)
        self._context.call_on_fit_task_begin(estimator=estimator, **self._data)

    @contextmanager
    def epoch(self):
        if self._context is None:
            yield
            return
        context = self._context.subcontext(task_name="epoch")
        context.call_on_fit_task_begin(estimator=self._estimator, **self._data)
        yield
        self.want_to_stop |= bool(
            context.call_on_fit_task_end(
                estimator=self._estimator, reconstruction_attributes=self._attributes(), **self._data
            )
        )

    def end(self):
        if self._context is not None:
            self._context.call_on_fit_task_end(
                estimator=self._estimator, reconstruction_attributes=self._attributes(), **self._data
            )

    def _attributes(self):
        """A copy of what the estimator is now."""
        kept = vars(self._estimator)
        attributes = {name: kept[name] for name in _FITTED if name in kept}
        for name in ("coefs_", "intercepts_"):
            attributes[name] = [part.copy() for part in kept[name]]
        return attributes
