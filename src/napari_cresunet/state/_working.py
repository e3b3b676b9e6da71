"""What every dock knows of the work it has started."""

from typing import TYPE_CHECKING, Any

from psygnal import Signal

if TYPE_CHECKING:
    from napari_cresunet.state._run import Progress


class Working:
    """The part of a dock's state that is about work under way, and what came of it."""

    run_changed = Signal()
    """Anything here changed, or whether the work may be started."""

    def __init__(self) -> None:
        self.is_running = False
        self.progress: Progress | None = None
        self.notice = ""
        """The last thing that the user should know."""
        self.is_failure = False
        """Whether `notice` tells of a failure."""

    def advance(self, progress: Any) -> None:
        """The work has come further.

        Parameters
        ----------
        progress : Progress
            From the generator; a dock may know more of its own.
        """
        self.progress = progress
        if progress.message:
            self.tell(progress.message)
        else:
            self.run_changed.emit()

    def fail(self, sentence: str) -> None:
        """The work has failed.

        Parameters
        ----------
        sentence : str
            What is wrong and what to do.
        """
        self._end(sentence, is_failure=True)

    def tell(self, sentence: str, *, is_failure: bool = False) -> None:
        """Show something that the user should know; the work goes on.

        Parameters
        ----------
        sentence : str
            What happened; empty for nothing.
        is_failure : bool, optional
            Whether something went wrong.
        """
        self.notice, self.is_failure = sentence, is_failure
        self.run_changed.emit()

    def _end(self, sentence: str, *, is_failure: bool = False) -> None:
        self.is_running, self.progress = False, None
        self.tell(sentence, is_failure=is_failure)
