"""Compare an imported c-ResUnet with Keras itself, on one image.

TensorFlow and torch need not live in one environment; two commands share a folder:

    python benchmarks/keras_parity.py write FOLDER      # needs tf_keras (or Keras 2)
    python benchmarks/keras_parity.py compare FOLDER    # needs napari-cresunet

The first builds the network in Keras from the paper's table, gives it random weights
and batch norm statistics, saves it as HDF5 and predicts; the second imports that file,
predicts with torch and prints the largest absolute difference.
"""

import sys
from pathlib import Path

import numpy as np

SHAPE = (256, 320)
LIMIT = 1e-4  # what the import promises


def build_c_resunet(keras):
    """Return c-ResUnet for images of any multiple of 8 px, in Keras' functional way."""
    layers = keras.layers

    def convolve(x, features, size):
        return layers.Conv2D(
            features, size, padding="same", kernel_initializer="he_normal"
        )(x)

    def activate(x):
        return layers.Activation("elu")(layers.BatchNormalization()(x))

    def body(x, features, size):
        return convolve(activate(convolve(activate(x), features, size)), features, size)

    def residual(x, features, size):
        shortcut = convolve(x, features, 1)
        return layers.add([body(x, features, size), shortcut])

    def decode(x, skip, features):
        up = layers.Conv2DTranspose(features, 2, strides=2, padding="same")(x)
        return layers.add([body(layers.concatenate([up, skip]), features, 3), up])

    image = layers.Input((None, None, 3))
    color = activate(convolve(image, 1, 1))
    skip1 = convolve(activate(convolve(color, 16, 3)), 16, 3)
    skip2 = residual(layers.MaxPooling2D()(skip1), 32, 3)
    skip3 = residual(layers.MaxPooling2D()(skip2), 64, 3)
    x = residual(layers.MaxPooling2D()(skip3), 128, 5)
    x = layers.add([body(x, 128, 5), x])
    x = decode(decode(decode(x, skip3, 64), skip2, 32), skip1, 16)
    return keras.Model(image, layers.Conv2D(1, 1, activation="sigmoid")(x))


def write(folder: Path) -> None:
    import tf_keras as keras

    rng = np.random.default_rng(0)
    keras.utils.set_random_seed(0)
    build_c_resunet(
        keras
    )  # so that the second one's layers are numbered from further on
    model = build_c_resunet(keras)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            size = layer.gamma.shape[0]
            layer.set_weights(
                [
                    rng.uniform(0.5, 1.5, size),
                    rng.normal(0, 0.3, size),
                    rng.normal(0, 0.3, size),
                    rng.uniform(0.3, 2.0, size),
                ]
            )
        elif layer.get_weights():
            kernel, bias = layer.get_weights()
            layer.set_weights([0.7 * kernel, rng.normal(0, 0.2, bias.shape)])
    image = rng.random((*SHAPE, 3), dtype=np.float32)
    probability = model.predict(image[None], verbose=0)[0, ..., 0]
    folder.mkdir(parents=True, exist_ok=True)
    model.compile("adam", "binary_crossentropy")
    model.save(folder / "c-ResUnet.h5")
    model.save_weights(folder / "c-ResUnet-weights.h5")
    np.savez(folder / "keras.npz", image=image, probability=probability)
    print(f"Keras {keras.__version__}: {model.count_params():,} parameters")
    print(f"layers from {model.layers[1].name} to {model.layers[-1].name}")
    print(f"probability from {probability.min():.4f} to {probability.max():.4f}")


def compare(folder: Path) -> bool:
    import torch

    from napari_cresunet.weights import import_keras

    exchanged = np.load(folder / "keras.npz")
    image = torch.from_numpy(exchanged["image"]).permute(2, 0, 1)[None]
    is_close = True
    for name in ("c-ResUnet.h5", "c-ResUnet-weights.h5"):
        _, network = import_keras(folder / name)
        with torch.inference_mode():
            probability = network(image)[0, 0].numpy()
        difference = float(np.abs(probability - exchanged["probability"]).max())
        print(f"{name}: largest absolute difference {difference:.2e} at {SHAPE}")
        is_close = is_close and difference <= LIMIT
    return is_close


if __name__ == "__main__":
    command, folder = sys.argv[1], Path(sys.argv[2])
    if command == "write":
        write(folder)
    else:
        sys.exit(0 if compare(folder) else 1)
