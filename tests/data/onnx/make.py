#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the reference files of unit_onnx: small networks as torch 2.15.0 exports them (NAME.dyn.onnx by torch.export, NAME.old.onnx by the
tracing exporter) or as onnx 1.23.2 writes them by hand, and NAME.*.ref: the image, [h][w][c], and ONNX Runtime 1.32.0's logits, float32.

    pip install torch==2.15.0 onnx==1.23.2 onnxscript==0.7.2 onnxruntime==1.32.0; tests/data/onnx/make.py [NAME ...]
"""
import logging, os, sys, warnings

import numpy as np
import onnx
import onnxruntime
import torch
import torch.nn as nn
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))


class Residual(nn.Module):  # norms folded into convolutions, a pool that rounds up, a shortcut with a stride
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True))
        self.conv1, self.bn1 = nn.Conv2d(8, 12, 3, 2, 1, bias=False), nn.BatchNorm2d(12)
        self.conv2, self.bn2 = nn.Conv2d(12, 12, 3, 1, 1, bias=False), nn.BatchNorm2d(12)
        self.down = nn.Sequential(nn.Conv2d(8, 12, 1, 2, bias=False), nn.BatchNorm2d(12))
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(F.relu(y + self.down(x)), 1), 1))


class Mobile(nn.Module):  # depthwise, gates, hard and soft swish, bounds, a convolution as the head
    def __init__(self):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(3, 16, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish())
        self.depthwise = nn.Sequential(nn.Conv2d(16, 16, 5, 2, 2, groups=16, bias=False), nn.BatchNorm2d(16), nn.SiLU())
        self.squeeze, self.excite = nn.Conv2d(16, 4, 1), nn.Conv2d(4, 16, 1)
        self.grouped = nn.Sequential(nn.Conv2d(16, 8, 3, 1, 1, groups=2), nn.ReLU6())
        self.head = nn.Conv2d(8, 10, 1)

    def forward(self, x):
        x = self.depthwise(self.expand(x))
        x = x * F.hardsigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        return self.head(self.grouped(x)).mean((2, 3))


class Dense(nn.Module):  # norms before convolutions, images side by side, averages that count padding
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, 1, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(8 + 4 * i) for i in range(3))
        self.convs = nn.ModuleList(nn.Conv2d(8 + 4 * i, 4, 3, 1, 1, bias=False) for i in range(3))
        self.fc = nn.Linear(20, 10)

    def forward(self, x):
        x = self.stem(x)
        for norm, conv in zip(self.norms, self.convs):
            x = torch.cat([x, conv(F.relu(norm(x)))], 1)
        return self.fc(torch.flatten(F.avg_pool2d(F.avg_pool2d(x, 3, 2, 1), 8), 1))


class Shuffle(nn.Module):  # channels split in halves and shuffled
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, 2, 1)
        self.a, self.b = nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.Conv2d(8, 8, 1)
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        x = F.leaky_relu(self.stem(x))
        for _ in range(2):
            one, two = x.chunk(2, 1)
            x = torch.cat((one, F.elu(self.b(self.a(two)))), 1)
            n, c, h, w = x.shape
            x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        return self.fc(x.mean([2, 3]))


class Attend(nn.Module):  # a vision transformer: one product for queries, keys and values, split as timm does
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.token = nn.Parameter(torch.randn(1, 1, 16))
        self.position = nn.Parameter(torch.randn(1, 17, 16))
        self.norm1, self.norm2 = nn.LayerNorm(16, eps=1e-6), nn.LayerNorm(16, eps=1e-6)
        self.qkv, self.proj = nn.Linear(16, 48), nn.Linear(16, 16)
        self.fc1, self.fc2, self.head = nn.Linear(16, 32), nn.Linear(32, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.position
        b, n, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).reshape(b, n, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        x = x + self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, c))
        x = x + self.fc2(F.gelu(self.fc1(self.norm2(x))))
        return self.head(x[:, 0])


class Torchvision(nn.Module):  # nn.MultiheadAttention, as torchvision's transformers have it
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, 16, 4, 4)
        self.norm, self.attention, self.head = nn.LayerNorm(16), nn.MultiheadAttention(16, 2, batch_first=True), nn.Linear(16, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        y = self.norm(x)
        return self.head((x + self.attention(y, y, y, need_weights=False)[0]).mean(1))


class Last(nn.Module):  # channels last: permuted, normed, products by channel, a learnt scale
    def __init__(self):
        super().__init__()
        self.stem, self.depthwise = nn.Conv2d(3, 12, 4, 4), nn.Conv2d(12, 12, 7, 1, 3, groups=12)
        self.norm, self.one, self.two = nn.LayerNorm(12, eps=1e-6), nn.Linear(12, 24), nn.Linear(24, 12)
        self.scale = nn.Parameter(torch.randn(12, 1, 1))
        self.group, self.head = nn.GroupNorm(3, 12), nn.Linear(12, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.two(F.gelu(self.one(self.norm(self.depthwise(x).permute(0, 2, 3, 1))))).permute(0, 3, 1, 2)
        return self.head(self.group(x + self.scale * y).amax((2, 3)))


class Windows(nn.Module):  # attention within windows that are shifted, with a bias by position and a mask
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 2, 2)
        self.qkv, self.proj, self.head = nn.Linear(8, 24, bias=False), nn.Linear(8, 8), nn.Linear(8, 10)
        self.table = nn.Parameter(torch.randn(49, 2))
        self.register_buffer("index", torch.randint(0, 49, (256,)))
        mask = torch.zeros(4, 16, 16)
        mask[1:, :8, 8:] = -100.0
        self.register_buffer("mask", mask)

    def forward(self, x):
        x = self.stem(x).permute(0, 2, 3, 1)
        y = torch.roll(x, (-2, -2), (1, 2)).view(1, 2, 4, 2, 4, 8).permute(0, 1, 3, 2, 4, 5).reshape(4, 16, 8)
        q, k, v = self.qkv(y).reshape(4, 16, 3, 2, 4).permute(2, 0, 3, 1, 4)
        scores = (q * 0.5) @ k.transpose(-2, -1) + self.table[self.index].view(16, 16, 2).permute(2, 0, 1).unsqueeze(0)
        scores = torch.softmax(scores + self.mask.unsqueeze(1), -1)
        y = self.proj((scores @ v).transpose(1, 2).reshape(4, 16, 8))
        y = torch.roll(y.view(1, 2, 2, 4, 4, 8).permute(0, 1, 3, 2, 4, 5).reshape(1, 8, 8, 8), (2, 2), (1, 2))
        return self.head((x + y).mean((1, 2)))


class Unusual(nn.Module):  # windows and pads that the engine has no layer for
    def __init__(self):
        super().__init__()
        self.dilated, self.uneven = nn.Conv2d(3, 8, 3, 1, 2, dilation=2), nn.Conv2d(8, 8, (3, 5), (1, 2), (1, 2), groups=2)
        self.slope, self.fc = nn.PReLU(8), nn.Linear(8, 10)

    def forward(self, x):
        x = self.slope(self.uneven(F.mish(self.dilated(F.pad(x, (0, 1, 0, 1))))))
        x = F.max_pool2d(F.pad(x, (2, 1, 0, 1), mode="reflect"), (3, 2), (2, 1))
        return self.fc(F.normalize(torch.tanh(x).mean([2, 3]), dim=1) * 3)


class Letters(nn.Module):  # products by letters, and numbers taken by a table
    def __init__(self):
        super().__init__()
        self.patch, self.q, self.k, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 10)
        self.register_buffer("index", torch.randint(0, 16, (4, 5)))

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        q, k = self.q(x).reshape(1, 16, 2, 4).transpose(1, 2), self.k(x).reshape(1, 16, 2, 4).transpose(1, 2)
        y = torch.einsum("B H I J, B H J D -> B I H D", torch.softmax(torch.einsum("bhid,bhjd->bhij", q, k), -1), k)
        return self.head(y.reshape(1, 16, 8)[:, self.index].mean((1, 2)))


class Sides(nn.Module):  # convolutions, norms and poolings of one and three dimensions, and a convolution of a constant
    def __init__(self):
        super().__init__()
        self.norm, self.line = nn.BatchNorm1d(3), nn.Conv1d(3, 6, 5, 4, 2)
        self.norm3, self.block = nn.BatchNorm3d(2), nn.Conv3d(2, 4, (3, 1, 3), 1, (1, 0, 1), groups=2)
        self.table, self.place = nn.Parameter(torch.randn(1, 2, 3, 3)), nn.Conv2d(2, 4, 3)
        self.fc = nn.Linear(4, 10)

    def forward(self, x):
        x = F.max_pool1d(F.relu(self.line(self.norm(x.flatten(2)))), 2)  # [1, 6, 32]
        x = self.block(F.relu(self.norm3(x.reshape(1, 2, 3, 8, 4))))  # [1, 4, 3, 8, 4]
        x = F.avg_pool3d(x, (3, 2, 2)) + self.place(self.table).unsqueeze(2)
        return self.fc(F.adaptive_avg_pool3d(x, 1).flatten(1))


class Several(nn.Module):  # an image cut into four, which convolutions and norms take as a batch
    def __init__(self):
        super().__init__()
        self.stem, self.norm, self.conv = nn.Conv2d(3, 6, 3, 1, 1), nn.BatchNorm2d(6), nn.Conv2d(6, 6, 3, 2, 1, groups=3)
        self.fc = nn.Linear(6, 10)

    def forward(self, x):
        x = F.relu(self.stem(x)).reshape(1, 6, 2, 8, 2, 8).permute(0, 2, 4, 1, 3, 5).reshape(4, 6, 8, 8)
        x = F.avg_pool2d(self.conv(F.relu(self.norm(x))), 2)  # [4, 6, 2, 2]
        x = x.reshape(1, 2, 2, 6, 2, 2).permute(0, 3, 1, 4, 2, 5).reshape(1, 6, 4, 4)
        return self.fc(x.mean((2, 3)))


class Resized(nn.Module):  # images made larger and smaller, in each way
    def __init__(self):
        super().__init__()
        self.stem, self.fc = nn.Conv2d(3, 4, 3, 2, 1), nn.Linear(4 * 7 * 9, 10)

    def forward(self, x):
        x = F.interpolate(self.stem(x), scale_factor=2.0, mode="nearest")
        x = F.interpolate(x, size=(12, 13), mode="bilinear")
        x = F.interpolate(x, size=(10, 15), mode="bicubic")
        return self.fc(F.interpolate(x, size=(7, 9), mode="bilinear", align_corners=True).flatten(1))


NETWORKS = {"letters": Letters, "residual": Residual, "mobile": Mobile, "dense": Dense, "shuffle": Shuffle, "attend": Attend, "torchvision": Torchvision,
    "last": Last, "windows": Windows, "unusual": Unusual, "sides": Sides, "several": Several, "resized": Resized}


def strip(path):
    """Without paths of the machine that made it; the modules' names stay, as exporters write them."""
    m = onnx.load(path)
    for node in m.graph.node:
        kept = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        kept = [(p.key, p.value) for p in kept]
        del node.metadata_props[:]
        for key, value in kept:
            node.metadata_props.add(key=key, value=value)
        node.doc_string = ""
    for v in list(m.graph.value_info) + list(m.graph.input) + list(m.graph.output):
        del v.metadata_props[:]
    del m.graph.metadata_props[:]
    del m.metadata_props[:]
    for t in m.graph.initializer:
        del t.metadata_props[:]
    onnx.save(m, path)


