#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ONNX Runtime 1.32.0: a Relu in front of a QuantizeLinear to float8 (e4m3fn, e5m2) with a zero point of 0 is optimized away, as it may be in
# front of unsigned integers, whose codes cannot be negative. A float8 can: negative numbers come through, silently, at the default level of
# optimization, and with session.disable_quant_qdq=1 too. With optimization off or basic, with a Max in the Relu's place, or with no zero
# point, the result is right. So is int8. Whoever quantizes a network of convolutions and Relus to float8 loses every Relu.
#
# Seen on 2026-11-27, x = -3 -1 1 2, scale 0.5:
#	e4m3fn all      -3 -1  1  2
#	e4m3fn basic     0  0  1  2
#	e4m3fn all, Max  0  0  1  2
#	int8 all         0  0  1  2
# Exits 0 while this is so, 1 when it has changed.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q onnx==1.23.2 onnxruntime==1.32.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import numpy as np, onnx, onnxruntime as ort
from onnx import TensorProto as T, helper as h

print("onnx", onnx.__version__, "onnxruntime", ort.__version__)
X = np.array([-3, -1, 1, 2], np.float32)


def run(type_, level, maximum=False):
    act = h.make_node("Max", ["x", "low"], ["r"]) if maximum else h.make_node("Relu", ["x"], ["r"])
    nodes = [act, h.make_node("QuantizeLinear", ["r", "s", "z"], ["q"]), h.make_node("DequantizeLinear", ["q", "s", "z"], ["y"])]
    constants = [h.make_tensor("s", T.FLOAT, [], [0.5]), h.make_tensor("z", type_, [], [0])]
    if maximum:
        constants.append(h.make_tensor("low", T.FLOAT, [], [0]))
    graph = h.make_graph(nodes, "g", [h.make_tensor_value_info("x", T.FLOAT, [4])], [h.make_tensor_value_info("y", T.FLOAT, [4])], constants)
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]).run(None, {"x": X})[0]


ALL, BASIC = ort.GraphOptimizationLevel.ORT_ENABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
right = np.maximum(X, 0)
seen = [
    ("e4m3fn all", run(T.FLOAT8E4M3FN, ALL), X),
    ("e5m2 all", run(T.FLOAT8E5M2, ALL), X),
    ("e4m3fn basic", run(T.FLOAT8E4M3FN, BASIC), right),
    ("e4m3fn all, Max", run(T.FLOAT8E4M3FN, ALL, maximum=True), right),
    ("int8 all", run(T.INT8, ALL), right),
]
changed = False
for name, got, expected in seen:
    print(f"{name:18s}", *(f"{v:4g}" for v in got), "" if np.array_equal(got, expected) else "  changed")
    changed |= not np.array_equal(got, expected)
sys.exit(changed)
PYTHON
