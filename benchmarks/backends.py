"""How fast networks run on the processor, and what 8 bits change.

    python benchmarks/backends.py --keras-python tensorflow/bin/python
    python benchmarks/backends.py --changes DATA  # see image_sets.py

One network at 1600×1200 px, the whole image at once; ways take turns, so all see the
same load. Eager torch in float32 and its usual memory layout is 1. TensorFlow needs an
environment of its own, with tf_keras; it makes the network, and all others import it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from keras_parity import build_c_resunet

SIZE = (1200, 1600)
EAGER, COMPILED, KERAS = "torch, eager", "torch, compiled", "Keras predict"


def keras_worker(folder: Path, threads: int) -> None:
    """Save the network, then predict and tell the seconds for every line of stdin."""
    import tensorflow as tf
    import tf_keras as keras

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
    network = build_c_resunet(keras)
    network.compile("adam", "binary_crossentropy")
    network.save(folder / "c-resunet.h5")
    image = np.load(folder / "image.npy").transpose(1, 2, 0)[np.newaxis]
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, processor = time.perf_counter(), time.process_time()
        probability = network.predict(image, verbose=0, batch_size=1)
        spent = time.perf_counter() - wall, time.process_time() - processor
        np.save(folder / "keras.npy", probability[0, ..., 0])
        print(f"spent {spent[0]} {spent[1]}", flush=True)


class Keras:
    """The other process."""

    def __init__(self, python: str, folder: Path, threads: int) -> None:
        command = [python, __file__, "--worker", str(folder), "--threads", str(threads)]
        self.folder = folder
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        self._answer("ready")

    def _answer(self, word: str) -> list[float]:
        for line in self.process.stdout:
            if line.startswith(word):
                return [float(number) for number in line.split()[1:]]
        raise SystemExit("The Keras process ended: is tf_keras there?")

    def __call__(self) -> tuple[np.ndarray, float, float]:
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        wall, processor = self._answer("spent")
        return np.load(self.folder / "keras.npy"), wall, processor


def timed(run: Callable[[], np.ndarray]) -> tuple[np.ndarray, float, float]:
    wall, processor = time.perf_counter(), time.process_time()
    result = run()
    return result, time.perf_counter() - wall, time.process_time() - processor


def torch_ways(network, image, *, is_compiled: bool) -> dict[str, Callable]:
    import copy

    import torch

    plain = copy.deepcopy(network).to(memory_format=torch.contiguous_format)
    last = copy.deepcopy(network).to(memory_format=torch.channels_last)
    batch = torch.from_numpy(image)[np.newaxis]
    batch_last = batch.contiguous(memory_format=torch.channels_last)

    def way(module, inputs):
        def run():
            with torch.inference_mode():
                return module(inputs)[0, 0].numpy()

        return run

    ways = {
        EAGER: way(plain, batch),
        "torch, eager, channels last": way(last, batch_last),
    }
    if is_compiled:
        ways[COMPILED] = way(torch.compile(last), batch_last)
    return ways


def openvino_ways(card, network, image) -> dict[str, Callable]:
    from napari_cresunet.inference import iter_quantize
    from napari_cresunet.inference._openvino import openvino_runner
    from napari_cresunet.steps import drain

    full = openvino_runner(card, network)
    short, quantized = drain(iter_quantize(card, network))
    print(f"{quantized.text}\n")
    return {
        "OpenVINO": lambda: full.run([image])[0],
        "OpenVINO, 8 bits": lambda: short.run([image])[0],
    }


def compare(arguments: argparse.Namespace, folder: Path) -> None:
    """Print the table of times."""
    import torch

    from napari_cresunet.weights import find_weights, load_network

    torch.set_num_threads(arguments.threads)
    image = np.random.default_rng(0).random((3, *SIZE), dtype=np.float32)
    np.save(folder / "image.npy", image)
    ways: dict[str, Callable] = {}
    source = find_weights(arguments.model)
    if arguments.keras_python:
        ways[KERAS] = Keras(arguments.keras_python, folder, arguments.threads)
        source = folder / "c-resunet.h5"
    card, network = load_network(source)
    ways |= torch_ways(network, image, is_compiled=arguments.compile)
    ways |= openvino_ways(card, network, image)
    spent = {name: [] for name in ways}
    results = {}
    for turn in range(arguments.rounds + 1):  # the first one only warms up
        for name, run in ways.items():
            measured = run() if name == KERAS else timed(run)
            results[name] = measured[0]
            if turn > 0:
                spent[name].append(measured[1:])
            elif name == COMPILED:
                print(f"Compilation and first image: {measured[1]:.0f} s\n")
    print(f"{SIZE[1]}×{SIZE[0]} px, {card.name}, {arguments.threads} threads\n")
    print("| way | s | processor s | times faster | by processor time | difference |")
    print("|---|---:|---:|---:|---:|---:|")
    wall, processor = (
        {name: median(turn[which] for turn in turns) for name, turns in spent.items()}
        for which in (0, 1)
    )
    for name in ways:
        difference = np.abs(results[name] - results[EAGER]).max()
        print(
            f"| {name} | {wall[name]:.2f} | {processor[name]:.2f} "
            f"| {wall[EAGER] / wall[name]:.2f} "
            f"| {processor[EAGER] / processor[name]:.2f} | {difference:.1e} |"
        )
    if arguments.keras_python:
        ways[KERAS].process.stdin.close()


def changes(data: Path, model: str, n_images: int) -> None:
    """Print what 8 bits, made with the samples of the package, change elsewhere."""
    from image_sets import SETS, cases

    from napari_cresunet.batch import CountOptions, iter_count
    from napari_cresunet.evaluation import aggregate, evaluate
    from napari_cresunet.inference import load_model
    from napari_cresunet.steps import drain

    models = [load_model(model, "cpu", precision=name) for name in ("full", "int8")]
    print(f"{models[1].quantized.text}\n")
    print("| test images | images | cells | counted | in 8 bits | F1 | in 8 bits |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for kind in SETS:
        scores = [[], []]
        for _, case in zip(range(n_images), cases(kind, "test", data), strict=False):
            options = CountOptions(diameter=case.diameter)
            for loaded, found in zip(models, scores, strict=True):
                labels = drain(iter_count(case.image, loaded, options)).labels
                score = evaluate(labels, case.labels, max_distance=case.match_distance)
                found.append(score)
        full, short = (aggregate(found) for found in scores)
        print(
            f"| {kind} | {len(scores[0])} | {full.true_count} "
            f"| {full.predicted_count} | {short.predicted_count} "
            f"| {full.f1:.4f} | {short.f1:.4f} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keras-python", metavar="PYTHON", help="with tf_keras")
    parser.add_argument("--model", default="fluorescent-cells")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="torch.compile, too")
    parser.add_argument("--changes", type=Path, metavar="DATA")
    parser.add_argument("--images", type=int, default=1000, help="of each set at most")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        keras_worker(arguments.worker, arguments.threads)
        return
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("NAPARI_CRESUNET_CACHE", folder)
        if arguments.changes:
            changes(arguments.changes, arguments.model, arguments.images)
        else:
            compare(arguments, Path(folder))


if __name__ == "__main__":
    main()
