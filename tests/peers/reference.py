# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the reference files in ONNX Runtime (at the default level too, where it differs by how it fuses) and in qonnx, and writes their answers to
# tests/peers/reference/answers.txt: a line an image, PROGRAM VERSION FILE IMAGE and the logits.
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
import qonnx.core.onnx_exec as execution
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from importlib.metadata import version

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference")
images = np.fromfile(os.path.join(folder, "images.f32"), np.float32).reshape(-1, 8, 8, 3).transpose(0, 3, 1, 2)
lines = []


def note(program, number, name, i, logits):
    lines.append(f"{program} {number} {name} {i} " + " ".join(f"{v:.9g}" for v in np.asarray(logits).reshape(-1)))


for name in ("qdq", "clip", "float8", "fold", "po2", "qonnx"):
    path = os.path.join(folder, name + ".onnx")
    onnx.checker.check_model(path, full_check=True)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    for i, image in enumerate(images):
        note("onnxruntime", ort.__version__, name, i, session.run(None, {"image": image[None].copy()})[0])
    if name == "qonnx":
        model = ModelWrapper(path).transform(InferShapes())
        for i, image in enumerate(images):
            out = execution.execute_onnx(model, {"image": image[None].copy()})
            note("qonnx", version("qonnx"), name, i, out["logits"])
open(os.path.join(folder, "answers.txt"), "w").write("\n".join(lines) + "\n")
print(f"{len(lines)} answers")
