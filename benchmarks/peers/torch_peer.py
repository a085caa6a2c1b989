"""PyTorch, eager: an `nn.Sequential`, autograd and a fused or foreach optimizer."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from .common import Config, Peer, flatten, serve

ACTIVATIONS = {"sigmoid": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


def network(config: Config) -> nn.Sequential:
    """The network with its start weights. A softmax is left to the loss, and to prediction."""
    modules: list[nn.Module] = []
    for (weights, biases), activation in zip(config.split(config.theta), config.activations):
        linear = nn.Linear(weights.shape[1], weights.shape[0], dtype=torch.from_numpy(weights).dtype)
        linear.weight.data = torch.from_numpy(weights.copy())
        linear.bias.data = torch.from_numpy(biases.copy())
        modules.append(linear)
        if activation in ACTIVATIONS:
            modules.append(ACTIVATIONS[activation]())
    return nn.Sequential(*modules)


class TorchPeer(Peer):
    def __init__(self, threads: int) -> None:
        self.threads = threads
        torch.set_num_threads(threads)

    def variants(self, config: Config) -> list[str]:
        return ["fused", "foreach"] if config.kind == "train" else ["autograd"]

    def load(self, config: Config, variant: str) -> None:
        self.config, self.variant = config, variant
        self.softmax = config.activations[-1] == "softmax"
        self.x = torch.from_numpy(config.inputs)
        # Class numbers are what users give to the cross-entropy.
        self.y = torch.from_numpy(config.labels() if self.softmax else config.targets)
        self.rows = torch.from_numpy(config.steps.astype(np.int64)).unbind()
        self.batch_x = torch.empty(config.batch, config.layers[0], dtype=self.x.dtype)
        self.batch_y = torch.empty((config.batch, *self.y.shape[1:]), dtype=self.y.dtype)
        self.net = network(config)
        self.params = list(self.net.parameters())

    def reset(self) -> None:
        self.at = 0
        with torch.no_grad():
            arrays = [array for part in self.config.split(self.config.theta) for array in part]
            for parameter, array in zip(self.params, arrays):
                parameter.copy_(torch.from_numpy(array))
                parameter.grad = None
        o, how = self.config.optimizer, {self.variant: True}
        if o["name"] == "adam":
            self.optimizer = torch.optim.Adam(
                self.params, lr=o["learning_rate"], betas=(o["beta1"], o["beta2"]), eps=o["epsilon"], **how
            )
        elif o["name"] == "gradient-descent":
            self.optimizer = torch.optim.SGD(self.params, lr=o["learning_rate"], **how)

    def cost(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.net(x)
        if self.softmax:
            value = functional.cross_entropy(h, y)
        else:
            value = functional.mse_loss(h, y, reduction="sum") * (0.5 / len(x))
        if self.config.weight_decay:
            squares = sum(weights.square().sum() for weights in self.params[::2])
            value = value + 0.5 * self.config.weight_decay * squares
        return value

    def next_rows(self) -> tuple[Tensor, Tensor]:
        if self.config.full:
            return self.x, self.y
        rows = self.rows[self.at % len(self.rows)]
        self.at += 1
        torch.index_select(self.x, 0, rows, out=self.batch_x)
        torch.index_select(self.y, 0, rows, out=self.batch_y)
        return self.batch_x, self.batch_y

    def train(self) -> None:
        self.cost(*self.next_rows()).backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)

    def evaluate(self) -> tuple[Tensor, tuple[Tensor, ...]]:
        value = self.cost(self.x, self.y)
        return value, torch.autograd.grad(value, self.params)

    def run(self, steps: int) -> None:
        step = self.evaluate if self.config.kind == "evaluate" else self.train
        for _ in range(steps):
            step()

    def forward(self, x: Tensor) -> Tensor:
        h = self.net(x)
        return torch.softmax(h, 1) if self.softmax else h

    def predict(self, rows: int, repeat: int) -> None:
        x = self.x[:rows]
        with torch.inference_mode():
            for _ in range(repeat):
                self.forward(x)

    def theta(self) -> np.ndarray:
        values = [p.detach().numpy() for p in self.params]
        return flatten(list(zip(values[::2], values[1::2])))

    def evaluation(self) -> tuple[float, np.ndarray]:
        value, gradient = self.evaluate()
        arrays = [g.detach().numpy() for g in gradient]
        return value.item(), flatten(list(zip(arrays[::2], arrays[1::2])))

    def outputs(self) -> np.ndarray:
        with torch.inference_mode():
            return self.forward(self.x).numpy()


if __name__ == "__main__":
    serve(TorchPeer)
