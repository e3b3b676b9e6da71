"""Synthetic neurons in the manner of the Fluorescent Neuronal Cells images.

Yellow-ish somata on dark, uneven brain tissue, with what makes counting them hard:
clumps, dim and out-of-focus cells, filaments, dotted artifacts, tissue edges and sensor
noise. The ground truth is exact because the program drew it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_cresunet._typing import Labels
from napari_cresunet.config import Options, option
from napari_cresunet.errors import InputError

# Share of red, green and blue in each stain. Yellow, green and red were measured as the
# mean of labeled cells in the images of Fluorescent Neuronal Cells v1 and v2.
STAINS: dict[str, tuple[float, float, float]] = {
    "yellow": (1.0, 0.72, 0.05),
    "green": (0.03, 1.0, 0.20),
    "red": (1.0, 0.02, 0.01),
    "gray": (1.0, 1.0, 1.0),
    "blue": (0.05, 0.12, 1.0),
    "cyan": (0.02, 0.9, 1.0),
    "magenta": (1.0, 0.03, 0.9),
}
# The tissue's own light is redder than the stain of the cells.
_TISSUE_TINTS: dict[str, tuple[float, float, float]] = {
    "yellow": (1.0, 0.35, 0.01),
    "green": (0.0, 1.0, 0.05),
    "red": (1.0, 0.0, 0.0),
    "gray": (1.0, 1.0, 1.0),
    "blue": (0.0, 0.1, 1.0),
    "cyan": (0.0, 0.9, 1.0),
    "magenta": (1.0, 0.0, 0.9),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NeuronScene(Options):
    """What a synthetic image shows. Brightness is in parts of the full 8-bit range."""

    height: int = option(1200, "Height of the image.", unit="px", low=16)
    width: int = option(1600, "Width of the image.", unit="px", low=16)
    n_cells: int = option(20, "Cells to draw; all are in the truth.", low=0)
    diameter: float = option(
        36.5, "Mean equivalent diameter of a cell.", unit="px", low=4
    )
    brightness: float = option(0.45, "Median brightness of a cell.", low=0, high=1)
    tissue: float = option(0.03, "Mean brightness of the tissue.", low=0, high=1)
    clumping: float = option(
        0.3, "Share of cells that touch or nearly touch another.", low=0, high=1
    )
    n_unfocused: int = option(12, "Cells out of focus; not in the truth.", low=0)
    n_faint: int = option(
        12, "Cells in focus but too faint for an annotator; not in the truth.", low=0
    )
    n_filaments: int = option(6, "Bright thin filaments.", low=0)
    n_dotted: int = option(4, "Patches of bright dots.", low=0)
    edge: bool = option(True, "Whether the tissue ends inside the image.")
    noise: float = option(0.008, "Read-out noise of the sensor.", low=0, high=1)
    blur: float = option(
        0.0, "Blur of the whole image, in parts of a cell's diameter.", low=0, high=1
    )
    background: float = option(
        0.0, "Light that is everywhere, tissue or not.", low=0, high=1
    )
    stain: str = option("yellow", "A key of `STAINS`, such as yellow.")

    def __post_init__(self) -> None:
        """Check the bounds and the stain."""
        Options.__post_init__(self)
        if self.stain not in STAINS:
            raise InputError(
                f"Unknown stain {self.stain!r}; choose from {', '.join(STAINS)}."
            )


def synthesize_neurons(
    scene: NeuronScene | None = None, *, seed: int = 0
) -> tuple[NDArray[np.uint8], Labels]:
    """Draw one image of fluorescent neurons together with its exact truth.

    Parameters
    ----------
    scene : NeuronScene, optional
        What the image shows; the defaults resemble a 1600×1200 image at 20×.
    seed : int, optional
        The same seed and scene give the same image.

    Returns
    -------
    image : ndarray of shape (Y, X, 3), uint8
        RGB image.
    labels : ndarray of shape (Y, X), int32
        0 is background, 1..N the cells; touching cells have different labels. N can
        be less than `n_cells` when the image has no room for more.

    Notes
    -----
    Shapes and sizes follow the statistics of Morelli et al., Sci Rep 11:22920 (2021):
    equivalent diameter 36.5 px, minor axis 29 px, major axis 50 px.

    Examples
    --------
    >>> scene = NeuronScene(height=96, width=128, n_cells=3, diameter=16)
    >>> image, labels = synthesize_neurons(scene, seed=1)
    >>> image.shape, int(labels.max())
    ((96, 128, 3), 3)
    """
    scene = scene or NeuronScene()
    rng = np.random.default_rng(seed)
    inside = _tissue_extent(scene, rng)
    tissue = scene.tissue * inside * _uneven(scene, rng)
    light = np.zeros((scene.height, scene.width), np.float32)
    _add_bystanders(light, inside, scene, rng)
    _add_filaments(light, inside, scene, rng)
    _add_dotted(light, inside, scene, rng)
    labels = _add_cells(light, inside, scene, rng)
    return _expose(tissue, light, scene, rng), labels


def _smooth_noise(
    shape: tuple[int, int], sigma: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return Gaussian noise of the given grain, with zero mean and unit variance."""
    step = max(1, int(sigma / 2))
    coarse = [-(-side // step) + 3 for side in shape]
    noise = ndimage.gaussian_filter(
        rng.standard_normal(coarse, dtype=np.float32), sigma / step, mode="wrap"
    )
    noise = (noise - noise.mean()) / max(float(noise.std()), 1e-6)
    if step > 1:
        noise = ndimage.zoom(noise, step, order=1)
    cropped: NDArray[np.float32] = noise[: shape[0], : shape[1]]
    return cropped


def _tissue_extent(scene: NeuronScene, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return 1 inside the slice, 0 outside, with soft, wavy edges and a few holes."""
    shape = (scene.height, scene.width)
    extent = np.ones(shape, np.float32)
    if not scene.edge:
        return extent
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    size = float(np.hypot(*shape))
    along = (columns - shape[1] / 2) * np.cos(angle)
    along += (rows - shape[0] / 2) * np.sin(angle)
    along += 0.04 * size * _smooth_noise(shape, 0.12 * size, rng)
    softness = rng.uniform(0.1, 0.6) * scene.diameter
    offset = rng.uniform(0.15, 0.4) * size
    extent = 1 / (1 + np.exp(np.clip((along - offset) / softness, -30, 30)))
    holes = _smooth_noise(shape, 1.2 * scene.diameter, rng)
    extent *= 1 - 0.7 / (1 + np.exp(-(holes - 2.6) * 12))
    return np.asarray(extent, np.float32)


def _uneven(scene: NeuronScene, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the texture of tissue: shading, patches, fibers; mean about 1."""
    shape = (scene.height, scene.width)
    d = scene.diameter
    texture = np.exp(
        0.35 * _smooth_noise(shape, 8 * d, rng)
        + 0.18 * _smooth_noise(shape, 1.2 * d, rng)
        + 0.12 * _smooth_noise(shape, 0.3 * d, rng)
        + 0.10 * _smooth_noise(shape, 0.1 * d, rng)
    )
    return np.asarray(texture, np.float32)


def _soma(
    diameter: float, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Draw one cell: its light (about 1 in the body) and its true mask."""
    # The body is an ellipse with a wavy outline; processes taper away from it and
    # count as cell only near the body, as annotators draw it.
    size = diameter * float(np.clip(rng.lognormal(0, 0.22), 0.55, 1.7))
    elongation = float(np.clip(rng.lognormal(np.log(1.5), 0.25), 1, 2.8))
    reach = int(np.ceil(size * 1.9)) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    turn = rng.uniform(0, np.pi)
    u = x * np.cos(turn) + y * np.sin(turn)
    v = -x * np.sin(turn) + y * np.cos(turn)
    angle = np.arctan2(v, u)
    outline = np.ones_like(angle)
    for order in range(2, 6):
        swing = rng.normal(0, 0.24 / order)
        outline += swing * np.cos(order * angle + rng.uniform(0, 2 * np.pi))
    stretch = np.sqrt(elongation)
    radius = np.hypot(u / stretch, v * stretch) / (size / 2) / outline
    body = 1 / (1 + np.exp((radius - 1) * rng.uniform(4, 12)))
    processes = np.zeros_like(body)
    for _ in range(rng.integers(0, 4)):
        heading = rng.choice([0.0, np.pi]) + rng.normal(0, 0.5)
        forward = u * np.cos(heading) + v * np.sin(heading)
        bend = rng.normal(0, 0.12) * forward**2 / size
        sideways = -u * np.sin(heading) + v * np.cos(heading) + bend
        width = size * rng.uniform(0.05, 0.10)
        fade = np.exp(-np.maximum(forward, 0) / (size * rng.uniform(0.4, 0.9)))
        line = np.exp(-0.5 * (sideways / width) ** 2) * fade * (forward > 0)
        processes = np.maximum(processes, rng.uniform(0.3, 0.8) * line)
    grain = 1 + 0.18 * _smooth_noise(body.shape, 0.12 * size, rng)
    core = 0.7 + 0.8 * np.exp(-((radius / 0.7) ** 2))
    light = np.maximum(body * grain * core, processes).astype(np.float32)
    mask = (np.maximum(body, processes) > 0.5) & (radius < 1.35)
    return light, _largest_part(mask)


def _largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    largest: NDArray[np.bool_] = parts == 1 + np.argmax(np.bincount(parts.flat)[1:])
    return largest


def _overlap(
    shape: tuple[int, ...], patch: tuple[int, ...], center: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return where a patch around `center` lies in the image and in itself."""
    image_slices, patch_slices = [], []
    for side, length, middle in zip(shape, patch, center, strict=True):
        start = middle - length // 2
        low, high = max(start, 0), min(start + length, side)
        image_slices.append(slice(low, max(high, low)))
        patch_slices.append(slice(low - start, max(high, low) - start))
    return (image_slices[0], image_slices[1]), (patch_slices[0], patch_slices[1])


def _place(
    inside: NDArray[np.float32], rng: np.random.Generator
) -> tuple[int, int] | None:
    """Return a random place in the tissue, or None if there is hardly any."""
    for _ in range(50):
        row, column = (int(rng.integers(side)) for side in inside.shape)
        if inside[row, column] > 0.6:
            return row, column
    return None


def _cell_place(
    centers: list[tuple[int, int]],
    inside: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """Return a place for the next cell: beside another one, or anywhere."""
    if centers and rng.random() < scene.clumping:
        row, column = centers[rng.integers(len(centers))]
        angle = rng.uniform(0, 2 * np.pi)
        distance = scene.diameter * rng.uniform(0.85, 1.3)
        row += round(distance * np.sin(angle))
        column += round(distance * np.cos(angle))
        if 0 <= row < scene.height and 0 <= column < scene.width:
            return row, column
    return _place(inside, rng)


def _add_cells(
    light: NDArray[np.float32],
    inside: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> Labels:
    """Draw the cells of the truth into `light`; return their label image."""
    labels = np.zeros(light.shape, np.int32)
    centers: list[tuple[int, int]] = []
    for _ in range(8 * scene.n_cells):
        if len(centers) == scene.n_cells:
            break
        place = _cell_place(centers, inside, scene, rng)
        if place is None:
            break
        glow, mask = _soma(scene.diameter, rng)
        there, here = _overlap(light.shape, mask.shape, place)
        # A later cell hides nothing: it gets only free pixels, and is given up where
        # it would share more than a fifth of its area.
        free = mask[here] & (labels[there] == 0)
        if free.sum() < max(0.8 * mask[here].sum(), 0.5 * mask.sum()):
            continue
        centers.append(place)
        labels[there][_largest_part(free)] = len(centers)
        level = scene.brightness * float(np.clip(rng.lognormal(0, 0.35), 0.55, 2.2))
        soft = ndimage.gaussian_filter(glow, scene.diameter * rng.uniform(0.02, 0.06))
        soft += 0.25 * ndimage.gaussian_filter(glow, scene.diameter * 0.3)
        light[there] = np.maximum(light[there], level * soft[here])
    return labels


def _add_bystanders(
    light: NDArray[np.float32],
    inside: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> None:
    """Add cells that no annotator would count: out of focus, or in focus but faint."""
    for number in range(scene.n_unfocused + scene.n_faint):
        place = _place(inside, rng)
        if place is None:
            return
        glow, _ = _soma(scene.diameter * rng.uniform(0.4, 1.0), rng)
        is_blurred = number < scene.n_unfocused
        blur = rng.uniform(0.15, 0.5) if is_blurred else rng.uniform(0.02, 0.1)
        level = scene.brightness * rng.uniform(0.1, 0.5 if is_blurred else 0.35)
        soft = ndimage.gaussian_filter(glow, scene.diameter * blur)
        there, here = _overlap(light.shape, glow.shape, place)
        light[there] += (level * soft)[here]


def _mark(
    canvas: NDArray[np.float32],
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    strength: NDArray[np.float64],
) -> None:
    """Set single pixels; those outside of the canvas are left out."""
    keep = (rows >= 0) & (rows < canvas.shape[0])
    keep &= (columns >= 0) & (columns < canvas.shape[1])
    canvas[rows[keep], columns[keep]] = strength[keep]


def _add_filaments(
    light: NDArray[np.float32],
    inside: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> None:
    """Add thin bright threads: random walks with slowly turning direction."""
    canvas = np.zeros_like(light)
    for _ in range(scene.n_filaments):
        place = _place(inside, rng)
        if place is None:
            break
        steps = int(scene.diameter * rng.uniform(1.5, 8))
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(
            rng.normal(0, 1.2 / scene.diameter, steps)
        )
        rows = np.round(place[0] + np.cumsum(np.sin(heading))).astype(int)
        columns = np.round(place[1] + np.cumsum(np.cos(heading))).astype(int)
        beads = np.abs(_smooth_noise((steps, 1), 0.2 * scene.diameter, rng)[:, 0])
        strength = scene.brightness * rng.uniform(0.15, 0.9) * (0.4 + 0.6 * beads)
        _mark(canvas, rows, columns, strength)
    width = max(0.6, 0.04 * scene.diameter)
    light += ndimage.gaussian_filter(canvas, width) * (width * np.sqrt(2 * np.pi))


def _add_dotted(
    light: NDArray[np.float32],
    inside: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> None:
    """Add patches of bright dots, each far smaller than a cell."""
    canvas = np.zeros_like(light)
    for _ in range(scene.n_dotted):
        place = _place(inside, rng)
        if place is None:
            break
        count = int(rng.integers(1, 30))
        spread = scene.diameter * rng.uniform(0.4, 2.0)
        rows, columns = (
            np.round(rng.normal(middle, spread, count)).astype(int) for middle in place
        )
        strength = scene.brightness * rng.uniform(0.2, 1.8, count)
        _mark(canvas, rows, columns, strength)
    width = max(0.5, 0.05 * scene.diameter)
    light += ndimage.gaussian_filter(canvas, width) * (2 * np.pi * width**2)


def _expose(
    tissue: NDArray[np.float32],
    light: NDArray[np.float32],
    scene: NeuronScene,
    rng: np.random.Generator,
) -> NDArray[np.uint8]:
    """Mix the colors, add shot and read-out noise, quantize to 8 bits."""
    stain = np.array(STAINS[scene.stain], np.float32)
    tint = np.array(_TISSUE_TINTS[scene.stain], np.float32)
    if scene.blur:
        sigma = scene.blur * scene.diameter
        tissue, light = (ndimage.gaussian_filter(x, sigma) for x in (tissue, light))
    color = (tissue + scene.background)[..., None] * tint + light[..., None] * stain
    shot = rng.standard_normal(light.shape, dtype=np.float32)
    read = rng.standard_normal(color.shape, dtype=np.float32)
    grain = np.sqrt(0.0004 * np.maximum(color, 0))
    # Stains of pure color leave the other channels dark, noise included.
    color += grain * shot[..., None] + scene.noise * read * np.maximum(stain, 0.1)
    return np.round(np.clip(color, 0, 1) * 255).astype(np.uint8)
