"""Every way of TensorFlow to resize: `resizes.py FILE`."""

import sys

import keras

x = keras.Input((9, 8, 3))
ys = [keras.layers.UpSampling2D((2, 3), interpolation="bicubic")(x)]
for size in ((11, 13), (4, 3)):
    ys += [
        keras.layers.Resizing(*size, interpolation=kind)(x) for kind in ("nearest", "bicubic", "lanczos3", "lanczos5")
    ]
ys.append(keras.ops.image.resize(x, (5, 6), antialias=True))
keras.Model(x, ys).save(sys.argv[1])
