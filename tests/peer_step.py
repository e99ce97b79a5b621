#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A step of quantization-aware training in PyTorch, timed: the peer of `make bench`.

    peer_step.py NET [--scored N] [--threads 2] [--batch 64] [--bits 4] [--steps 20]

NET: resnet8, resnet20, or mobilenetv2 of half width, on random images of 32x32x3. Convolutions and the classifier round their
weights (a scale per output channel) and inputs (one scale) by the largest magnitude, with a straight-through gradient. --scored N
adds N passes forward in training mode without gradients, as a search does that scores N choices. The step is timed eagerly, with
channels last, and compiled; the last line names the fastest.
"""
import argparse
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


def rounded(x, dims, levels):
    scale = x.detach().abs().amax(dim=dims, keepdim=True).clamp_min(1e-8) / levels
    return x + ((x / scale).round().clamp(-levels, levels) * scale - x).detach()


class Conv(nn.Conv2d):
    levels = 7

    def forward(self, x):
        x, w = rounded(x, (0, 1, 2, 3), self.levels), rounded(self.weight, (1, 2, 3), self.levels)
        return F.conv2d(x, w, None, self.stride, self.padding, 1, self.groups)


class Head(nn.Linear):
    def forward(self, x):
        return F.linear(rounded(x, (0, 1), Conv.levels), rounded(self.weight, (1,), Conv.levels), self.bias)


def normed(inputs, outputs, kernel, stride=1, groups=1, act=None):
    conv = Conv(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), *([act()] if act else []))


class Sum(nn.Module):
    def __init__(self, way, skip, act):
        super().__init__()
        self.way, self.skip, self.act = way, skip, act

    def forward(self, x):
        return self.act(self.way(x) + self.skip(x))


def resnet(blocks):
    parts, width = [normed(3, 16, 3, act=nn.ReLU)], 16
    for outputs, first in ((16, 1), (32, 2), (64, 2)):
        for i in range(blocks):
            stride = first if i == 0 else 1
            skip = nn.Identity() if (stride, width) == (1, outputs) else normed(width, outputs, 1, stride)
            way = nn.Sequential(normed(width, outputs, 3, stride, act=nn.ReLU), normed(outputs, outputs, 3))
            parts.append(Sum(way, skip, nn.ReLU()))
            width = outputs
    return nn.Sequential(*parts, nn.AdaptiveAvgPool2d(1), nn.Flatten(), Head(width, 10))


def mobilenetv2():
    parts, width = [normed(3, 16, 3, act=nn.ReLU6)], 16
    for expand, outputs, blocks, first in ((1, 8, 1, 1), (6, 16, 2, 1), (6, 16, 3, 2), (6, 32, 4, 2), (6, 48, 3, 1),
                                           (6, 80, 3, 2), (6, 160, 1, 1)):
        for i in range(blocks):
            stride, inner = first if i == 0 else 1, width * expand
            way = [normed(width, inner, 1, act=nn.ReLU6)] if expand > 1 else []
            way += [normed(inner, inner, 3, stride, inner, nn.ReLU6), normed(inner, outputs, 1)]
            block = nn.Sequential(*way)
            parts.append(Sum(block, nn.Identity(), nn.Identity()) if (stride, width) == (1, outputs) else block)
            width = outputs
    return nn.Sequential(*parts, normed(width, 1280, 1, act=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), Head(1280, 10))


NETS = {"resnet8": lambda: resnet(1), "resnet20": lambda: resnet(3), "mobilenetv2": mobilenetv2}


def seconds(way, a):
    torch.manual_seed(0)
    net, x, y = NETS[a.net](), torch.randn(a.batch, 3, 32, 32), torch.randint(0, 10, (a.batch,))
    if way != "eager":
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    if way == "compiled":
        net = torch.compile(net)
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9)
    times = []
    for step in range(-3, a.steps):
        began = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
        with torch.no_grad():
            for _ in range(a.scored):
                net(x)
        if step >= 0:
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("net", choices=NETS)
    for name, value in (("scored", 0), ("threads", 2), ("batch", 64), ("bits", 4), ("steps", 20)):
        p.add_argument("--" + name, type=int, default=value)
    a = p.parse_args()
    Conv.levels = 2 ** (a.bits - 1) - 1
    torch.set_num_threads(a.threads)
    best = {}
    for way in ("eager", "channels last", "compiled"):
        try:
            best[way] = seconds(way, a)
        except Exception as error:  # compiling takes a C++ compiler; without one the other two stand
            print(f"{way}: {type(error).__name__}")
    way = min(best, key=best.get)
    print(f"{a.net}: torch {torch.__version__}, {way}, {1e3 * best[way]:.1f} ms, {a.batch / best[way]:.0f} images/s")


if __name__ == "__main__":
    main()
