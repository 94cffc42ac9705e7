#!/usr/bin/env python3
"""Makes autoencoder.safetensors: a tiny auto-encoder's first steps as PyTorch computes them.

    pip install torch numpy safetensors
    python make_fixtures.py

The network is R1 with few channels on a grid of 32 x 32 x 64 voxels. The file holds, under PyTorch's names:
weights before the first step (`NAME`), their gradients (`gradient.NAME`), and the weights after three steps
of Adam with a clipped norm (`after.NAME`); labels and log_prior at an eighth of the grid; epsilon; the loss
of each step and the norm of the first gradient.
"""
import os

import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

LABELS, GRID, LATENT = 5, [32, 32, 64], 3
ENCODER, DECODER = [2, 3, 2, 3, 2], [2, 3, 2, 2, 3, 4]
CLIP, RATE = 100.0, 0.01


def convolution(inputs, outputs, stride):
    return nn.Sequential(nn.Conv3d(inputs, outputs, 3, stride, 1), nn.ELU())


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.coarse = [extent // 32 for extent in GRID]
        cells = self.coarse[0] * self.coarse[1] * self.coarse[2]
        widths = [LABELS] + ENCODER
        self.encoder = nn.Sequential(
            *[convolution(i, o, 2) for i, o in zip(widths, widths[1:])], nn.Flatten())
        self.mean = nn.Linear(ENCODER[-1] * cells, LATENT)
        self.log_variance = nn.Linear(ENCODER[-1] * cells, LATENT)
        self.dense = nn.Linear(LATENT, DECODER[0] * cells)
        self.up = nn.ModuleList(convolution(i, o, 1) for i, o in zip(DECODER, DECODER[1:]))
        self.logits = nn.Conv3d(DECODER[-1], LABELS, 1)

    def loss(self, labels, log_prior, epsilon):
        h = self.encoder(F.one_hot(labels, LABELS).permute(3, 0, 1, 2)[None].float())
        mean, log_variance = self.mean(h), self.log_variance(h)
        z = mean + torch.exp(0.5 * log_variance) * epsilon
        h = F.elu(self.dense(z)).view(-1, DECODER[0], *self.coarse)
        for layer in self.up:
            h = layer(F.interpolate(h, scale_factor=2, mode="nearest"))
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
        logits = self.logits(h) + log_prior
        return F.cross_entropy(logits, labels[None], reduction="sum") + divergence


def spread(coarse, first):
    for axis in range(first, first + 3):
        coarse = coarse.repeat_interleave(8, axis)
    return coarse


def main():
    torch.manual_seed(7)
    network = AutoEncoder()
    tensors = {name: value.clone() for name, value in network.state_dict().items()}
    coarse = [extent // 8 for extent in GRID]
    labels = torch.randint(LABELS, coarse, dtype=torch.int32)
    log_prior = torch.log_softmax(torch.randn(1, LABELS, *coarse), 1).half().float()
    epsilon = torch.randn(1, LATENT)
    optimiser = torch.optim.Adam(network.parameters(), RATE)
    losses = []
    for step in range(3):
        loss = network.loss(spread(labels.long(), 0), spread(log_prior, 2), epsilon)
        losses.append(loss.item())
        optimiser.zero_grad()
        loss.backward()
        if step == 0:
            for name, parameter in network.named_parameters():
                tensors["gradient." + name] = parameter.grad.clone()
        norm = torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        if step == 0:
            tensors["norm"] = norm.clone().reshape(1)
        optimiser.step()
    for name, value in network.state_dict().items():
        tensors["after." + name] = value.clone()
    tensors |= {"labels": labels, "log_prior": log_prior[0].half(), "epsilon": epsilon, "losses": torch.tensor(losses)}
    path = os.path.join(os.path.dirname(__file__), "autoencoder.safetensors")
    save_file(tensors, path, metadata={"labels": str(LABELS), "made_by": "PyTorch"})
    print(losses, norm.item(), os.path.getsize(path))


if __name__ == "__main__":
    main()
