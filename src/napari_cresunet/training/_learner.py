"""The network that learns, with all that changes while it does."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from napari_cresunet.errors import InputError
from napari_cresunet.models import get_variant
from napari_cresunet.training._augmentation import Batch
from napari_cresunet.training._config import TrainConfig
from napari_cresunet.training._distributed import Processes, spread
from napari_cresunet.training._history import EpochRecord
from napari_cresunet.training._losses import total_loss
from napari_cresunet.training._memory import layout_for
from napari_cresunet.weights import find_weights, load_network

# Morelli et al. (2021), released code.
PLATEAU_FACTOR, PLATEAU_PATIENCE, LOWEST_RATE = 0.7, 5, 9e-8
_ENCODER = ("color", "encoder")


class _Logits(nn.Module):
    """A network whose forward pass gives logits, as DistributedDataParallel needs."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        logits: Tensor = self.network.logits(image)  # type: ignore[operator]
        return logits


@dataclass(slots=True)
class Progress:
    """How far a training is; goes into JSON."""

    epoch: int = 0
    """Epochs finished."""
    batch: int = 0
    """Batches of the epoch under way that are finished."""
    loss_sum: float = 0.0
    """Of these batches."""
    seconds: float = 0.0
    """Up to the last checkpoint."""
    history: list[EpochRecord] = field(default_factory=list)
    best_epoch: int = 0
    """0 while there is none."""

    @property
    def best(self) -> EpochRecord | None:
        """The record of the best epoch."""
        return self.history[self.best_epoch - 1] if self.best_epoch else None


