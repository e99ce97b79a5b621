# SPDX-License-Identifier: GPL-3.0-or-later
# Runs the reference files whose weights have scales by blocks in ONNX Runtime, and in onnx's own evaluator, and writes what these made to
# tests/peers/reference/blocks.txt: PROGRAM VERSION FILE, then a layer and the checksum of its weights (zeros without a sign), or "image", its number
# and the logits.
import os
import zlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx.reference import ReferenceEvaluator

folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference")
images = np.fromfile(os.path.join(folder, "blocks.f32"), np.float32).reshape(-1, 8, 8, 3).transpose(0, 3, 1, 2)
lines = []


def by_runtime(model, names, image):
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(names, {"image": image})


def by_evaluator(model, names, image):
    return ReferenceEvaluator(model).run(names, {"image": image})


for name in ("blocks", "blocks-searched"):
    model = onnx.load(os.path.join(folder, name + ".onnx"))
    onnx.checker.check_model(model, full_check=True)
    layers = [n.name[: -len(".weight")] for n in model.graph.node if n.name.endswith(".weight")]
    weights = [l + ".weight" for l in layers]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(w) for w in weights)
    for program, number, run in (("onnxruntime", ort.__version__, by_runtime), ("onnx", onnx.__version__, by_evaluator)):
        for i, image in enumerate(images):
            logits, *made = run(model, ["logits"] + weights, image[None].copy())
            lines.append(f"{program} {number} {name} image {i} " + " ".join(f"{v:.9g}" for v in np.asarray(logits).reshape(-1)))
        for layer, w in zip(layers, made):
            lines.append(f"{program} {number} {name} {layer} {zlib.crc32((np.asarray(w, np.float32) + np.float32(0)).tobytes()):08x}")
open(os.path.join(folder, "blocks.txt"), "w").write("\n".join(lines) + "\n")
print(f"{len(lines)} answers about blocks")
