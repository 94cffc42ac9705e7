#!/usr/bin/env python3
"""Makes warping.safetensors: a tiny auto-encoder that warps a prior, as PyTorch computes it.

    pip install torch numpy safetensors
    python make_warping_fixtures.py

The network has the parts of the default one with few channels, on a grid of 16 x 16 x 32 voxels; all is computed
in double precision. The file holds, under the network's names: weights (`NAME`) and their gradients
(`gradient.NAME`) of weighted cross-entropy + beta KL; labels; codes and the prior (in 1/255) at half the grid;
epsilon, the weights of labels, the table of the observation losses; what the encoder sees, mean and log-variance
of q, z, displacement and residual logits there; the losses `[cross-entropy, KL]` and `[Jensen, exact]`, and the
gradients of the latter two with respect to z.
"""
import os

import torch
from safetensors.torch import save_file
from torch.nn import functional as F

LABELS, GRID, LATENT = 20, [16, 16, 32], 3
ENCODER, DECODER = [4, 3, 3], [4, 3, 3]
FACTOR, FLOOR, BETA, CODES = 4, 1e-4, 0.7, 5
HALVINGS = len(DECODER) - 1
CELLS = [extent // 16 for extent in GRID]
torch.set_default_dtype(torch.float64)


def padded(channels):
    return (channels + 15) // 16 * 16


def weights():
    """Names in the order of the network, and values of a size that makes displacements of about a voxel."""
    values = {}

    def convolution(name, inputs, outputs, extents=None, gain=1.0):
        bound = gain / (27 * inputs) ** 0.5
        values[name + ".weight"] = bound * (2 * torch.rand(outputs, inputs, 3, 3, 3) - 1)
        if extents is None:
            values[name + ".bias"] = 0.3 * (2 * torch.rand(outputs) - 1)
        else:
            values[name + ".bias"] = 0.5 * (2 * torch.rand(padded(outputs) // 16, *extents, 16) - 1)

    for level, (inputs, outputs) in enumerate(zip([padded(LABELS) + padded(3)] + ENCODER, ENCODER)):
        extents = [extent // FACTOR >> min(level + 1, HALVINGS) for extent in GRID]
        convolution(f"encoder.{level}", inputs, outputs, extents, 3)
    convolution("posterior", ENCODER[-1], 2 * LATENT, gain=2)
    convolution("decoder.0", LATENT, DECODER[0], CELLS, 2)
    for level in range(1, len(DECODER)):
        extents = [cell << level for cell in CELLS]
        convolution(f"decoder.{level}", DECODER[level - 1], DECODER[level],
                    extents if level + 1 < len(DECODER) else None, 3)
    convolution("shift", DECODER[-1], 3, gain=8)
    convolution("logits", DECODER[-1], LABELS, gain=4)
    # What is stored is what is computed with.
    return {name: value.float().double().requires_grad_() for name, value in values.items()}


def biased(y, bias, scale):
    """Adds one number a channel, or, from the blocked layout, one a channel and voxel; then ELU."""
    if bias.dim() == 1:
        return F.elu(y + bias.view(1, -1, 1, 1, 1))
    plain = bias.permute(0, 4, 1, 2, 3).flatten(0, 1)[: y.shape[1]]
    return F.elu(y + scale * plain[None])


def features(prior, labels):
    """What the observation asks of the undisplaced prior, over voxels twice as large: [1, channels, nodes].

    A voxel's prior is the mean of eight, in whole 1/255, and its label that of one of the eight: of corner
    (z, y, x) mod 2.
    """
    half = [extent // 2 for extent in GRID]
    blocks = prior.view(LABELS, half[0], 2, half[1], 2, half[2], 2).sum((2, 4, 6))
    means = ((blocks * 255).round() + 4).div(8, rounding_mode="floor") / 255
    z, y, x = torch.meshgrid(*[torch.arange(extent) for extent in half], indexing="ij")
    target = labels[2 * z + z % 2, 2 * y + y % 2, 2 * x + x % 2]
    shift, logits = [torch.zeros(1, channels, *[extent // FACTOR for extent in GRID], requires_grad=True)
                     for channels in (3, LABELS)]
    loss = cross_entropy(masses(means, 0.5 * shift, logits, FACTOR // 2), target, torch.ones(LABELS))
    d_shift, d_logits = torch.autograd.grad(loss, (shift, logits))
    together = torch.zeros(1, padded(LABELS) + padded(3), *shift.shape[2:])
    together[:, :LABELS] = d_logits
    together[:, padded(LABELS) : padded(LABELS) + 3] = d_shift
    return -4 / (FACTOR // 2) ** 3 * together


def cross_entropy(mass, labels, label_weights):
    """Summed over the voxels whose label is known."""
    known = labels < LABELS
    target = torch.where(known, labels, 0)
    minus_log = mass.sum(0).log() - mass.gather(0, target[None])[0].log()
    return (minus_log * label_weights[target] * known).sum()


def encode(w, seen):
    h = seen
    for level in range(len(ENCODER)):
        h = F.conv3d(h, w[f"encoder.{level}.weight"], None, 2 if level < HALVINGS else 1, 1)
        h = biased(h, w[f"encoder.{level}.bias"], 1)
    h = F.conv3d(h, w["posterior.weight"], w["posterior.bias"], 1, 1)
    mean, log_variance = h[0, :LATENT].flatten(), h[0, LATENT:].flatten()
    return mean, (log_variance - 3).clamp(-12, 12)


def decode(w, z):
    h = F.conv3d(z.view(1, LATENT, *CELLS), w["decoder.0.weight"], None, 1, 1)
    h = biased(h, w["decoder.0.bias"], 0.2)
    for level in range(1, len(DECODER)):
        h = F.conv3d(F.interpolate(h, scale_factor=2, mode="nearest"), w[f"decoder.{level}.weight"], None, 1, 1)
        h = biased(h, w[f"decoder.{level}.bias"], 0.2)
    return [F.conv3d(h, w[f"{name}.weight"], w[f"{name}.bias"], 1, 1) for name in ["shift", "logits"]]


def onto_grid(at, extent):
    """A position on the face of the grid still has a gradient, which `clamp` would take away."""
    at = torch.where(at < 0, torch.zeros_like(at), at)
    return torch.where(at > extent - 1.001, torch.full_like(at, extent - 1.001), at)


def masses(prior, shift, logits, factor=FACTOR):
    """Prior [K, D, H, W] at displaced positions times exp of the logits: [K, D, H, W].

    Labels come 16 at a time: no logits for those of a block that none of a position's eight neighbours
    has, and none at all where the neighbours know one label alone.
    """
    grid = prior.shape[1:]
    shift, logits = [F.interpolate(v, scale_factor=factor, mode="trilinear", align_corners=False)[0]
                     for v in (shift, logits)]
    axes = torch.meshgrid(*[torch.arange(e, dtype=torch.float64) for e in grid], indexing="ij")
    # Displacement is along width, height, depth.
    at = [onto_grid(axes[i] + shift[2 - i], grid[i]) for i in range(3)]
    first = [a.detach().floor().long() for a in at]
    near = 0
    present = torch.zeros(LABELS, *grid, dtype=torch.bool)
    for corner in range(8):
        step = [corner >> 2, corner >> 1 & 1, corner & 1]
        values = prior[:, first[0] + step[0], first[1] + step[1], first[2] + step[2]]
        share = 1
        for i in range(3):
            part = at[i] - first[i]
            share = share * (part if step[i] else 1 - part)
        near = near + share * values
        present |= values > 0
    blocks = torch.cat([present[k : k + 16].any(0, keepdim=True).expand(len(present[k : k + 16]), -1, -1, -1)
                        for k in range(0, LABELS, 16)])
    counted = blocks & (present.sum(0, keepdim=True) > 1)
    return (near + FLOOR) * torch.exp(torch.where(counted, logits, torch.zeros(())))


def fine(coarse, first, offset=0):
    """Voxel i of the whole grid is voxel (i + offset) // 2 of the coarse one, or its last."""
    for axis in range(first, first + 3):
        extent = coarse.shape[axis]
        coarse = coarse.index_select(axis, ((torch.arange(2 * extent) + offset) // 2).clamp(max=extent - 1))
    return coarse


def coarse_prior(half):
    """Smooth shares of all labels; a quarter of the grid is the first label alone."""
    z, y, x = torch.meshgrid(*[torch.arange(e) / e for e in half], indexing="ij")
    centres = torch.rand(LABELS, 3)
    distance = sum((a[None] - centres[:, i, None, None, None]) ** 2 for i, a in enumerate((z, y, x)))
    shares = torch.softmax(-40 * distance, 0)
    shares[shares < 0.05] = 0
    units = (shares / shares.sum(0) * 255).floor()
    largest = units.argmax(0, keepdim=True)
    units.scatter_add_(0, largest, 255 - units.sum(0, keepdim=True))
    units[:, :, :, : half[2] // 4] = 0
    units[0, :, :, : half[2] // 4] = 255
    return units.to(torch.uint8)


def main():
    torch.manual_seed(11)
    w = weights()
    half = [extent // 2 for extent in GRID]
    prior = coarse_prior(half)
    # Blocks of 2x2x2 voxels lie across those of the prior, so that their means differ from these.
    prior_full = fine(prior.double() / 255, 1, 1)
    # Mostly what the prior expects a voxel further on; one above the last label is unknown.
    labels = prior_full.argmax(0).roll((2, -1, 2), (0, 1, 2))
    odd = torch.rand(GRID)
    labels[odd < 0.1] = torch.randint(LABELS, GRID)[odd < 0.1]
    labels[odd > 0.97] = LABELS
    codes = torch.randint(CODES, half)
    label_weights = (0.4 + torch.rand(LABELS)).float()
    table = (-3 * torch.rand(CODES, LABELS)).float()
    epsilon = torch.randn(LATENT * CELLS[0] * CELLS[1] * CELLS[2]).float()

    seen = features(prior_full, labels)
    mean, log_variance = encode(w, seen)
    z = mean + torch.exp(0.5 * log_variance) * epsilon.double()
    shift, logits = decode(w, z)
    reconstruction = cross_entropy(masses(prior_full, shift, logits), labels, label_weights.double())
    divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum()
    (reconstruction + BETA * divergence).backward()

    # What a scan tells, at the same z with frozen weights.
    observed, gradients = [], []
    score = table.double()[fine(codes, 0)].permute(3, 0, 1, 2)
    for loss in (lambda f: -(f * score).sum(), lambda f: -(f * score.exp()).sum(0).log().sum()):
        at = z.detach().float().double().requires_grad_()
        mass = masses(prior_full, *decode(w, at))
        value = loss(mass / mass.sum(0))
        observed.append(value.item())
        gradients.append(torch.autograd.grad(value, at)[0])

    tensors = {name: value.detach() for name, value in w.items()}
    tensors |= {"gradient." + name: value.grad for name, value in w.items()}
    tensors |= {
        "features": seen[0], "mean": mean, "log_variance": log_variance, "z": z, "shift": shift[0], "logits": logits[0],
        "epsilon": epsilon, "label_weights": label_weights, "table": table,
        "losses": torch.tensor([reconstruction.item(), divergence.item()]), "observed": torch.tensor(observed),
        "gradient.jensen": gradients[0], "gradient.exact": gradients[1]}
    tensors = {name: value.detach().float().contiguous() for name, value in tensors.items()}
    tensors |= {"labels": labels.to(torch.uint8), "codes": codes.to(torch.uint8), "prior": prior}
    path = os.path.join(os.path.dirname(__file__), "warping.safetensors")
    save_file(tensors, path, metadata={"labels": str(LABELS), "made_by": "PyTorch"})
    print("losses", reconstruction.item(), divergence.item(), observed, "bytes", os.path.getsize(path))
    print("shift", shift.std().item(), "logits", logits.std().item(), "log variance", log_variance.detach())
    for name, value in w.items():
        print(name, tuple(value.shape), value.grad.abs().max().item())


if __name__ == "__main__":
    main()
