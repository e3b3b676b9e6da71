"""CUDA: pixels go to the GPU as they are, and their probability comes back.

Scaling, channels, resampling and network all run there. Copies have streams of their
own, so that while one batch is computed the next one is on its way.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_cresunet.inference._cuda_network import prepared, recorded
from napari_cresunet.inference._devices import import_torch
from napari_cresunet.inference._pieces import (
    Piece,
    Preparation,
    entered,
    left,
    scaled_there,
    to_send,
)
from napari_cresunet.inference._runners import TorchRunner

if TYPE_CHECKING:
    from torch import Tensor, nn

MOST = 16
"""Tiles of a batch at most."""
GRAPH_PIXELS = 2_000_000
"""px of a batch up to which its kernels are recorded and launched as one."""
GRAPH_BYTES = 5000
"""Bytes that must be free for each of these px, as a recording holds its memory."""
RECORD_AT = 3
"""A shape is recorded when it comes for this time: the first would lose by it."""
GRAPHS = 4
"""Shapes that are recorded at a time; each one holds memory."""
CONSTANTS = 32
"""Positions and resampling matrices that are kept on the GPU."""
_LAUNCHING = threading.Lock()
"""Settings of cuDNN belong to the process, not to a thread."""
logger = logging.getLogger(__name__)


class CudaRunner(TorchRunner):
    """A network on a GPU; runs batches one after the other without a gap.

    Parameters
    ----------
    network : Module
        In evaluation mode, on `device`, in float32.
    device : str
        "cuda", "cuda:1" and so on. On "cpu" the same is done without streams.
    precision : str, optional
        "full" (float32, not TF32: the CPU's numbers to 1e-4) or "half" (float16).

    Notes
    -----
    May be used from several threads; copying and waiting release the interpreter.
    """

    most = MOST

    def __init__(
        self, network: "nn.Module", device: str, precision: str = "full"
    ) -> None:
        super().__init__(network, device)
        self.precision = precision
        self._streams = Streams(device)
        self._compute = prepared(network, precision)
        self._graphs: dict[tuple[int, ...], Callable[[Tensor], Tensor]] = {}
        self._seen: dict[tuple[int, ...], int] = {}
        self._constants: dict[Any, Tensor] = {}

    def run(self, batch: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Run the network on prepared inputs; see `Runner`."""
        torch = import_torch()
        with _settled(), self._streams.computing():
            inputs = torch.from_numpy(np.stack(batch)).to(self.device)
            output: NDArray[np.float32] = self._network(inputs)[:, 0].cpu().numpy()
        return list(output)

    def start(self, pieces: Sequence[Piece], preparation: Preparation) -> "Flight":
        """Begin with a batch and return at once.

        Parameters
        ----------
        pieces : sequence of Piece
            Whose inputs to the network have one shape.
        preparation : Preparation
            Of the image.

        Returns
        -------
        Flight
            Whose `land` waits for the probability.

        Notes
        -----
        Where memory runs out, the error is one that `is_out_of_memory` knows.
        """
        torch = import_torch()
        # Outside of the lock: other threads copy their pixels meanwhile.
        packed = [self._pack(to_send(piece, preparation)) for piece in pieces]
        with _settled():
            with self._streams.sending():
                sent = [one.to(self.device, non_blocking=True) for one in packed]
            with self._streams.computing(sent):
                inputs = [
                    self._enter(pixels.movedim(-1, 0), piece, preparation)
                    for pixels, piece in zip(sent, pieces, strict=True)
                ]
                output = self._network(torch.stack(inputs))[:, 0]
                results = [
                    self._leave(one, piece)
                    for one, piece in zip(output, pieces, strict=True)
                ]
                results.append(torch.isfinite(output).all())
            with self._streams.receiving(results):
                received = [self._receive(one) for one in results]
                done = self._streams.mark()
        return Flight(received, done, lambda: self._again(pieces, preparation))

    def _pack(self, pixels: NDArray[Any]) -> "Tensor":
        """Copy pixels, as they lie in memory, to where a GPU can fetch them."""
        torch = import_torch()
        rows = np.moveaxis(pixels, 0, -1)
        kind = torch.from_numpy(np.empty(0, pixels.dtype)).dtype
        packed = self._pinned(rows.shape, kind)
        np.copyto(packed.numpy(), rows)
        return packed

    def _pinned(self, shape: tuple[int, ...], kind: Any) -> "Tensor":
        """Return memory of the host from which copies need not be waited for."""
        pinned: Tensor = import_torch().empty(
            shape, dtype=kind, pin_memory=self._streams.are_real
        )
        return pinned

    def _receive(self, values: "Tensor") -> "Tensor":
        """Copy a result to the host."""
        received = self._pinned(values.shape, values.dtype)
        return received.copy_(values, non_blocking=True)

    def _enter(
        self, pixels: "Tensor", piece: Piece, preparation: Preparation
    ) -> "Tensor":
        """Scale pixels and bring them to the network's grid."""
        channels = scaled_there(pixels, piece.pixels.dtype, preparation)
        if piece.rows.exit is not None:
            return self._resample(channels, piece.rows.entry, piece.columns.entry)
        rows = self._positions(piece.rows.entry)
        columns = self._positions(piece.columns.entry)
        extended: Tensor = channels[:, rows[:, np.newaxis], columns]
        return extended

    def _leave(self, output: "Tensor", piece: Piece) -> "Tensor":
        """Bring the network's output back to the image's grid."""
        kept = output[piece.rows.keep, piece.columns.keep]
        if piece.rows.exit is None:
            return kept.contiguous()
        back = self._resample(kept, piece.rows.exit, piece.columns.exit)
        return back.clamp_(0, 1)  # rounding may go beyond

    def _resample(self, channels: "Tensor", rows: Any, columns: Any) -> "Tensor":
        """Resample both axes; on a GPU full matrices are faster than sparse ones."""
        resampled: Tensor = self._matrix(rows) @ channels @ self._matrix(columns).T
        return resampled

    def _matrix(self, sparse: Any) -> "Tensor":
        parts = (sparse.data, sparse.indices, sparse.indptr)
        key = (sparse.shape, *(part.tobytes() for part in parts))
        return self._constant(key, sparse.toarray)

    def _positions(self, positions: NDArray[np.int64]) -> "Tensor":
        return self._constant(positions.tobytes(), lambda: positions)

    def _constant(self, key: Any, make: Callable[[], NDArray[Any]]) -> "Tensor":
        """Return an array on the GPU that many images need."""
        known = self._constants.get(key)
        if known is None:
            if len(self._constants) >= CONSTANTS:
                self._constants.clear()
            packed = self._pack(make()[np.newaxis])
            known = packed.to(self.device, non_blocking=True)[..., 0]
            self._constants[key] = known
        return known

    def _network(self, inputs: "Tensor") -> "Tensor":
        """Run the network, from a recording where the shape came often enough."""
        torch = import_torch()
        shape = tuple(inputs.shape)
        if not self._streams.are_real or inputs[:, 0].numel() > GRAPH_PIXELS:
            return self._compute(inputs)
        if shape not in self._graphs:
            self._seen[shape] = self._seen.get(shape, 0) + 1
            is_soon = self._seen[shape] < RECORD_AT
            if is_soon or not self._has_room(inputs[:, 0].numel()):
                return self._compute(inputs)
            if len(self._graphs) >= GRAPHS:
                torch.cuda.synchronize(self.device)
                del self._graphs[next(iter(self._graphs))]
            self._graphs[shape] = recorded(self._compute, inputs)
        return self._graphs[shape](inputs)

    def _has_room(self, pixels: int) -> bool:
        """Tell whether a recording would leave enough memory."""
        free, _ = import_torch().cuda.mem_get_info(self.device)
        return bool(free >= GRAPH_BYTES * pixels)

    def _again(
        self, pieces: Sequence[Piece], preparation: Preparation
    ) -> list[NDArray[np.float32]]:
        """Compute a batch in float32, because float16 does not reach far enough."""
        logger.warning("Half precision overflowed: went on in full precision.")
        full = TorchRunner(self.network, self.device)
        found = []
        for piece in pieces:
            with _settled():  # other threads may be launching
                (output,) = full.run([entered(piece, preparation)])
            found.append(left(piece, output))
        return found


class Flight:
    """A batch on its way."""

    def __init__(
        self,
        received: "list[Tensor]",
        done: Any,
        again: Callable[[], list[NDArray[np.float32]]],
    ) -> None:
        self._received = received
        self._done = done
        self._again = again

    def land(self) -> list[NDArray[np.float32]]:
        """Wait for the batch.

        Returns
        -------
        list of ndarray of float32, shape (Y, X)
            Probability, one for each piece.
        """
        if self._done is not None:
            self._done.synchronize()
        *values, is_finite = self._received
        return [one.numpy() for one in values] if is_finite else self._again()


class Streams:
    """Three queues of a GPU: to it, on it, from it; none on the CPU."""

    def __init__(self, device: str) -> None:
        self.are_real = device.startswith("cuda")
        self._device = device
        self._to, self._on, self._from = (
            import_torch().cuda.Stream(device) if self.are_real else None
            for _ in range(3)
        )

    def sending(self) -> AbstractContextManager[Any]:
        """Put what follows on the way to the GPU; it waits for nothing."""
        return self._using(self._to)

    def computing(self, sent: "Sequence[Tensor]" = ()) -> AbstractContextManager[Any]:
        """Let the GPU compute what follows, when what was sent is there."""
        return self._using(self._on, self._to, sent)

    def receiving(self, results: "Sequence[Tensor]") -> AbstractContextManager[Any]:
        """Put what follows on the way back, when the results are there."""
        return self._using(self._from, self._on, results)

    def mark(self) -> Any:
        """Return an event behind all that was put on the current stream."""
        if not self.are_real:
            return None
        event = import_torch().cuda.Event()
        event.record()
        return event

    def _using(
        self, stream: Any, before: Any = None, used: "Sequence[Tensor]" = ()
    ) -> AbstractContextManager[Any]:
        if not self.are_real:
            return nullcontext()
        if before is not None:
            stream.wait_stream(before)
        for one in used:
            # Its memory is not given to others before this stream is done with it.
            one.record_stream(stream)
        context: AbstractContextManager[Any] = import_torch().cuda.stream(stream)
        return context


@contextmanager
def _settled() -> Iterator[None]:
    """Compute without gradients and without TF32, which would cost three digits."""
    torch = import_torch()
    cudnn = torch.backends.cudnn
    with (
        _LAUNCHING,
        torch.inference_mode(),
        cudnn.flags(enabled=True, allow_tf32=False),
    ):
        yield