def reference(path, side=16):
    x = np.random.default_rng(3).standard_normal((1, 3, side, side)).astype("f4")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    i = session.get_inputs()[0]
    fed = x.transpose(0, 2, 3, 1) if i.shape[-1] == 3 else x
    y = session.run(None, {i.name: np.ascontiguousarray(fed)})[0].reshape(-1)
    with open(path[:-5] + ".ref", "wb") as f:
        f.write(x[0].transpose(1, 2, 0).astype("<f4").tobytes() + y.astype("<f4").tobytes())
    print(os.path.basename(path), os.path.getsize(path), float(np.abs(y).max()), flush=True)


def export(name):
    torch.manual_seed(0)
    net = NETWORKS[name]()
    g = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=g)
            module.running_var.uniform_(0.5, 1.5, generator=g)
    for p in net.parameters():
        if bool((p == p.flatten()[0]).all()):
            p.data += torch.empty_like(p).normal_(0, 0.1, generator=g)
    net.eval()
    x = torch.randn(1, 3, 16, 16)
    for kind, more in (("dyn", {"external_data": False}), ("old", {"dynamo": False})):
        path = "%s/%s.%s.onnx" % (HERE, name, kind)
        torch.onnx.export(net, (x,), path, **more)
        strip(path)
        reference(path)
    if name == "residual":  # a free batch, nothing folded; weights beside the file
        path = HERE + "/raw.dyn.onnx"
        torch.onnx.export(net, (torch.randn(2, 3, 16, 16),), path, external_data=False, optimize=False,
            dynamic_shapes=({0: torch.export.Dim("n")},))
        strip(path)
        reference(path)
        path = HERE + "/outside.dyn.onnx"
        m = onnx.load(HERE + "/residual.dyn.onnx")
        onnx.save(m, path, save_as_external_data=True, location="outside.dyn.onnx.data", size_threshold=64)
        reference(path)


