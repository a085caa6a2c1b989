"""µs a step of Adam in JAX on the networks of `crates/surefoot-gpu/examples/steps.rs`: `pip install 'jax[cuda12]'; peers.py [NAME…]`

A call is many steps of one `lax.scan`, whose batches are gathered on the device, in single precision and in TF32 on the tensor cores.
"""

import sys
import time

import jax
import jax.numpy as jnp

SHAPES = {
    "b": ([64, 32, 10], 32),
    "c": ([784, 100, 10], 200),
    "d": ([784, 256, 128, 10], 128),
    "x": ([784, 128, 10], 256),
    "g": ([1024, 2048, 2048, 1024], 512),
    "G": ([4096, 4096, 4096, 4096], 4096),
}
# multiply-adds of a call
WORK = 2e12 if jax.devices()[0].platform == "gpu" else 2e9


def cost(theta, x, y):
    for l, (w, b) in enumerate(theta):
        x = x @ w + b
        if l + 1 < len(theta):
            x = jax.nn.relu(x)
    if y.shape[1] == 10:
        return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(x), axis=1))
    return 0.5 * jnp.mean(jnp.sum((x - y) ** 2, axis=1))


def microseconds(widths, batch, precision):
    """The median of five calls after one that compiles."""
    key = jax.random.key(1)
    rows = 4 * batch
    x = jax.random.normal(key, (rows, widths[0]))
    y = jnp.eye(widths[-1])[jnp.arange(rows) % 10]
    theta = [(jax.random.normal(key, (n, m)) * (2 / n) ** 0.5, jnp.zeros(m)) for n, m in zip(widths, widths[1:])]
    zeros = jax.tree.map(jnp.zeros_like, theta)
    parameters = sum(w.size + b.size for w, b in theta)
    steps = int(min(max(WORK / (3 * parameters * batch), 4), 20_000))

    def step(state, order):
        theta, m, v, t = state
        value, g = jax.value_and_grad(cost)(theta, x[order], y[order])
        t = t + 1
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        alpha, scale = 0.001 / (1 - 0.9**t), 1 / jnp.sqrt(1 - 0.999**t)
        theta = jax.tree.map(lambda p, m, v: p - alpha * m / (jnp.sqrt(v) * scale + 1e-8), theta, m, v)
        return (theta, m, v, t), value

    @jax.jit
    def call(state, orders):
        with jax.default_matmul_precision(precision):
            return jax.lax.scan(step, state, orders)

    orders = jax.random.randint(key, (steps, batch), 0, rows)
    state, times = (theta, zeros, zeros, jnp.float32(0)), []
    for _ in range(6):
        clock = time.perf_counter()
        jax.block_until_ready(call(state, orders))
        times.append((time.perf_counter() - clock) / steps * 1e6)
    return sorted(times[1:])[2]


def main():
    print(f"JAX {jax.__version__} on {jax.devices()[0].device_kind}; µs a step with Adam, costs included")
    for name in sys.argv[1:] or SHAPES:
        widths, batch = SHAPES[name]
        single, tensor = (microseconds(widths, batch, precision) for precision in ("float32", "tensorfloat32"))
        print(f"{name} {'-'.join(map(str, widths))} batch {batch}: f32 {single:.1f}, TF32 {tensor:.1f}", flush=True)


if __name__ == "__main__":
    main()
