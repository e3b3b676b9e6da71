"""All settings of a training, in one frozen object that goes into JSON."""

from dataclasses import dataclass

from napari_cresunet.config import Options, option
from napari_cresunet.errors import InputError
from napari_cresunet.models import get_variant
from napari_cresunet.weights import CHANNELS, SCALINGS

CROP_MULTIPLE = 16
"""The largest stride of the networks."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig(Options):
    """Settings of `train`; the defaults are those of Morelli et al. (2021).

    Raises
    ------
    InputError
        If a value is out of its bounds or not among the choices.

    Examples
    --------
    >>> config = TrainConfig(variant="attention-elu", epochs=45)
    >>> TrainConfig.from_dict(config.to_dict()) == config
    True
    """

    name: str = option("my-model", "What the new model is called by.")
    title: str = option("", "What it is called in lists; the name if empty.")
    variant: str = option("c-resunet", "The network, a key of `models.VARIANTS`.")
    start: str = option(
        "", "Model to go on from, by name or file; random weights if empty."
    )
    freeze_encoder: bool = option(
        False, "Whether only bridge, decoder and head learn; needs a `start`."
    )

    scaling: str = option(
        "unit", "How pixels become input: unit or adaptive.", choices=SCALINGS
    )
    channels: str = option(
        "rgb", "What is seen of color: rgb or brightest.", choices=CHANNELS
    )
    diameter: float = option(
        0.0,
        "Images are resampled so that cells have this diameter; 0 leaves them as "
        "they are.",
        unit="px",
        low=0,
        high=500,
    )
    largest_diameter: float = option(
        0.0,
        "Images whose cells lie between `diameter` and this are left as they are, "
        "larger ones shrink to this; at 0 all cells get the one diameter.",
        unit="px",
        low=0,
        high=500,
    )

    crop_size: int = option(512, "Side of a crop.", unit="px", low=32, high=4096)
    crop_step: int = option(
        400, "Distance between crops on an image's grid.", unit="px", low=8
    )
    subset: int = option(
        0, "Crops to learn from, chosen once at random; 0 takes all.", low=0
    )
    samples: int = option(
        0, "Crops in an epoch, drawn anew at random; 0 takes each crop once.", low=0
    )
    cell_repeats: int = option(
        1, "How often a crop that holds a cell is repeated.", low=1, high=100
    )
    artifact_repeats: int = option(
        1, "How often a crop that holds an artifact is repeated.", low=1, high=100
    )

    shift: float = option(
        0.0, "Largest shift, in parts of a crop's side.", low=0, high=1
    )
    flip: bool = option(False, "Whether crops are mirrored at random.")
    zoom: float = option(
        1.0, "Zoomed by a factor between 1/zoom and zoom.", low=1, high=4
    )
    rotation: float = option(
        0.0, "Largest turn to either side.", unit="°", low=0, high=180
    )
    elastic: float = option(
        0.0, "Standard deviation of the elastic deformation.", unit="px", low=0, high=50
    )
    brightness: float = option(
        1.0, "Multiplied by between 1/brightness and brightness.", low=1, high=10
    )
    contrast: float = option(
        1.0,
        "Differences from the crop's mean are multiplied by between 1/contrast and "
        "contrast.",
        low=1,
        high=10,
    )
    noise: float = option(
        0.0, "Largest standard deviation of added noise.", low=0, high=1
    )

    weight_maps: bool = option(
        False, "Whether pixels between close cells weigh more than others."
    )
    weight_sigma: float = option(
        25.0,
        "Reach of a cell in the weight map, at a cell diameter of 36.5 px.",
        unit="px",
        low=0.5,
        high=500,
    )
    positive_weight: float = option(
        1.5, "Weight of cell pixels in the cross-entropy.", low=0
    )
    negative_weight: float = option(
        0.5, "Weight of background pixels in the cross-entropy.", low=0
    )
    touching_weight: float = option(
        1.0,
        "Weight of pixels where two cells touch is multiplied by this.",
        low=1,
        high=100,
    )
    cross_entropy: float = option(1.0, "Share of the weighted cross-entropy.", low=0)
    dice: float = option(0.0, "Share of the Dice loss.", low=0)
    focal: float = option(0.0, "Share of the focal loss.", low=0)
    focal_tversky: float = option(0.0, "Share of the focal Tversky loss.", low=0)

    optimizer: str = option("adam", "adam or sgd.", choices=("adam", "sgd"))
    learning_rate: float = option(1e-4, "Learning rate at the start.", low=0, high=10)
    momentum: float = option(0.9, "Momentum of sgd.", low=0, high=1)
    batch_size: int = option(8, "Crops in a batch.", low=1)
    epochs: int = option(200, "Largest number of epochs.", low=1)
    schedule: str = option(
        "plateau",
        "The learning rate falls on a plateau of the validation loss, or, with "
        "decay, evenly to 0.",
        choices=("plateau", "decay"),
    )
    stop_patience: int = option(
        20, "Epochs without a better model before the training ends.", low=1
    )
    monitor: str = option(
        "loss",
        "The best model is that of the least validation loss, or highest f1.",
        choices=("loss", "f1"),
    )
    averaging: float = option(
        0.0,
        "Part of the running mean of the weights that a batch keeps; 0 takes the "
        "weights as they are.",
        low=0,
        high=0.99999,
    )
    precision: str = option(
        "auto",
        "auto (16 bits on CUDA, else float32), float32, bfloat16 or float16.",
        choices=("auto", "float32", "bfloat16", "float16"),
    )
    validation: float = option(
        0.2, "Part of the images held out when none are given.", low=0.01, high=0.9
    )
    match_distance: float = option(
        0.0,
        "Largest distance of matching centers; 0 is 40 px at a cell diameter of "
        "36.5 px.",
        unit="px",
        low=0,
    )
    seed: int = option(0, "Seed of weights, crops and augmentation.", low=0)

    data: str = option("", "What it is trained on, for the model card.")
    license: str = option("", "On what terms the weights may be used.")
    citation: str = option("", "What to cite.")

    @property
    def diameters(self) -> tuple[float, float] | None:
        """Smallest and largest cell in px that is seen; None: images stay as are."""
        if not self.diameter:
            return None
        return self.diameter, max(self.diameter, self.largest_diameter)

    def __post_init__(self) -> None:
        """Check bounds and choices."""
        Options.__post_init__(self)
        get_variant(self.variant)
        if self.crop_size % CROP_MULTIPLE:
            raise InputError(
                f"`crop_size` must be a multiple of {CROP_MULTIPLE}, as the networks "
                f"need it, got {self.crop_size}."
            )
        if not (self.cross_entropy or self.dice or self.focal or self.focal_tversky):
            raise InputError("All shares of the loss are 0; give one of them a share.")
        if self.freeze_encoder and not self.start:
            raise InputError(
                "A frozen encoder needs a model to start from; name one in `start`."
            )