class Learner:
    """Network, optimizer, schedule and running mean of one training.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    processes : Processes
        Where this process stands.
    """

    def __init__(self, config: TrainConfig, processes: Processes) -> None:
        self.config = config
        self.processes = processes
        network = first_network(config).to(processes.device)
        layout = layout_for(processes.device)
        self.network = network.to(memory_format=layout)  # type: ignore[call-overload]  # torch's stubs lack memory_format
        if config.freeze_encoder:
            _freeze_encoder(self.network)
        self.module = spread(_Logits(self.network), processes)
        self.optimizer = _optimizer(self.network, config)
        self.plateau = ReduceLROnPlateau(
            self.optimizer,
            factor=PLATEAU_FACTOR,
            patience=PLATEAU_PATIENCE,
            min_lr=LOWEST_RATE,
        )
        self.average = (
            AveragedModel(
                self.network,
                multi_avg_fn=get_ema_multi_avg_fn(config.averaging),  # type: ignore[no-untyped-call]  # torch leaves it untyped
                use_buffers=True,
            )
            if config.averaging
            else None
        )
        self.dtype = _dtype(config.precision, processes.device)
        self.scaler = torch.amp.GradScaler(
            torch.device(processes.device).type, enabled=self.dtype == torch.float16
        )
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        """State of the best network so far, on the CPU."""

    @property
    def shown(self) -> nn.Module:
        """The network that is validated and kept: the running mean, if there is one."""
        return self.network if self.average is None else self.average.module

    @property
    def learning_rate(self) -> float:
        """The rate in force."""
        return float(self.optimizer.param_groups[0]["lr"])

    def learn(self, batch: Batch) -> float:
        """Take one step of the optimizer.

        Parameters
        ----------
        batch : Batch
            On the device.

        Returns
        -------
        float
            The loss; if it is not finite, nothing was learned.
        """
        self.network.train()
        if self.config.freeze_encoder:
            _hold_encoder(self.network)
        self.optimizer.zero_grad(set_to_none=True)
        device = torch.device(self.processes.device).type
        is_mixed = self.dtype != torch.float32
        with torch.autocast(device, self.dtype, enabled=is_mixed):
            logits = self.module(batch.image)
        loss = total_loss(logits, batch.target, batch.weight, self.config)
        value = float(loss.detach())
        if not isfinite(value):
            return value
        self.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return value

    def set_rate(self, part: float) -> None:
        """Set the learning rate to a part of the first one."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.learning_rate * part

    def keep_best(self, record: EpochRecord) -> bool:
        """Remember the network if its epoch is the best so far.

        Parameters
        ----------
        record : EpochRecord
            The epoch that just ended; appended to the history.

        Returns
        -------
        bool
            Whether it is the best.
        """
        before = self.progress.best
        self.progress.history.append(record)
        if before is not None and not _is_better(record, before, self.config.monitor):
            return False
        self.progress.best_epoch = record.epoch
        self.best = {
            name: value.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, value in self.shown.state_dict().items()
        }
        return True

    def best_network(self) -> nn.Module:
        """Return the best network so far, on the CPU, in evaluation mode."""
        network = get_variant(self.config.variant).build_empty()
        state = {name: value.clone() for name, value in self.best.items()}
        network.load_state_dict(state, assign=True)
        return network.eval()


def first_network(config: TrainConfig) -> nn.Module:
    """Return the network to begin with.

    Parameters
    ----------
    config : TrainConfig
        Names the variant, the seed, and the model to start from, if any.

    Returns
    -------
    Module
        On the CPU. The same seed gives the same weights; the global random state of
        torch stays as it was.

    Raises
    ------
    InputError
        If the model to start from is of another variant.
    """
    if not config.start:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            fresh: nn.Module = get_variant(config.variant).build()
        return fresh
    card, network = load_network(find_weights(config.start))
    if card.variant != config.variant:
        raise InputError(
            f"{card.name} is a {card.variant}, not a {config.variant}; start from a "
            f"model of that network, or train a {card.variant}."
        )
    return network


def _optimizer(network: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    learning = [value for value in network.parameters() if value.requires_grad]
    if config.optimizer == "sgd":
        return torch.optim.SGD(
            learning, lr=config.learning_rate, momentum=config.momentum
        )
    return torch.optim.Adam(learning, lr=config.learning_rate)


def _encoder_parts(network: nn.Module) -> list[nn.Module]:
    return [
        child for name, child in network.named_children() if name.startswith(_ENCODER)
    ]


def _freeze_encoder(network: nn.Module) -> None:
    """Keep the weights before the bridge as they are."""
    for part in _encoder_parts(network):
        part.requires_grad_(requires_grad=False)


def _hold_encoder(network: nn.Module) -> None:
    """Keep the statistics of batch norm before the bridge, too."""
    for part in _encoder_parts(network):
        part.eval()


def _dtype(precision: str, device: str) -> torch.dtype:
    """Return the number format of the forward pass."""
    if precision != "auto":
        named: Mapping[str, torch.dtype] = {
            "float32": torch.float32,
            "bfloat16": torch.bfloat16,
            "float16": torch.float16,
        }
        return named[precision]
    # On processors without units for it 16 bits are ten times slower, not faster.
    if not device.startswith("cuda"):
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16


def _is_better(record: EpochRecord, best: EpochRecord, monitor: str) -> bool:
    if monitor == "f1":
        new, old = (-1.0 if x.f1 != x.f1 else x.f1 for x in (record, best))
        return new > old or (
            new == old and record.validation_loss < best.validation_loss
        )
    return record.validation_loss < best.validation_loss


def optimizer_tensors(learner: Learner) -> dict[str, Tensor]:
    """Return what the optimizer remembers, by name."""
    state: dict[int, dict[str, Any]] = learner.optimizer.state_dict()["state"]
    return {
        f"{index}.{key}": value
        for index, values in state.items()
        for key, value in values.items()
        if isinstance(value, Tensor)
    }


def restore_optimizer(
    learner: Learner, tensors: Mapping[str, Tensor], rate: float
) -> None:
    """Give the optimizer back what it remembered.

    Parameters
    ----------
    learner : Learner
        Freshly made.
    tensors : mapping of str to Tensor
        From `optimizer_tensors`.
    rate : float
        Learning rate in force.
    """
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        index, key = name.split(".")
        state.setdefault(int(index), {})[key] = value
    groups = learner.optimizer.state_dict()["param_groups"]
    for group in groups:
        group["lr"] = rate
    learner.optimizer.load_state_dict({"state": state, "param_groups": groups})
