"""How fast a GPU predicts, step by step from plain torch, and how far that is from its
limit.

    python benchmarks/gpu.py [--json FILE] [--compile]

The reference is plain eager torch in float32: the whole image at once, contiguous.
Everything is measured in one run, on the default model; needs CUDA (on `--device cpu
--height 128 --width 160` it only shows that it runs).
"""

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import nn
from torch.profiler import profile
from torch.utils.flop_counter import FlopCounterMode

from napari_cresunet.benchmarking import describe_machine, reference_probability
from napari_cresunet.benchmarking._reference import tashfeen2025
from napari_cresunet.datasets import NeuronScene, synthesize_neurons
from napari_cresunet.evaluation import evaluate
from napari_cresunet.inference import Model, load_model, predict
from napari_cresunet.inference._cuda import CudaRunner
from napari_cresunet.inference._cuda_network import prepared, recorded
from napari_cresunet.plugin._samples import SAMPLES, read_sample
from napari_cresunet.segmentation import segment

DIAMETER = 36.5
"""Of a cell in the images, px; the default model was trained at half of that."""
DISTANCE = 40 / 36.5
"""Within so many diameters a cell counts as found."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--height", type=int, default=1200)
    parser.add_argument("--width", type=int, default=1600)
    parser.add_argument("--images", type=int, default=64, help="of the folder")
    parser.add_argument("--compile", action="store_true", help="torch.compile, too")
    parser.add_argument("--json", type=Path, help="where all numbers go")
    arguments = parser.parse_args()
    bench = Bench(arguments)
    found: dict[str, object] = {"machine": describe_machine()}
    for name, part in bench.parts():
        start = time.perf_counter()
        found[name] = part()
        seconds = time.perf_counter() - start
        print(f"\n{name} ({seconds:.1f} s)\n{as_text(found[name])}", flush=True)
        if arguments.json:
            arguments.json.write_text(json.dumps(found, indent=1))


class Bench:
    """What is measured, on one device."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.device = arguments.device
        self.is_gpu = self.device.startswith("cuda")
        self.height, self.width = arguments.height, arguments.width
        self.n_images = arguments.images
        self.compiles = arguments.compile
        plain = load_model(device="cpu", backend="torch", precision="full")
        self.card, self.cpu_network = plain.card, plain.network
        self.network = copy.deepcopy(plain.network).to(self.device)
        self.plain = copy.deepcopy(self.network).to(
            memory_format=torch.contiguous_format
        )
        self.models = {name: self.model(name) for name in ("full", "half")}

    def model(self, precision: str) -> Model:
        runner = CudaRunner(self.network, self.device, precision)
        return Model(self.card, self.network, self.device, "torch", precision, runner)

    def parts(self) -> Iterator[tuple[str, Callable[[], object]]]:
        yield "ceilings", self.ceilings
        yield "work", self.work
        yield "copies", self.copies
        size = (self.height, self.width)
        yield "network", lambda: self.network_ladder(size)
        zoomed = tuple(side // 16 * 8 for side in size)
        yield "network, half the side", lambda: self.network_ladder(zoomed)
        yield "kernels", self.kernels
        yield "one image", self.one_image
        yield "folder", self.folder
        yield "half against full", self.half_against_full
        if self.compiles:
            yield "compiled", self.compiled

    # What the hardware gives, and what the network takes.

    def ceilings(self) -> dict[str, float]:
        """Measure matrix products, TFLOP/s, and a copy on the device, TB/s."""
        side = 8192 if self.is_gpu else 256
        found = {}
        for name, kind, tf32 in (
            ("float16 TFLOP/s", torch.float16, False),
            ("TF32 TFLOP/s", torch.float32, True),
            ("float32 TFLOP/s", torch.float32, False),
        ):
            torch.backends.cuda.matmul.allow_tf32 = tf32
            a, b = (
                torch.randn(side, side, device=self.device).to(kind) for _ in range(2)
            )
            seconds = self.clock(lambda a=a, b=b: a @ b, 5)
            found[name] = 2 * side**3 / seconds / 1e12
        torch.backends.cuda.matmul.allow_tf32 = False
        n_bytes = 2**31 if self.is_gpu else 2**20
        room = torch.randint(0, 255, (n_bytes,), dtype=torch.uint8, device=self.device)
        other = torch.empty_like(room)
        seconds = self.clock(lambda: other.copy_(room), 5)
        found["copy on the device TB/s"] = 2 * n_bytes / seconds / 1e12
        self.ceiling = found
        return found

    def work(self) -> dict[str, object]:
        """Count the network's operations and bytes for one image."""
        batch = torch.rand(1, 3, self.height, self.width, device=self.device)
        with torch.inference_mode(), FlopCounterMode(display=False) as counter:
            self.plain(batch)
        numbers, weights = values_moved(self.plain, batch)
        flops = counter.get_total_flops()
        found: dict[str, object] = {
            "GFLOP": flops / 1e9,
            "values in and out of every layer, millions": numbers / 1e6,
            "weights, millions": weights / 1e6,
        }
        bandwidth = self.ceiling["copy on the device TB/s"] * 1e12
        for name, size in (("float32", 4), ("float16", 2)):
            peak = self.ceiling[f"{name} TFLOP/s"] * 1e12
            least = (4 * self.height * self.width + size * weights) / bandwidth
            found[name] = {
                "ms of arithmetic at the measured peak": 1e3 * flops / peak,
                "ms of memory, layer by layer": 1e3 * size * numbers / bandwidth,
                "ms of memory, image and weights alone": 1e3 * least,
            }
        self.limits = found
        return found

    def copies(self) -> list[dict[str, object]]:
        """Time the copies of one image."""
        pixels = torch.randint(0, 255, (self.height, self.width, 3), dtype=torch.uint8)
        answer = torch.rand(self.height, self.width, device=self.device)
        back = torch.empty(self.height, self.width)
        rows = [("uint8 RGB to the device, pageable", lambda: pixels.to(self.device))]
        if self.is_gpu:
            fixed, room = pixels.pin_memory(), back.pin_memory()
            rows += [
                (
                    "uint8 RGB to the device, pinned",
                    lambda: fixed.to(self.device, non_blocking=True),
                ),
                (
                    "float32 to the host, pinned",
                    lambda: room.copy_(answer, non_blocking=True),
                ),
            ]
        rows.append(("float32 to the host, pageable", lambda: back.copy_(answer)))
        return [{"copy": name, "ms": 1e3 * self.clock(do, 20)} for name, do in rows]

    # The network alone, pixels already on the device.

    def network_ladder(self, size: tuple[int, int]) -> list[dict[str, object]]:
        """Time the network, one step after the other."""
        torch.manual_seed(0)
        one = torch.rand(1, 1, *size, device=self.device)
        eight = torch.rand(8, 1, *size, device=self.device)
        last = copy.deepcopy(self.network).to(memory_format=torch.channels_last)
        full, half = (prepared(self.network, name) for name in ("full", "half"))
        full_last = prepared(self.network, "full", "channels_last")
        half_first = prepared(self.network, "half", "contiguous_format")
        steps: list[tuple[str, Callable, torch.Tensor, dict]] = [
            ("plain float32, contiguous", threefold(self.plain), one, {}),
            ("channels last", threefold(last, last=True), one, {}),
            ("channels last, 8 at once", threefold(last, last=True), eight, {}),
            ("batch norms folded, contiguous: full", full, one, {}),
            ("full, cuDNN tries out", full, one, {"benchmark": True}),
            ("full, channels last", full_last, one, {}),
            (
                "full, channels last, deterministic",
                full_last,
                one,
                {"deterministic": True},
            ),
            ("full, channels last, 8 at once", full_last, eight, {}),
            ("channels last, TF32", full_last, one, {"allow_tf32": True}),
            ("full, 8 at once", full, eight, {}),
            ("autocast float16", autocast(threefold(last, last=True)), one, {}),
            ("float16: half", half, one, {}),
            ("half, contiguous", half_first, one, {}),
            ("half, cuDNN tries out", half, one, {"benchmark": True}),
            ("half, 8 at once", half, eight, {}),
            ("half, 8 at once, cuDNN tries out", half, eight, {"benchmark": True}),
        ]
        rows = [self.rung(name, do, on, flags) for name, do, on, flags in steps]
        if self.is_gpu:
            rows += self.graph_rungs(full, half, one, eight)
        first = rows[0]["ms per image"]
        expected = rows[0].pop("result")
        for row in rows:
            result = row.pop("result", None)
            row["times faster"] = first / row["ms per image"]
            if result is not None and result.shape == expected.shape:
                row["largest difference"] = float((result - expected).abs().max())
        if size == (self.height, self.width):
            self.add_limits(rows)
        return rows

    def rung(
        self, name: str, do: Callable, batch: torch.Tensor, flags: dict
    ) -> dict[str, object]:
        settings = {"enabled": True, "allow_tf32": False} | flags
        with torch.inference_mode(), torch.backends.cudnn.flags(**settings):
            self.forget()
            start = time.perf_counter()
            result = do(batch)
            self.wait()
            first = time.perf_counter() - start
            megabytes = self.peak()
            seconds = self.clock(lambda: do(batch), 10)
        return {
            "way": name,
            "ms per image": 1e3 * seconds / len(batch),
            "first call s": first,
            "MB per image": megabytes / len(batch),
            "bytes per px": 1e6 * megabytes / batch.numel(),
            "result": result[:, 0].clone(),
        }

    def graph_rungs(
        self, full: Callable, half: Callable, one: torch.Tensor, eight: torch.Tensor
    ) -> list[dict[str, object]]:
        rows = []
        for name, do, batch in (
            ("full, recorded", full, one),
            ("full, 8 at once, recorded", full, eight),
            ("half, recorded", half, one),
            ("half, 8 at once, recorded", half, eight),
        ):
            with (
                torch.inference_mode(),
                torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            ):
                do(batch)
                self.wait()
                start = time.perf_counter()
                replay = recorded(do, batch)
                self.wait()
                recording = time.perf_counter() - start
            rows.append(
                self.rung(name, replay, batch, {}) | {"first call s": recording}
            )
        return rows

    def add_limits(self, rows: list[dict[str, object]]) -> None:
        """Tell which part of the hardware's limit every way reaches."""
        for row in rows:
            kind = (
                "float16" if "half" in row["way"] or "16" in row["way"] else "float32"
            )
            limit = self.limits[kind]
            arithmetic = limit["ms of arithmetic at the measured peak"]
            memory = limit["ms of memory, layer by layer"]
            row["of the arithmetic peak"] = arithmetic / row["ms per image"]
            row["of the memory bandwidth, layer by layer"] = (
                memory / row["ms per image"]
            )

    def kernels(self) -> list[dict[str, object]]:
        """Tell which kernels take the time."""
        one = torch.rand(1, 1, self.height, self.width, device=self.device)
        rows = []
        for name in ("full", "half"):
            do = prepared(self.network, name)
            with (
                torch.inference_mode(),
                torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
                profile() as profiler,
            ):
                for _ in range(5):
                    do(one)
                self.wait()
            taken = sorted(
                (
                    (event.self_device_time_total / 5000, event.count // 5, event.key)
                    for event in profiler.key_averages()
                ),
                reverse=True,
            )
            rows += [
                {"way": name, "ms": ms, "launches": n, "kernel": key[:100]}
                for ms, n, key in taken[:14]
                if n
            ]
        return rows

    def compiled(self) -> list[dict[str, object]]:
        """Time torch.compile."""
        one = torch.rand(1, 1, self.height, self.width, device=self.device)
        rows = []
        for name in ("full", "half"):
            quick = torch.compile(prepared(self.network, name))
            rows.append(self.rung(f"{name}, compiled", quick, one, {}))
            rows[-1].pop("result")
        return rows

    # From an image in memory to its probability, and to its cells.

    def drawn(self, seed: int) -> np.ndarray:
        scene = NeuronScene(height=self.height, width=self.width, diameter=DIAMETER)
        return synthesize_neurons(scene, seed=seed)[0]

    def one_image(self) -> list[dict[str, object]]:
        """Time `predict` on one image in memory, again and again."""
        image = self.drawn(0)
        rows = []
        for name, diameter in (("as it is", None), ("cells twice as large", DIAMETER)):
            ways: dict[str, Callable] = {
                precision: lambda m=model, d=diameter: predict(image, m, diameter=d)
                for precision, model in self.models.items()
            }
            if diameter is None:
                ways = {
                    "plain": lambda: self.plain_probability(image),
                    "plain, without the network": lambda: self.plain_rest(image),
                } | ways
            expected = None
            for way, do in ways.items():
                result = do()
                expected = result if expected is None else expected
                seconds = self.clock(do, 10)
                rows.append(
                    {
                        "image": name,
                        "way": way,
                        "ms": 1e3 * seconds,
                        "largest difference": float(abs(result - expected).max()),
                    }
                )
        stack = np.stack([image] * 16)
        for way, model in self.models.items():
            seconds = self.clock(lambda m=model: predict(stack, m), 2) / len(stack)
            rows.append({"image": "stack of 16", "way": way, "ms": 1e3 * seconds})
        return rows

    def plain_probability(self, image: np.ndarray) -> np.ndarray:
        return reference_probability(image, self.plain, self.card, self.device)

    def plain_rest(self, image: np.ndarray) -> np.ndarray:
        return reference_probability(image, Rest(), self.card, self.device)

    def folder(self) -> list[dict[str, object]]:
        """Count many images in memory: one after the other, and side by side."""
        drawn = [self.drawn(seed) for seed in range(min(8, self.n_images))]
        self.images = (drawn * -(-self.n_images // len(drawn)))[: self.n_images]
        rows = []
        for name, (do, n) in self.folder_ways().items():
            do()
            start = time.perf_counter()
            counts = do()
            ms = 1e3 * (time.perf_counter() - start) / n
            first = rows[0]["ms per image"] if rows else ms
            rows.append({"way": name, "ms per image": ms, "times faster": first / ms})
            if "alone" not in name:
                rows[-1]["cells"] = sum(counts) / n
        return rows

    def folder_ways(self) -> dict[str, tuple[Callable[[], list], int]]:
        """Return what each way does, and for how many images."""
        n = len(self.images)
        few = max(1, n // 4)
        ways: dict[str, tuple[Callable, int]] = {
            "plain loop": (lambda: self.count_plainly(few), few),
            "plain loop, prediction alone": (lambda: self.predict_plainly(few), few),
        }
        for name in self.models:
            ways[f"{name}, prediction alone, 2 threads"] = (
                lambda name=name: self.predict_all(name, 2),
                n,
            )
            for text, diameter in (("", None), (", cells twice as large", DIAMETER)):
                ways[f"{name}, one after the other{text}"] = (
                    lambda p=name, d=diameter: self.count_serially(p, d),
                    n,
                )
                for threads in (1, 2, 3):
                    ways[f"{name}, {threads} predicting, 4 segmenting{text}"] = (
                        lambda p=name, d=diameter, t=threads: self.count_all(p, d, t),
                        n,
                    )
        return ways

    def predict_plainly(self, n: int) -> list[float]:
        return [self.plain_probability(image).max() for image in self.images[:n]]

    def count_plainly(self, n: int) -> list[int]:
        card = self.card
        given = (card.threshold, card.min_size, card.min_distance)
        maps = (self.plain_probability(image) for image in self.images[:n])
        return [int(tashfeen2025(each, *given).max()) for each in maps]

    def labels(self, probability: np.ndarray, diameter: float | None) -> np.ndarray:
        return segment(
            probability,
            threshold=self.card.threshold,
            min_size=self.card.min_size_at(diameter),
            min_distance=self.card.min_distance_at(diameter),
        )

    def count_serially(self, precision: str, diameter: float | None) -> list[int]:
        model = self.models[precision]
        maps = (predict(image, model, diameter=diameter) for image in self.images)
        return [int(self.labels(each, diameter).max()) for each in maps]

    def predict_all(self, precision: str, n_threads: int) -> list[float]:
        model = self.models[precision]
        with ThreadPoolExecutor(n_threads) as pool:
            return list(
                pool.map(lambda image: predict(image, model)[0, 0], self.images)
            )

    def count_all(
        self, precision: str, diameter: float | None, n_threads: int
    ) -> list[int]:
        model = self.models[precision]
        with (
            ThreadPoolExecutor(n_threads) as predicting,
            ThreadPoolExecutor(4) as segmenting,
        ):

            def work(image: np.ndarray) -> object:
                probability = predict(image, model, diameter=diameter)
                return segmenting.submit(self.labels, probability, diameter)

            found = predicting.map(work, self.images)
            return [int(one.result().max()) for one in found]

    # What half precision changes.

    def half_against_full(self) -> list[dict[str, object]]:
        """Compare probability, count and F1 on images with truth."""
        rows = []
        for name, image, truth, diameter in scenes_with_truth(self.is_gpu):
            maps = {
                way: predict(image, model, diameter=diameter)
                for way, model in self.models.items()
            }
            on_cpu = Model(self.card, self.cpu_network, "cpu")
            maps["cpu"] = predict(image, on_cpu, diameter=diameter)
            scores = {}
            for way, probability in maps.items():
                labels = self.labels(probability, diameter)
                reach = DISTANCE * diameter
                scores[way] = evaluate(labels, truth, max_distance=reach)
            difference = abs(maps["half"] - maps["full"])
            sides = [maps[way] > self.card.threshold for way in ("half", "full")]
            rows.append(
                {
                    "image": name,
                    "full from CPU": float(abs(maps["full"] - maps["cpu"]).max()),
                    "largest": float(difference.max()),
                    "mean": float(difference.mean()),
                    "px on the other side": int((sides[0] != sides[1]).sum()),
                    **{f"cells, {w}": s.predicted_count for w, s in scores.items()},
                    **{f"F1, {w}": round(s.f1, 5) for w, s in scores.items()},
                }
            )
        return rows

    # Clocks.

    def wait(self) -> None:
        if self.is_gpu:
            torch.cuda.synchronize()

    def clock(self, do: Callable[[], object], runs: int) -> float:
        """Return the median of seconds, after runs that warm up."""
        if not self.is_gpu:
            runs = 1
        for _ in range(3 * self.is_gpu):
            do()
        self.wait()
        times = []
        for _ in range(runs):
            start = time.perf_counter()
            do()
            self.wait()
            times.append(time.perf_counter() - start)
        return median(times)

    def forget(self) -> None:
        if self.is_gpu:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            self.before = torch.cuda.memory_allocated()

    def peak(self) -> float:
        """Return MB at the peak beyond what was there."""
        if not self.is_gpu:
            return 0.0
        return (torch.cuda.max_memory_allocated() - self.before) / 1e6


class Rest(nn.Module):
    """No network, so that the time of all else is left."""

    stride = 8

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch[:, :1]


def threefold(network: nn.Module, *, last: bool = False) -> Callable:
    layout = torch.channels_last if last else torch.contiguous_format
    return lambda batch: network(
        batch.expand(-1, 3, -1, -1).contiguous(memory_format=layout)
    )


def autocast(do: Callable) -> Callable:
    def cast(batch: torch.Tensor) -> torch.Tensor:
        with torch.autocast(batch.device.type, torch.float16):
            return do(batch).float()

    return cast


def values_moved(network: nn.Module, batch: torch.Tensor) -> tuple[int, int]:
    """Count the values that all layers read and write, weights included."""
    moved = 0

    def note(module: nn.Module, given: tuple, result: torch.Tensor) -> None:
        nonlocal moved
        moved += sum(one.numel() for one in given) + result.numel()

    leaves = [module for module in network.modules() if not list(module.children())]
    hooks = [module.register_forward_hook(note) for module in leaves]
    with torch.inference_mode():
        network(batch)
    for hook in hooks:
        hook.remove()
    weights = sum(one.numel() for one in network.parameters())
    return moved + weights, weights


def scenes_with_truth(
    whole: bool,
) -> Iterator[tuple[str, np.ndarray, np.ndarray, float]]:
    """Yield name, image, truth and diameter: the samples, and drawn scenes."""
    for name in SAMPLES if whole else SAMPLES[:1]:
        sample = read_sample(name)
        yield name, sample.image, sample.labels, sample.diameter
    for seed in range(12 if whole else 1):
        scene = NeuronScene(height=600, width=800, n_cells=24, diameter=28.0)
        image, labels = synthesize_neurons(scene, seed=seed)
        yield f"drawn {seed}", image, labels, 28.0


def as_text(found: object) -> str:
    """Return rows as a Markdown table, anything else as JSON."""
    if not isinstance(found, list):
        return json.dumps(found, indent=1)
    columns = list(dict.fromkeys(name for row in found for name in row))
    lines = [columns, ["---"] * len(columns)]
    lines += [[shown(row.get(name, "")) for name in columns] for row in found]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def shown(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
