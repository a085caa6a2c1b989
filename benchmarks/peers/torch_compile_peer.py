"""PyTorch, compiled.

Two ways of training: one compiled call that holds the gather, both passes and the optimizer, or a compiled loss
with autograd and the fused optimizer around it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch._inductor import config as inductor
from torch.func import functional_call, grad_and_value

from .common import Config, flatten, serve
from .torch_peer import TorchPeer


class TorchCompilePeer(TorchPeer):
    def variants(self, config: Config) -> list[str]:
        return ["whole step", "loss only"] if config.kind == "train" else ["whole call"]

    def load(self, config: Config, variant: str) -> None:
        self.part = variant == "loss only"
        super().load(config, "fused")
        torch.compiler.reset()
        self.names = [name for name, _ in self.net.named_parameters()]
        self.compiled_params = [p.detach().clone() for p in self.params]
        self.m = [torch.zeros_like(p) for p in self.compiled_params]
        self.v = [torch.zeros_like(p) for p in self.compiled_params]
        self.t = torch.zeros((), dtype=self.x.dtype)
        if config.kind == "predict":
            self.net.eval()
            # Lets the compiler treat the weights as constants.
            inductor.freezing = True
            self.compiled = torch.compile(super().forward, mode="max-autotune-no-cudagraphs", dynamic=False)
        elif config.kind == "evaluate":
            self.compiled = torch.compile(grad_and_value(self.cost_at), fullgraph=True)
        elif self.part:
            self.compiled = torch.compile(super().cost, fullgraph=True)
        else:
            self.compiled = torch.compile(self.advance, fullgraph=True)

    def reset(self) -> None:
        super().reset()
        arrays = [array for part in self.config.split(self.config.theta) for array in part]
        for parameter, m, v, array in zip(self.compiled_params, self.m, self.v, arrays):
            parameter.copy_(torch.from_numpy(array))
            m.zero_()
            v.zero_()
        self.t.zero_()

    def cost_at(self, params: list[Tensor], x: Tensor, y: Tensor) -> Tensor:
        h = functional_call(self.net, dict(zip(self.names, params)), (x,))
        if self.softmax:
            value = torch.nn.functional.cross_entropy(h, y)
        else:
            value = (h - y).square().sum() * (0.5 / len(x))
        if self.config.weight_decay:
            squares = sum(weights.square().sum() for weights in params[::2])
            value = value + 0.5 * self.config.weight_decay * squares
        return value

    def advance(
        self, params: list[Tensor], m: list[Tensor], v: list[Tensor], t: Tensor, x: Tensor, y: Tensor, rows: Any
    ) -> None:
        if rows is not None:
            x, y = x[rows], y[rows]
        gradient, _ = grad_and_value(self.cost_at)(params, x, y)
        o = self.config.optimizer
        if o["name"] != "adam":
            for parameter, g in zip(params, gradient):
                parameter.sub_(g, alpha=o["learning_rate"])
            return
        beta1, beta2 = o["beta1"], o["beta2"]
        t.add_(1)
        # 1 - beta**t, without the digits that single precision would lose.
        scale1 = -1 / torch.expm1(t * float(np.log(beta1)))
        scale2 = -1 / torch.expm1(t * float(np.log(beta2)))
        for parameter, g, first, second in zip(params, gradient, m, v):
            first.mul_(beta1).add_(g * (1 - beta1))
            second.mul_(beta2).add_(g * g * (1 - beta2))
            parameter.sub_(o["learning_rate"] * (first * scale1) / ((second * scale2).sqrt() + o["epsilon"]))

    def cost(self, x: Tensor, y: Tensor) -> Tensor:
        return self.compiled(x, y)

    def run(self, steps: int) -> None:
        if self.part:
            return super().run(steps)
        with torch.no_grad():
            if self.config.kind == "evaluate":
                for _ in range(steps):
                    self.compiled(self.compiled_params, self.x, self.y)
                return
            state = (self.compiled_params, self.m, self.v, self.t, self.x, self.y)
            for _ in range(steps):
                self.compiled(*state, None if self.config.full else self.rows[self.at % len(self.rows)])
                self.at += 1

    def predict(self, rows: int, repeat: int) -> None:
        x = self.x[:rows]
        # Freezing asks for `no_grad`.
        with torch.no_grad():
            for _ in range(repeat):
                self.compiled(x)

    def theta(self) -> np.ndarray:
        if self.part:
            return super().theta()
        arrays = [p.numpy() for p in self.compiled_params]
        return flatten(list(zip(arrays[::2], arrays[1::2])))

    def evaluation(self) -> tuple[float, np.ndarray]:
        with torch.no_grad():
            gradient, value = self.compiled(self.compiled_params, self.x, self.y)
        arrays = [g.numpy() for g in gradient]
        return value.item(), flatten(list(zip(arrays[::2], arrays[1::2])))

    def outputs(self) -> np.ndarray:
        with torch.no_grad():
            return self.compiled(self.x).numpy()


if __name__ == "__main__":
    serve(TorchCompilePeer)
