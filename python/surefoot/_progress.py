"""How a fit tells how far it is."""

from __future__ import annotations

from contextlib import contextmanager

# Seconds after which a bar appears where nobody asked for one.
_DELAY = 2


@contextmanager
def progress_of(estimator):
    """A function for the compiled half that tells each epoch as the estimator is asked to; ``None`` where nothing is told."""
    tellers, bar = [], None
    if estimator.verbose:
        tellers.append(_print)
    if callable(estimator.progress):
        tellers.append(estimator.progress)
    elif estimator.progress is not False and not estimator.verbose:
        bar = _bar(0 if estimator.progress else _DELAY)
        if bar is not None:
            tellers.append(bar.tell)
    if not tellers:
        yield None
        return

    def told(epoch, epochs, network, loss, validation_loss, validation_score):
        state = {
            "epoch": epoch,
            "epochs": epochs,
            "network": network,
            "loss": loss,
            "validation_loss": validation_loss,
            "validation_score": validation_score,
        }
        for tell in tellers:
            tell(state)

    try:
        yield told
    finally:
        if bar is not None:
            bar.close()


def _print(state):
    score = state["validation_score"]
    held_out = "" if score is None else f", validation score = {score:.4f}"
    print(f"Network {state['network']}, epoch {state['epoch']}, loss = {state['loss']:.8f}{held_out}")


def _bar(delay):
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return None
    return _Bar(tqdm, delay)


class _Bar:
    def __init__(self, tqdm, delay):
        self._bar = tqdm(desc="surefoot", unit="epoch", delay=delay, leave=False)

    def tell(self, state):
        self._bar.total = state["epochs"]
        self._bar.update()

    def close(self):
        self._bar.close()
