# SPDX-License-Identifier: GPL-3.0-or-later
# What the scripts share that run exported files in other programs: what tests/peers/frozen wrote beside them, and how what a program made is
# held against it.
import os

import numpy as np

# Of a step: how near to where rounding tips over the first code that differs must stand. Steps finer than a share of the range, those of 16
# bits and of floats near 0, count as that, since sums in fp32 are no more exact there.
EDGE, SHARE = 1e-4, 1 / 128


REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference")


def reference_images():
    return np.fromfile(os.path.join(REFERENCE, "images.f32"), np.float32).reshape(-1, 8, 8, 3).transpose(0, 3, 1, 2)


class Answers:
    """What programs answer for the reference files: a line an image, PROGRAM VERSION FILE IMAGE and the logits."""

    def __init__(self):
        self.lines = []

    def note(self, program, number, name, i, logits):
        self.lines.append(f"{program} {number} {name} {i} " + " ".join(f"{v:.9g}" for v in np.asarray(logits).reshape(-1)))

    def write(self, name):
        with open(os.path.join(REFERENCE, name), "w") as file:
            file.write("\n".join(self.lines) + "\n")
        print(f"{name}: {len(self.lines)} answers")


class Layer:
    def __init__(self, line):
        self.name, h, w, c, self.weights, self.inputs, scale = line.split()
        self.shape = int(h), int(w), int(c)
        self.scale = np.float32(float.fromhex(scale))


class Frozen:
    """A folder: images and codes as ONNX has them, [image][channel][row][column]."""

    def __init__(self, folder):
        self.folder = folder
        self.exact = folder.rstrip("/").endswith("po2")  # sums of products are exact there
        self.layers = [Layer(line) for line in open(os.path.join(folder, "layers.txt"))]
        self.logits = self.numbers("logits").reshape(-1, 10)
        self.count = len(self.logits)
        self.images = self.numbers("images").reshape(self.count, *self.layers[0].shape).transpose(0, 3, 1, 2)
        codes, at = self.numbers("codes"), 0
        for l in self.layers:
            size = self.count * int(np.prod(l.shape))
            l.codes = codes[at : at + size].reshape(self.count, *l.shape).transpose(0, 3, 1, 2)
            at += size

    def numbers(self, name):
        return np.fromfile(os.path.join(self.folder, name + ".f32"), np.float32)

    # made, sources: of a layer's name, its input as rounded and as it was before; those that a program does not give are left out.
    def judge(self, label, logits, made={}, sources={}, folded=False):
        """Prints a line. Returns whether all that differs is explained: the first code of an image that differs stands at an edge of rounding,
        and no code does where sums are exact. With folded norms biases are rounded, and numbers are only told."""
        differ = total = 0
        tipped, farthest = np.zeros(self.count, bool), 0.0
        for l in self.layers:
            if l.name not in made:
                continue
            got = made[l.name].reshape(l.codes.shape) / l.scale
            wrong = np.abs(got - l.codes) > 1e-5 * np.maximum(1, np.abs(l.codes))
            differ += int(wrong.sum())
            total += wrong.size
            for i in np.nonzero(wrong.any(axis=(1, 2, 3)) & ~tipped)[0]:
                v = sources[l.name][i].reshape(l.codes.shape[1:]) / l.scale
                edge = (got[i] + l.codes[i]) / 2  # two neighbours of the grid: where rounding tips over
                step = np.maximum(np.abs(got[i] - l.codes[i]), SHARE * np.abs(l.codes).max())
                farthest = max(farthest, float((np.abs(v - edge) / step)[wrong[i]].max()))
            tipped |= wrong.any(axis=(1, 2, 3))
        logits = np.asarray(logits).reshape(self.logits.shape)
        agree = float((logits.argmax(1) == self.logits.argmax(1)).mean())
        error = float(np.abs(logits - self.logits).max())
        codes = f"{differ} of {total} codes differ{f', the first of an image by at most {farthest:.1e} of a step' if differ else ''}, " if total else ""
        print(f"{label}{codes}logits by at most {error:.2e} of {np.abs(self.logits).max():.1f}, top-1 agrees on {100 * agree:.2f} %", flush=True)
        return folded or (agree >= 0.999 and farthest <= EDGE and not (self.exact and differ))
