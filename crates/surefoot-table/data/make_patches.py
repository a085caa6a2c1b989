"""Write `patches.idx.gz`: 10,000 whitened patches of 8 x 8 pixels from photographs without copyright.

    pip install scikit-image==0.26.0 && python make_patches.py

Photographs and licences: docs/datasets.md. Each is made grey, brought to mean 0, whitened with the filter
f exp(-(f/f0)^4), f0 = 0.4 cycles a pixel (Olshausen and Field, Sparse coding with an overcomplete basis set, 1997), and
brought to variance 1. Then as in the exercise on sparse autoencoders: the mean of each patch removed, cut at three standard
deviations of all, and scaled to 0.1 to 0.9. A byte b of the file stands for 0.1 + 0.8 b/255.
"""
import gzip
import struct
from pathlib import Path

import numpy as np
from skimage import color, data

PHOTOGRAPHS = ["camera", "chelsea", "coffee", "brick", "grass", "gravel", "astronaut", "rocket"]
PATCHES, SIDE, MARGIN = 10_000, 8, 8


def whitened(name):
    image = getattr(data, name)()
    image = color.rgb2gray(image) if image.ndim == 3 else image / 255
    image = image - image.mean()
    rows, columns = (np.fft.fftfreq(n) for n in image.shape)
    f = np.hypot(rows[:, None], columns[None, :])
    image = np.fft.ifft2(np.fft.fft2(image) * f * np.exp(-((f / 0.4) ** 4))).real
    image = image[MARGIN:-MARGIN, MARGIN:-MARGIN]  # the transform takes the image for a torus
    return (image - image.mean()) / image.std()


random = np.random.default_rng(1)
images = [whitened(name) for name in PHOTOGRAPHS]
patches = []
for _ in range(PATCHES):
    image = images[random.integers(len(images))]
    row, column = (random.integers(n - SIDE + 1) for n in image.shape)
    patch = image[row : row + SIDE, column : column + SIDE]
    patches.append(patch - patch.mean())
patches = np.array(patches)
limit = 3 * patches.std()
numbers = (np.clip(patches, -limit, limit) / limit + 1) / 2  # 0 to 1 stands for 0.1 to 0.9
head = bytes([0, 0, 0x08, 3]) + struct.pack(">3I", *patches.shape)
body = np.round(255 * numbers).astype(np.uint8).tobytes()
Path(__file__).with_name("patches.idx.gz").write_bytes(gzip.compress(head + body, 9, mtime=0))
