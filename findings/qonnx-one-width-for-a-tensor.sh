#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# qonnx 1.0.0: where two layers round one tensor to different widths, each by QuantizeLinear, Clip, DequantizeLinear, QCDQToQuant makes two Quant
# nodes with one width: it names the width's tensor after what is rounded, so the second one replaces the first one's. Nothing is said, and the
# network computes something else. An Identity of its own in front of each QuantizeLinear keeps them apart, as long as no clean-up takes it away first.
#
# Seen on 2026-11-28, a tensor that is rounded to 0..7 and to 0..15:
#	as they are              4 and 4 bits
#	an Identity in front     3 and 4 bits
# Exits 0 while this is so, 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q onnx==1.23.2 onnxruntime==1.32.0 qonnx==1.0.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
from importlib.metadata import version
import onnx
from onnx import TensorProto as T, helper as h
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.qcdq_to_qonnx import QCDQToQuant

print("qonnx", version("qonnx"))


def widths(apart):
    nodes, constants = [], []
    for i, high in enumerate((7, 15)):
        source = f"x{i}" if apart else "x"
        if apart:
            nodes.append(h.make_node("Identity", ["x"], [source]))
        nodes.append(h.make_node("QuantizeLinear", [source, f"s{i}", f"z{i}"], [f"q{i}"]))
        nodes.append(h.make_node("Clip", [f"q{i}", f"low{i}", f"high{i}"], [f"c{i}"]))
        nodes.append(h.make_node("DequantizeLinear", [f"c{i}", f"s{i}", f"z{i}"], [f"y{i}"]))
        constants.append(h.make_tensor(f"s{i}", T.FLOAT, [], [1]))
        constants += [h.make_tensor(f"{n}{i}", T.UINT8, [], [v]) for n, v in (("z", 0), ("low", 0), ("high", high))]
    ends = [h.make_tensor_value_info(n, T.FLOAT, [1, 4]) for n in ("x", "y0", "y1")]
    model = h.make_model(h.make_graph(nodes, "g", ends[:1], ends[1:], constants), opset_imports=[h.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    wrapper = ModelWrapper(model).transform(InferShapes()).transform(QCDQToQuant())
    return {n.output[0]: int(wrapper.get_initializer(n.input[3])) for n in wrapper.graph.node if n.op_type == "Quant"}


changed = False
for apart, expected in ((False, {"y0": 4, "y1": 4}), (True, {"y0": 3, "y1": 4})):
    got = widths(apart)
    print("an Identity in front" if apart else "as they are", got, "" if got == expected else "  changed")
    changed |= got != expected
sys.exit(changed)
PYTHON
