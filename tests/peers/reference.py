# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the reference files in ONNX Runtime and in qonnx, and writes their answers to tests/peers/reference/answers.txt (see compare.py), and the
# widths that qonnx's QCDQToQuant finds in clip.onnx to widths.txt: a line a rounding, PROGRAM VERSION FILE TENSOR, bits, signed, narrow.
import os
from importlib.metadata import version

import onnx
import onnxruntime as ort
import qonnx.core.onnx_exec as execution
from compare import REFERENCE, Answers, reference_images
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.qcdq_to_qonnx import QCDQToQuant
from qonnx.transformation.infer_shapes import InferShapes

images = reference_images()
answers = Answers()
for name in ("qdq", "clip", "float8", "fold", "po2", "qonnx"):
    path = os.path.join(REFERENCE, name + ".onnx")
    onnx.checker.check_model(path, full_check=True)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for i, image in enumerate(images):
        answers.note("onnxruntime", ort.__version__, name, i, session.run(None, {"image": image[None].copy()})[0])
    if name == "qonnx":
        model = ModelWrapper(path).transform(InferShapes())
        for i, image in enumerate(images):
            out = execution.execute_onnx(model, {"image": image[None].copy()})
            answers.note("qonnx", version("qonnx"), name, i, out["logits"])
answers.write("answers.txt")

widths = Answers()
model = ModelWrapper(os.path.join(REFERENCE, "clip.onnx")).transform(InferShapes()).transform(QCDQToQuant())
for n in model.graph.node:
    if n.op_type == "Quant":
        flags = {a.name: a.i for a in n.attribute}
        widths.note("qonnx", version("qonnx"), "clip", n.output[0], [model.get_initializer(n.input[3]), flags["signed"], flags["narrow"]])
widths.write("widths.txt")
