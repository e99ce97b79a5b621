#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the files of unit_quantized: residual.old.onnx (tests/data/onnx) as ONNX Runtime 1.32.0's quantize_static writes it, and small files in
the forms of other tools, by onnx 1.23.2.

    pip install onnx==1.23.2 onnxruntime==1.32.0; tests/data/quantized/make.py
"""
import logging, os

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

logging.disable(logging.WARNING)
HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "../onnx/residual.old.onnx")


class Images(CalibrationDataReader):  # the reference's image among them
    def __init__(self):
        image = np.fromfile(SOURCE[:-4] + "ref", "<f4")[: 16 * 16 * 3].reshape(16, 16, 3).transpose(2, 0, 1)[None]
        rng = np.random.default_rng(1)
        self.images = iter([image] + [rng.standard_normal((1, 3, 16, 16)).astype("f") for _ in range(7)])

    def get_next(self):
        image = next(self.images, None)
        return None if image is None else {"input.1": image}


def runtime(name, **how):
    quantize_static(SOURCE, os.path.join(HERE, name), Images(), quant_format=QuantFormat.QDQ, weight_type=QuantType.QInt8, **how)


# One pixel of two channels, a product with three rows of weights.
W = np.array([[1, -3], [0.5, 2], [3, 1]], "f")


def small(name, nodes, tensors, opset=25, domains=()):
    graph = helper.make_graph(nodes, "small", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])], tensors)
    opsets = [helper.make_opsetid("", opset)] + [helper.make_opsetid(d, 1) for d in domains]
    save(helper.make_model(graph, opset_imports=opsets, ir_version=10), os.path.join(HERE, name + ".onnx"))


def tensor(name, kind, values):
    values = np.asarray(values)
    plain = values.flatten() if kind.startswith("FLOAT") else values.flatten().astype(int)
    return helper.make_tensor(name, getattr(TensorProto, kind), values.shape, plain.tolist())


node, floats = helper.make_node, lambda name, v: numpy_helper.from_array(np.asarray(v, "f"), name)
S, CODES = floats("s", 1.0), W.round()
gemm = node("Gemm", ["q", "fc.weight"], ["y"], "fc", transB=1)
plain = node("Identity", ["x"], ["q"], "same")


def weights(kind, zero=0):
    codes = np.clip(CODES, -2, 1) if kind == "INT2" else CODES
    return [tensor("c", kind, codes + zero), S, tensor("z", kind, zero)], [node("DequantizeLinear", ["c", "s", "z"], ["fc.weight"], "dq")]


for kind in ("INT2", "INT4", "UINT4", "INT8", "UINT8", "INT16", "FLOAT8E4M3FN", "FLOAT8E5M2", "FLOAT4E2M1"):
    zero = {"UINT4": 8, "UINT8": 128}.get(kind, 0)
    t, n = weights(kind, zero)
    small("weights-" + kind.lower(), [plain] + n + [gemm], t)
t, n = weights("FLOAT8E4M3FNUZ")
small("refused-fnuz", [plain] + n + [gemm], t)
# As brevitas writes weights: whole numbers, held within bounds that tell the width.
t, n = weights("INT8")
n[0].input[0] = "held"
bounds = [tensor("low", "INT8", -15), tensor("high", "INT8", 15)]
small("weights-clip", [plain, node("Clip", ["c", "low", "high"], ["held"], "clip")] + n + [gemm], t + bounds)


def inputs(name, kind, zero, bounds=None, scale=0.25, scale_out="a"):
    t = [floats("a", scale), floats("fc.weight", W), tensor("z", kind, zero)]
    n = [node("QuantizeLinear", ["x", "a", "z"], ["codes"], "round")]
    if bounds:
        t += [tensor("low", kind, bounds[0]), tensor("high", kind, bounds[1])]
        n += [node("Clip", ["codes", "low", "high"], ["held"], "clip")]
    t += [floats("b", scale * 2)]
    small(name, n + [node("DequantizeLinear", ["held" if bounds else "codes", scale_out, "z"], ["q"], "back"), gemm], t)


inputs("inputs-uint8", "UINT8", 0)
inputs("inputs-relu", "INT8", -128)
inputs("inputs-relu6", "UINT8", 0, scale=6 / 255)
inputs("inputs-zero", "UINT8", 114)
inputs("inputs-clip", "INT8", 0, (-7, 7))
inputs("inputs-uint4", "UINT4", 0)
inputs("inputs-e5m2", "FLOAT8E5M2", 0)
inputs("refused-scale", "INT8", 0, scale_out="b")


def quant(name, kind, bits, zero=0.0, **with_):
    t = [floats("a", 0.25), floats("zero", zero), floats("bits", bits), floats("fc.weight", W)]
    ins = ["x", "a"] if kind == "BipolarQuant" else ["x", "a", "zero", "bits"]
    small(name, [node(kind, ins, ["q"], "round", domain="qonnx.custom_op.general", **with_), gemm], t, 20, ["qonnx.custom_op.general"])


quant("inputs-quant", "Quant", 5, signed=1, narrow=0, rounding_mode="FLOOR")
quant("inputs-intquant", "IntQuant", 3, signed=0, narrow=0, rounding_mode="ROUND")
quant("refused-bits", "Quant", 12, signed=1, narrow=0, rounding_mode="ROUND")
quant("refused-fraction", "Quant", 2.5, signed=1, narrow=0, rounding_mode="ROUND")
quant("refused-bipolar", "BipolarQuant", 1)
# A scale that is worked out as it runs, and codes that nothing makes numbers.
small("refused-dynamic", [node("DynamicQuantizeLinear", ["x"], ["c", "s", "z"], "dynamic"),
    node("DequantizeLinear", ["c", "s", "z"], ["q"], "back"), gemm], [floats("fc.weight", W)])
small("refused-codes", [node("QuantizeLinear", ["x", "s"], ["q"], "round"), gemm], [S, floats("fc.weight", W)])
small("refused-blocks", [plain, node("DequantizeLinear", ["c", "s"], ["fc.weight"], "dq", axis=0, block_size=2), gemm],
    [tensor("c", "INT8", CODES), floats("s", np.ones((2, 2)))])

runtime("runtime.onnx", per_channel=True)
runtime("symmetric.onnx", extra_options={"ActivationSymmetric": True, "WeightSymmetric": True}, activation_type=QuantType.QInt8)