def by_hand():
    """Operators in older and other forms: axes as attributes, automatic pads, a norm as Mul and Add, products as MatMul and Add, channels
    last, weights as Constant nodes, half precision, an opset number that does not fit, a domain that nothing uses."""
    r = np.random.default_rng(5)
    t = lambda name, *shape: numpy_helper.from_array((r.standard_normal(shape) * 0.3).astype("f4"), name)
    half = numpy_helper.from_array((r.standard_normal((12, 10)) * 0.3).astype("f2"), "half")
    nodes = [
        helper.make_node("Transpose", ["x"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("Pad", ["nchw"], ["padded"], pads=[0, 0, 0, 0, 0, 0, 1, 1], mode="constant", value=0.0),
        helper.make_node("Conv", ["padded", "w1"], ["c1"], strides=[2, 2], kernel_shape=[3, 3]),
        helper.make_node("Mul", ["c1", "gain"], ["m1"]),
        helper.make_node("Add", ["m1", "shift"], ["a1"]),
        helper.make_node("Clip", ["a1"], ["r1"], min=0.0, max=6.0),
        helper.make_node("Constant", [], ["w2"], value=t("w2", 12, 1, 3, 3)),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], auto_pad="SAME_UPPER", strides=[2, 2], group=12),
        helper.make_node("BatchNormalization", ["c2", "g", "b", "mean", "var"], ["n2"], epsilon=1e-3),
        helper.make_node("Dropout", ["n2"], ["d2"]),
        helper.make_node("AveragePool", ["d2"], ["p2"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["p2"], ["pool"]),
        helper.make_node("Squeeze", ["pool"], ["flat"], axes=[2, 3]),
        helper.make_node("Cast", ["half"], ["w3"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["flat", "w3"], ["mm"]),
        helper.make_node("Add", ["bias3", "mm"], ["logits"]),
    ]
    var = numpy_helper.from_array(r.uniform(0.5, 1.5, 12).astype("f4"), "var")
    graph = helper.make_graph(nodes, "by_hand", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 16, 16, 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])],
        [t("w1", 12, 3, 3, 3), t("gain", 1, 12, 1, 1), t("shift", 1, 12, 1, 1), t("g", 12), t("b", 12), t("mean", 12), var, half,
            t("bias3", 10)])
    opsets = [helper.make_opsetid("", 10), helper.make_opsetid("ai.onnx.ml", 2)]
    m = helper.make_model(graph, opset_imports=opsets, ir_version=5)
    path = HERE + "/hand.onnx"
    onnx.save(m, path)
    reference(path)
    m.opset_import[0].version = 18  # after the fact: what runs is the same
    onnx.save(m, path)


