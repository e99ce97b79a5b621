#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# ONNX Runtime 1.32.0: QuantizeLinear to int16 and uint16 runs (opset 21), and so does Clip of int8 and uint8, but Clip of int16 and uint16 does
# not: the session is refused with NOT_IMPLEMENTED, and the message names Where, an operator that the file does not hold. ONNX's checker passes the
# file. So widths of 9 to 15 bits cannot be written as widths below 8 are, by a Clip of the codes between Q and DQ. What runs: a Clip in fp32
# in front of Q, or Q's own bounds.
#
# Seen on 2026-11-28, x = -9 -1 1 9, scale 1, codes clipped to -2..2 between Q and DQ:
#	int8    -2 -1  1  2
#	uint8    0  0  1  2
#	int16   refused: Could not find an implementation for Where(16)
#	uint16  refused: the same
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


def run(type_, low):
    nodes = [
        h.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        h.make_node("Clip", ["q", "low", "high"], ["c"]),
        h.make_node("DequantizeLinear", ["c", "s", "z"], ["y"]),
    ]
    constants = [h.make_tensor(n, type_, [], [v]) for n, v in (("z", 0), ("low", low), ("high", 2))]
    constants.append(h.make_tensor("s", T.FLOAT, [], [1]))
    ends = [h.make_tensor_value_info(n, T.FLOAT, [4]) for n in "xy"]
    model = h.make_model(h.make_graph(nodes, "g", ends[:1], ends[1:], constants), opset_imports=[h.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    try:
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"x": np.array([-9, -1, 1, 9], np.float32)})[0].tolist()
    except Exception as e:
        return str(e).split(" : ")[-1].strip()


changed = False
for name, type_, low, expected in (
    ("int8", T.INT8, -2, [-2, -1, 1, 2]),
    ("uint8", T.UINT8, 0, [0, 0, 1, 2]),
    ("int16", T.INT16, -2, "Where(16)"),
    ("uint16", T.UINT16, 0, "Where(16)"),
):
    got = run(type_, low)
    as_was = expected in got if isinstance(expected, str) and isinstance(got, str) else got == expected
    print(f"{name:7s}", got, "" if as_was else "  changed")
    changed |= not as_was
sys.exit(changed)
PYTHON
