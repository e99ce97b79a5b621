# Makes pictures of every kind that is read, small ones, and expected.npy: what PIL, and torchvision's Resize(24) and CenterCrop(20) by PIL,
# make of them. Run with pillow 13.0.0, numpy 2.4.6 and torchvision 0.29.2: python3 make.py
import numpy as np
from PIL import Image
from torchvision.transforms import CenterCrop, Resize

rng = np.random.default_rng(3)
y, x = np.mgrid[0:33, 0:41]
smooth = np.stack([127 + 120 * np.sin(x / 5), 127 + 120 * np.cos(y / 7), (x * 3 + y * 2) % 256], -1)
colour = (smooth + rng.normal(0, 6, smooth.shape)).clip(0, 255).astype(np.uint8)
gray = colour[..., 0]
Image.fromarray(colour).save("a-colour.jpg", quality=85)
Image.fromarray(gray).save("b-gray.jpg", quality=90)
Image.fromarray(colour).save("c-colour.png")
Image.fromarray(gray).save("d-gray.png")
Image.fromarray(np.dstack([colour, (x * 6).astype(np.uint8)])).save("e-alpha.png")
Image.fromarray(colour).quantize(16).save("f-palette.png")
Image.fromarray(colour[:24, :24]).resize((15, 60)).save("g-tall.png")
names = ["a-colour.jpg", "b-gray.jpg", "c-colour.png", "d-gray.png", "e-alpha.png", "f-palette.png", "g-tall.png"]
np.save("expected.npy", np.stack([np.asarray(CenterCrop(20)(Resize(24)(Image.open(n).convert("RGB")))) for n in names]))