def called():
    """Functions that call each other, with attributes from the call and by default, and an If whose condition is computed from a shape, within
    one of them too."""
    r = np.random.default_rng(6)
    t = lambda name, *shape: numpy_helper.from_array((r.standard_normal(shape) * 0.3).astype("f4"), name)
    node, of, float_of = helper.make_node, helper.make_tensor_value_info, TensorProto.FLOAT
    def from_call(n, attribute, name, kind):
        n.attribute.append(onnx.AttributeProto(name=attribute, ref_attr_name=name, type=kind))
        return n
    opset = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    leaky = from_call(node("LeakyRelu", ["x"], ["y"]), "alpha", "slope", onnx.AttributeProto.FLOAT)
    one = numpy_helper.from_array(np.array([1.0], "f4"), "one")
    steeper = helper.make_graph([node("Add", ["held", "one"], ["more"]), node("Mul", ["more", "half"], ["steep"])], "then",
        [], [of("steep", float_of, None)], [one])
    same = helper.make_graph([node("Identity", ["held"], ["steep"])], "else", [], [of("steep", float_of, None)])
    functions = [
        helper.make_function("local", "Bend", ["x"], ["y"], [leaky], opset, attributes=["slope"]),
        helper.make_function("local", "Block", ["x", "w", "b"], ["y"], [
            from_call(node("Conv", ["x", "w", "b"], ["held"]), "strides", "steps", onnx.AttributeProto.INTS),
            node("Bend", ["held"], ["bent"], domain="local", slope=0.3),
            node("Shape", ["x"], ["s"]), node("Size", ["s"], ["rank"]),
            node("Constant", [], ["four"], value_int=4), node("Equal", ["rank", "four"], ["is"]),
            node("Constant", [], ["half"], value_float=0.5),
            node("If", ["is"], ["chosen"], then_branch=steeper, else_branch=same),
            node("Add", ["bent", "chosen"], ["y"])], opset, attribute_protos=[helper.make_attribute("steps", [2, 2])])]
    axis = numpy_helper.from_array(np.array(0), "axis")
    last = helper.make_graph([node("Flatten", ["p"], ["f"]), node("CumSum", ["b3", "axis"], ["b4"], exclusive=1, reverse=1),
        node("Gemm", ["f", "w3", "b4"], ["out"])], "then", [], [of("out", float_of, None)], [t("w3", 8, 10), axis])
    never = helper.make_graph([node("Warp", ["p"], ["out"])], "else", [], [of("out", float_of, None)])
    yes = numpy_helper.from_array(np.array(True), "yes")
    graph = helper.make_graph([
        node("Block", ["x", "w1", "b1"], ["one"], domain="local"),
        node("Block", ["one", "w2", "b2"], ["two"], domain="local", steps=[1, 1]),
        node("GlobalAveragePool", ["two"], ["p"]),
        node("If", ["yes"], ["logits"], then_branch=last, else_branch=never)], "called", [of("x", float_of, [1, 3, 16, 16])],
        [of("logits", float_of, [1, 10])], [t("w1", 6, 3, 3, 3), t("b1", 6), t("w2", 8, 6, 1, 1), t("b2", 8), t("b3", 10), yes])
    m = helper.make_model(graph, opset_imports=opset, functions=functions, ir_version=9)
    path = HERE + "/called.onnx"
    other = next(a for a in m.graph.node[-1].attribute if a.name == "else_branch").g.node[0]
    other.op_type = "Identity"  # for the runtime, which looks at branches that it never takes
    onnx.save(m, path)
    reference(path)
    other.op_type = "Warp"
    onnx.save(m, path)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [*NETWORKS, "hand", "called"]:
        {"hand": by_hand, "called": called}.get(wanted, lambda: export(wanted))()
