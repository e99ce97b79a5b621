#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores bitscape's choices with a network of your own in PyTorch, after training and without retraining it.

    python3 torch_quality.py describe my.net      # what bitscape has to know of the network: its layers and their shapes
    bitscape new mine net=./my.net "quality=pipe:python3 torch_quality.py"

Put your network and your images into load() below; the rest stays. A layer of bitscape is a Conv2d or Linear of the network, under
the same name. Weights are rounded per output channel and input activations per tensor, each to the format that the choice names,
as bitscape itself does it. The dialogue is described in engine/search/sources/pipe.c. PyTorch 1.13 or later, nothing else.
"""
import json
import sys

import torch
import torch.fx
import torch.nn as nn
import torch.nn.functional as F
from torch.fx.passes.shape_prop import ShapeProp

SIDE, CHANNELS, CLASSES = 16, 3, 10


# ---- yours: a network, and images with labels that it was not trained on ----------------------------------------------------

class Block(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.skip = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.skip(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(CHANNELS, 8, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.block1 = Block(8, 16, 2)
        self.block2 = Block(16, 32, 2)
        self.head = nn.Linear(32, CLASSES)

    def forward(self, x):
        x = self.block2(self.block1(F.relu(self.norm(self.stem(x)))))
        return self.head(x.mean([2, 3]))


def patterns(count, seed):
    """Images of ten patterns in much noise: a stand-in for yours."""
    shape = torch.Generator().manual_seed(1)
    noise = torch.Generator().manual_seed(seed)
    pattern = torch.randn(CLASSES, CHANNELS, SIDE, SIDE, generator=shape)
    label = torch.randint(CLASSES, (count,), generator=noise)
    return 0.5 * pattern[label] + torch.randn(count, CHANNELS, SIDE, SIDE, generator=noise), label


def load():
    """The network, trained, and what it is scored on. Instead of training: model.load_state_dict(torch.load("weights.pt"))."""
    torch.manual_seed(0)
    model, (images, labels) = Net(), patterns(1024, 2)
    optimizer = torch.optim.Adam(model.parameters(), 0.003)
    for _ in range(3):
        for at in range(0, len(images), 64):
            optimizer.zero_grad()
            F.cross_entropy(model(images[at:at + 64]), labels[at:at + 64]).backward()
            optimizer.step()
    return model.eval(), patterns(512, 3)


# ---- formats ------------------------------------------------------------------------------------------------------------------

def rounded(x, name, per_channel):
    """x in a number format, on a scale that makes the largest magnitude the format's own."""
    if name in ("fp32", "fp16", "bf16"):
        return x.to({"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[name]).float()
    peak = x.abs().amax(dim=tuple(range(1, x.dim())), keepdim=True) if per_channel else x.abs().max()
    if name.startswith("int"):
        most = 2 ** (int(name[3:]) - 1) - 1
        scale = torch.where(peak > 0, peak / most, torch.ones_like(peak))
        return torch.clamp(torch.round(x / scale), -most, most) * scale
    exponent, mantissa = (int(n) for n in name[1:].split("m"))  # e4m3 and the like
    bias = 2 ** (exponent - 1) - 1
    highest = 2 ** exponent - 1 - bias
    most = {"e4m3": 448.0, "e5m2": 57344.0}.get(name, 2.0 ** highest * (2 - 2.0 ** -mantissa))
    scale = torch.where(peak > 0, peak / most, torch.ones_like(peak))
    y = x / scale
    step = torch.floor(torch.log2(y.abs().clamp_min(2.0 ** (1 - bias)))) - mantissa
    step = torch.pow(2.0, step)
    return torch.clamp(torch.round(y / step) * step, -most, most) * scale


class Rounded:
    """The network with every layer's weights and inputs rounded to the formats of a choice."""

    def __init__(self, model, layers):
        modules = dict(model.named_modules())
        missing = [name for name in layers if not hasattr(modules.get(name), "weight")]
        if missing:
            sys.exit(f"the network has no layer called {missing[0]}: write the description anew")
        self.model, self.formats, self.kept = model, {}, {}
        self.layer = {name: modules[name] for name in layers}
        self.weight = {name: layer.weight.detach().clone() for name, layer in self.layer.items()}
        for name, layer in self.layer.items():
            layer.register_forward_pre_hook(lambda _, given, name=name: (rounded(given[0], self.formats[name][1], False),))

    @torch.no_grad()
    def accuracy(self, formats, images, labels):
        self.formats = formats
        for name, (weights, _) in formats.items():
            if (name, weights) not in self.kept:
                self.kept[name, weights] = rounded(self.weight[name], weights, True)
            self.layer[name].weight.data = self.kept[name, weights]
        out = self.model(images)
        if not bool(torch.isfinite(out).all()):
            raise ArithmeticError("an output is not a number")
        return float((out.argmax(1) == labels).float().mean())


# ---- the dialogue ---------------------------------------------------------------------------------------------------------------

def serve():
    hello = json.loads(sys.stdin.readline().split(" ", 1)[1])
    model, (images, labels) = load()
    network = Rounded(model, [layer["name"] for layer in hello["layers"]])
    print("hello 1 accuracy constant", flush=True)  # constant: the weights stay, so an answer depends on the choice alone
    for line in sys.stdin:
        _, number, *formats = line.split()
        choice = {}
        for slot, name in zip(hello["slots"], formats):
            choice.setdefault(slot["layer"], [None, None])[slot["half"] == "activations"] = name
        try:
            print(number, f"ok quality={network.accuracy(choice, images, labels):.9g}", flush=True)
        except (ArithmeticError, RuntimeError) as why:
            print(number, "fail", " ".join(str(why).split())[:200], flush=True)


# ---- the description, by torch.fx -------------------------------------------------------------------------------------------------

ACTS = {"relu": "relu", "relu6": "relu6", "silu": "swish", "gelu": "gelu", "sigmoid": "sigmoid"}
PASSED = ("flatten", "dropout", "identity", "view", "reshape", "squeeze")


def side(value):
    return f"{value[0]}x{value[1]}" if isinstance(value, tuple) else str(value)


def operator(node, module):
    """KIND and keys of a node; None: it changes no number that the description has."""
    kind = type(module).__name__.lower() if module is not None else getattr(node.target, "__name__", str(node.target)).lower()
    if kind == "conv2d":
        return (f"conv out={module.out_channels} kernel={side(module.kernel_size)} stride={module.stride[0]} "
                f"pad={side(module.padding)} groups={module.groups} bias={'yes' if module.bias is not None else 'no'}")
    if kind == "linear":
        return f"linear out={module.out_features}"
    if kind == "batchnorm2d":
        return "norm"
    if kind in ACTS:
        return f"act act={ACTS[kind]}"
    if kind in ("add", "iadd"):
        return "add"
    if kind in ("cat", "concat"):
        return "concat"
    if kind in ("mean", "adaptiveavgpool2d", "adaptive_avg_pool2d"):
        return "pool"
    if kind in ("maxpool2d", "avgpool2d"):
        name = "maximum" if kind == "maxpool2d" else "average"
        return f"{name} kernel={side(module.kernel_size)} stride={module.stride} pad={side(module.padding)}"
    if kind in PASSED:
        return None
    sys.exit(f"{node.name}: this description knows no {kind}; write the file by hand, or mend operator()")


def describe(path):
    model, (images, _) = load()
    traced = torch.fx.symbolic_trace(model)
    ShapeProp(traced).propagate(images[:1])
    lines, line_of = [f"input {SIDE}x{SIDE}x{CHANNELS}", f"classes {CLASSES}"], {}
    for node in traced.graph.nodes:
        if node.op == "placeholder":
            line_of[node] = "input"
        elif node.op in ("call_module", "call_function", "call_method"):
            given = node.args[0] if isinstance(node.args[0], (list, tuple)) else node.args
            inputs = [line_of[n] for n in given if isinstance(n, torch.fx.Node)]
            says = operator(node, traced.get_submodule(node.target) if node.op == "call_module" else None)
            if says is None:
                line_of[node] = inputs[0]
                continue
            line_of[node] = str(node.target) if node.op == "call_module" else node.name
            lines.append(f"{line_of[node]} {says} in={','.join(inputs)}")
    with open(path, "w", encoding="utf-8") as out:
        out.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if sys.argv[1:2] == ["describe"] and len(sys.argv) == 3:
        describe(sys.argv[2])
    elif len(sys.argv) == 1:
        serve()
    else:
        sys.exit(__doc__)
