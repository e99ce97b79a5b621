# SPDX-License-Identifier: GPL-3.0-or-later
# Loads exported encodings into AIMET's simulation, and compares with what the engine made.
#
#	aimet.py FOLDER...      folders that tests/peers/frozen wrote
#
# strict=False: AIMET's own choice of widths gives way to the file's. Quantizers without an entry are then switched off, and what is on must be what
# the file names. A line for each file (see compare.py). Exits 1 where something differs that is not explained. Also sees to it that AIMET
# still does what the writer reckons with: it refuses the file with strict=True, and entries that it does not know. Writes its answers for the
# reference files first, to tests/peers/reference/aimet.txt.
import copy
import json
import logging
import os
import sys
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from aimet_onnx.quantsim import QuantizationSimModel, load_encodings_to_sim
from compare import REFERENCE, Answers, Frozen, reference_images

logging.disable(logging.ERROR)  # it names every quantizer that the file sets otherwise


def simulate(path, encodings, strict=False):
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    sim = QuantizationSimModel(model)
    load_encodings_to_sim(sim, copy.deepcopy(encodings), strict=strict)
    return sim


def refused(path, encodings, strict=False):
    try:
        simulate(path, encodings, strict)
    except (AssertionError, RuntimeError, ValueError) as e:
        return type(e).__name__
    return None


# The simulation has to outlive what is opened here: its quantizers point into it.
def opened(sim, outputs=()):
    model = sim.model.model
    names = [model.graph.output[0].name, *outputs]
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in outputs)
    run = ort.InferenceSession(model.SerializeToString(), sim._ort_session_options, providers=["CPUExecutionProvider"])
    return lambda image: run.run(names, {"image": image[None].copy()})


def answer():
    answers = Answers()
    sim = simulate(os.path.join(REFERENCE, "aimet.onnx"), json.load(open(os.path.join(REFERENCE, "aimet.encodings"))))
    run = opened(sim)
    for i, image in enumerate(reference_images()):
        answers.note("aimet-onnx", version("aimet-onnx"), "aimet", i, run(image)[0])
    answers.write("aimet.txt")


# Of each layer by name: the tensor of its rounded input, and that of what was rounded. Casts stand in the network.
def inputs(nodes, named):
    rounded, sources = {}, {}
    for n in nodes:
        if n.op_type == "QcQuantizeOp" and n.input[0] in named and n.input[0].endswith(".input"):
            layer = n.input[0].removesuffix(".input")
            rounded[layer], sources[layer] = n.output[0], n.input[0]
        if n.op_type == "Cast" and n.output[0].endswith(".input"):
            rounded[n.output[0].removesuffix(".input")] = n.output[0]
        if n.op_type == "Cast" and n.output[0].endswith(".input_narrow"):
            sources[n.output[0].removesuffix(".input_narrow")] = n.input[0]
    return rounded, sources


def compare(frozen):
    path = os.path.join(frozen.folder, "aimet.onnx")
    if not os.path.getsize(path):
        print(f"{path}: not written")
        return True
    encodings = json.load(open(os.path.join(frozen.folder, "aimet.encodings")))
    sim = simulate(path, encodings)
    on = {name for name, quantizer in sim.qc_quantize_op_dict.items() if quantizer.enabled}
    named = {e["name"] for e in encodings["encodings"]}
    assert on == named, f"on and not named, or named and not on: {on ^ named}"
    assert refused(path, encodings, True) == "AssertionError"
    assert refused(path, encodings | {"encodings": encodings["encodings"] + [encodings["encodings"][0] | {"name": "nothing"}]}) == "AssertionError"
    rounded, sources = inputs(sim.model.model.graph.node, named)
    names = sorted({*rounded.values(), *sources.values()})
    run = opened(sim, names)
    got = [run(image) for image in frozen.images]
    tensor = {name: np.stack([g[k + 1] for g in got]) for k, name in enumerate(names)}
    made, before = ({m: tensor[t] for m, t in of.items()} for of in (rounded, sources))
    return frozen.judge(f"{path}: {len(on)} quantizers on; ", [g[0] for g in got], made, before)


answer()
failed = False
for folder in sys.argv[1:]:
    failed |= not compare(Frozen(folder))
sys.exit(failed)
