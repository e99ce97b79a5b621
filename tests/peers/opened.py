# SPDX-License-Identifier: GPL-3.0-or-later
# Runs exported files in OpenVINO, in fp32, and compares the logits with the engine's.
#
#	opened.py FOLDER...      folders that tests/peers/frozen wrote
#
# A line for each file (see compare.py). Exits 1 where top-1 agrees on less than 99.9 %, files with folded norms and with floats of 8 bits apart: the
# latter are rounded in another way there, which is why reach=openvino leaves those formats out. QONNX's nodes are not read. Writes its
# answers for the reference files first, to tests/peers/reference/openvino.txt.
import os
import sys
from importlib.metadata import version

import openvino
from compare import REFERENCE, Answers, Frozen, reference_images

core = openvino.Core()


def opened(path):
    model = core.compile_model(core.read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return lambda image: model({"image": image[None].copy()})[model.output(0)]


def answer():
    answers = Answers()
    for name in ("qdq", "clip", "po2"):
        run = opened(os.path.join(REFERENCE, name + ".onnx"))
        for i, image in enumerate(reference_images()):
            answers.note("openvino", version("openvino"), name, i, run(image))
    answers.write("openvino.txt")


def is_read(path):
    try:
        opened(path)
    except RuntimeError:
        return False
    return True


answer()
failed = False
for folder in sys.argv[1:]:
    frozen = Frozen(folder)
    floats = any(l.weights in ("e4m3", "e5m2") or l.inputs in ("e4m3", "e5m2") for l in frozen.layers)
    for form in ("qdq.onnx", "clip.onnx", "fold.onnx"):
        path = os.path.join(folder, form)
        if os.path.getsize(path):
            run = opened(path)
            failed |= not frozen.judge(path + " in OpenVINO: ", [run(image) for image in frozen.images], folded=floats or form == "fold.onnx")
    if is_read(os.path.join(folder, "qonnx.onnx")):
        failed = True
        print(f"{folder}/qonnx.onnx: OpenVINO reads QONNX's nodes now")
sys.exit(failed)
