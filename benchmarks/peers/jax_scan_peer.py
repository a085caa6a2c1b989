"""JAX: a whole run of training steps inside one compiled loop, so that nothing is called per step."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax

from .common import Config, serve
from .jax_peer import JaxPeer


class JaxScanPeer(JaxPeer):
    def load(self, config: Config, variant: str) -> None:
        super().load(config, variant)

        @partial(jax.jit, donate_argnums=0)
        def loop(state: Any, x: jax.Array, y: jax.Array, rows: jax.Array, steps: int) -> Any:
            # As a scan, but its length is no constant: a run of another length needs no other compilation.
            return jax.lax.fori_loop(0, steps, lambda _, s: self.advance(s, x, y, rows), state)

        self.loop = loop

    def run(self, steps: int) -> None:
        self.state = jax.block_until_ready(self.loop(self.state, self.x, self.y, self.rows, steps))


if __name__ == "__main__":
    serve(JaxScanPeer)
