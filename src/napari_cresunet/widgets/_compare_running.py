"""The middle of the dock Compare models: Run, Cancel, how far all models are."""

from typing import Any

from napari_cresunet.state import CompareProgress, CompareState
from napari_cresunet.widgets._running import RunBar


class ComparingPart(RunBar):
    """The primary button and everything that is said of a run."""

    def __init__(self, state: CompareState) -> None:
        super().__init__(state, "cresunet_compare_run")
        self.cancel.setToolTip(
            "<qt>Stop after the tile that is being predicted. Models that are done "
            "stay.</qt>"
        )
        state.choices_changed.connect(self.render)

    def render(self) -> None:
        """Show the state of the run."""
        n_models = len(self._state.chosen_cards)
        self.run.setText(f"Run {n_models} models" if n_models > 1 else "Run")
        super().render()

    def _explanation(self) -> str:
        return (
            "<qt>Run the ticked models one after the other. Models that were run on "
            "this image before stay in the table.</qt>"
        )

    def _progress(self) -> Any:
        progress = self._state.progress
        is_of_one = isinstance(progress, CompareProgress)
        return progress.overall if is_of_one else progress

    def _text(self) -> str:
        if self._state.progress is None and self._state.is_outdated:
            return "The table is from before you changed the cell diameter: press Run."
        return super()._text()
