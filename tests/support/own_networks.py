"""Networks of a user's own, right and wrong, named by ``model.network._target_``."""

import torch
from torch import nn


class Small(nn.Module):
    """A network that asks for what convexp knows; it cannot be built on the meta device."""

    def __init__(self, input_shape, outputs, width=8):
        super().__init__()
        scale = torch.linspace(1, 2, 3).tolist()[1]
        self.body = nn.Sequential(nn.Conv2d(input_shape[0], width, 3), nn.BatchNorm2d(width), nn.ReLU())
        self.head = nn.Linear(width, outputs)
        self.scale = scale

    def forward(self, x):
        return self.head(self.scale * self.body(x).mean((2, 3)))


def flat(inputs, outputs):
    """Takes one argument that convexp does not know, which the YAML file interpolates."""
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(inputs), nn.Linear(inputs, outputs))


def signals(input_shape, outputs):
    return nn.Sequential(
        nn.Conv1d(input_shape[0], 4, 3), nn.ReLU(), nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(4, outputs)
    )


def no_module(outputs):
    return {"outputs": outputs}


def images_back():
    return nn.Identity()


class Several(nn.Module):
    def forward(self, x):
        return x.mean(), x


def on_batches_of_images_alone(input_shape, outputs):
    return flat(input_shape[0] * input_shape[1] * input_shape[2], outputs)


def broken():
    return nn.Linear(1, {}["width"])


class Narrow(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.head = nn.Linear(7, outputs)

    def forward(self, x):
        return self.head(x.flatten(1))
