# SPDX-License-Identifier: GPL-3.0-or-later
# Runs exported files in ONNX Runtime, and compares with what the engine made: the codes of every layer's input, the logits.
#
#	exported.py FOLDER...      folders that tests/peers/frozen wrote
#
# ONNX Runtime runs with session.disable_quant_qdq, which leaves Q and DQ as they are written (level "basic" would round a bias). A line for
# each file (see compare.py). Exits 1 where something differs that is not explained.
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
from compare import Frozen

ROUNDS = ("QuantizeLinear", "Quant", "FloatQuant", "Cast")


def session(path, frozen):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    nodes = model.graph.node
    made = {o.removesuffix(".input") for n in nodes for o in n.output if o.endswith(".input")}
    sources = {n.output[0].split(".input")[0]: n.input[0] for n in nodes if n.op_type in ROUNDS and ".input" in n.output[0] and not n.input[0].endswith("_narrow")}
    outputs = {f"{name}.input" for name in made} | set(sources.values()) - {"image"}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(o) for o in outputs)
    options = ort.SessionOptions()
    options.add_session_config_entry("session.disable_quant_qdq", "1")
    if frozen.exact:  # else the gains of batch norms are multiplied into the weights before them
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"]), made, sources


def compare(frozen, form):
    path = os.path.join(frozen.folder, form)
    if not os.path.getsize(path):
        print(f"{path}: not written")
        return True
    run, made, sources = session(path, frozen)
    names = ["logits"] + sorted({f"{m}.input" for m in made} | set(sources.values()) - {"image"})
    got = [run.run(names, {"image": image[None].copy()}) for image in frozen.images]
    tensor = {name: np.stack([g[k] for g in got]) for k, name in enumerate(names)} | {"image": frozen.images}
    return frozen.judge(path + ": ", tensor["logits"], {m: tensor[f"{m}.input"] for m in made}, {m: tensor[s] for m, s in sources.items()}, form == "fold.onnx")


failed = False
for folder in sys.argv[1:]:
    frozen = Frozen(folder)
    for form in ("qdq.onnx", "clip.onnx", "fold.onnx", "qonnx.onnx"):
        try:
            failed |= not compare(frozen, form)
        except Exception as e:
            failed = True
            print(f"{folder}/{form}: {type(e).__name__}: {str(e)[:400]}")
sys.exit(failed)
