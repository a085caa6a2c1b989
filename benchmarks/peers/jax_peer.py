"""JAX: one compiled call a step, with the state's buffers handed over to be written again."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .common import Config, Peer, flatten, serve

ACTIVATIONS = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "identity": lambda z: z,
    # Applied by the loss in training, and in `predict`.
    "softmax": lambda z: z,
}


class JaxPeer(Peer):
    def __init__(self, threads: int) -> None:
        self.threads = threads

    def variants(self, config: Config) -> list[str]:
        # How the weights are kept decides which kinds of product XLA meets in the two passes.
        return ["inputs x outputs"] + ["outputs x inputs"] * (config.kind != "predict")

    def load(self, config: Config, variant: str) -> None:
        self.config = config
        jax.config.update("jax_enable_x64", config.dtype == np.float64)
        self.turned = variant == "inputs x outputs"
        self.x = jnp.array(config.inputs)
        self.y = jnp.array(config.targets)
        self.rows = jnp.array(config.steps.astype(np.int32))
        self.start_params = [(self.turn(w), b) for w, b in config.split(config.theta)]
        self.inputs: dict[int, Any] = {}
        self.step = jax.jit(self.advance, donate_argnums=0)
        self.evaluate = jax.jit(jax.value_and_grad(self.cost))
        self.forward = jax.jit(self.outputs_of)

    def reset(self) -> None:
        params = jax.tree.map(jnp.array, self.start_params)
        still = jax.tree.map(jnp.zeros_like, params)
        moments = (still, jax.tree.map(jnp.zeros_like, params)) if self.config.optimizer["name"] == "adam" else ()
        self.state = jax.block_until_ready((params, moments, jnp.zeros((), jnp.int32)))

    def turn(self, weights: Any) -> Any:
        return weights.T if self.turned else weights

    # The network.

    def net(self, params: Any, x: jax.Array) -> jax.Array:
        for (weights, biases), activation in zip(params, self.config.activations):
            x = ACTIVATIONS[activation](x @ (weights if self.turned else weights.T) + biases)
        return x

    def outputs_of(self, params: Any, x: jax.Array) -> jax.Array:
        h = self.net(params, x)
        return jax.nn.softmax(h) if self.config.activations[-1] == "softmax" else h

    def cost(self, params: Any, x: jax.Array, y: jax.Array) -> jax.Array:
        h = self.net(params, x)
        if self.config.loss == "cross-entropy":
            value = -jnp.sum(jax.nn.log_softmax(h) * y) / len(x)
        else:
            value = 0.5 * jnp.sum(jnp.square(h - y)) / len(x)
        if self.config.weight_decay:
            value += 0.5 * self.config.weight_decay * sum(jnp.sum(jnp.square(w)) for w, _ in params)
        return value

    # Training.

    def advance(self, state: Any, x: jax.Array, y: jax.Array, rows: jax.Array) -> Any:
        params, moments, t = state
        if not self.config.full:
            chosen = rows[t % len(rows)]
            x = x.at[chosen].get(mode="promise_in_bounds")
            y = y.at[chosen].get(mode="promise_in_bounds")
        gradient = jax.grad(self.cost)(params, x, y)
        t = t + 1
        o = self.config.optimizer
        if o["name"] != "adam":
            return jax.tree.map(lambda p, g: p - o["learning_rate"] * g, params, gradient), (), t
        beta1, beta2 = o["beta1"], o["beta2"]
        m = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, moments[0], gradient)
        v = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, moments[1], gradient)
        # 1 - beta**t, without the digits that single precision would lose.
        scale1, scale2 = -1 / jnp.expm1(t * np.log(beta1)), -1 / jnp.expm1(t * np.log(beta2))
        params = jax.tree.map(
            lambda p, m, v: p - o["learning_rate"] * (m * scale1) / (jnp.sqrt(v * scale2) + o["epsilon"]), params, m, v
        )
        return params, (m, v), t

    def run(self, steps: int) -> None:
        if self.config.kind == "evaluate":
            params = self.state[0]
            for _ in range(steps):
                result = self.evaluate(params, self.x, self.y)
            jax.block_until_ready(result)
            return
        state = self.state
        for _ in range(steps):
            state = self.step(state, self.x, self.y, self.rows)
        self.state = jax.block_until_ready(state)

    def predict(self, rows: int, repeat: int) -> None:
        if rows not in self.inputs:
            self.inputs[rows] = jnp.array(self.config.inputs[:rows])
        params, x = self.state[0], self.inputs[rows]
        for _ in range(repeat):
            jax.block_until_ready(self.forward(params, x))

    # Answers.

    def theta(self) -> np.ndarray:
        return flatten([(self.turn(np.asarray(w)), np.asarray(b)) for w, b in self.state[0]])

    def evaluation(self) -> tuple[float, np.ndarray]:
        value, gradient = self.evaluate(self.state[0], self.x, self.y)
        return float(value), flatten([(self.turn(np.asarray(w)), np.asarray(b)) for w, b in gradient])

    def outputs(self) -> np.ndarray:
        return np.asarray(self.forward(self.state[0], self.x))


if __name__ == "__main__":
    serve(JaxPeer)
