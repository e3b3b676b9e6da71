"""What is left to look at, and where in it the user is."""

from collections.abc import Callable, Collection

from psygnal import Signal

from napari_cresunet.state._correct_review import ReviewOrder
from napari_cresunet.state._spots import Spot


class ReviewQueue:
    """Cells to look at one after the other, in an order that stays as it is.

    Who is done with a cell finds the next one marked, wherever the first has gone.

    Parameters
    ----------
    look : callable
        Returns the labels of all cells, and of those that were looked at.
    """

    changed = Signal()
    """Other cells are listed, or another one is marked."""

    def __init__(
        self, look: Callable[[], tuple[Collection[int], Collection[int]]]
    ) -> None:
        self._look = look
        self.order: ReviewOrder | None = None
        """None while it is being found."""
        self.is_unreviewed_only = True
        self.cells: tuple[int, ...] = ()
        """Labels of the cells that are listed."""
        self.marked = -1
        """Place in `cells` of the one that is marked; -1 for none."""
        self.current = 0
        """Label of the cell that the user looks at; 0 if the walk has not come to the
        marked one yet."""

    @property
    def spots(self) -> list[Spot]:
        """Where the cells are that are listed."""
        if self.order is None:
            return []
        place = dict(zip(self.order.cells, self.order.spots, strict=True))
        return [place[cell] for cell in self.cells]

    @property
    def is_done(self) -> bool:
        """Whether there were cells to look at, and all have been."""
        return self.order is not None and bool(self.order.cells) and not self.cells

    def begin(self, order: ReviewOrder | None) -> None:
        """Take another order, and begin at its first cell.

        Parameters
        ----------
        order : ReviewOrder or None
            None while it is being found.
        """
        self.order, self.cells, self.marked, self.current = order, (), -1, 0
        self.cells = self._listed()
        self.changed.emit()

    def show_unreviewed(self, is_only: bool) -> None:
        """List the cells alone that nobody has looked at, or all.

        Parameters
        ----------
        is_only : bool
            Whether only they are.
        """
        self.is_unreviewed_only = is_only
        self.refresh()

    def refresh(self) -> None:
        """List what there is now, and mark what was marked, or else what follows."""
        cells = self._listed()
        if cells == self.cells:
            return
        self.marked = self._mark_in(cells)
        self.cells = cells
        if self.marked < 0 or cells[self.marked] != self.current:
            self.current = 0
        self.changed.emit()

    def _listed(self) -> tuple[int, ...]:
        if self.order is None:
            return ()
        cells, reviewed = (frozenset(labels) for labels in self._look())
        left = cells - reviewed if self.is_unreviewed_only else cells
        return tuple(cell for cell in self.order.cells if cell in left)

    def _mark_in(self, cells: tuple[int, ...]) -> int:
        """Return which of other cells is marked from now on; -1 for none."""
        if self.marked < 0:
            return -1
        place = {cell: number for number, cell in enumerate(cells)}
        later = self.cells[self.marked :] + self.cells[: self.marked]
        return next((place[cell] for cell in later if cell in place), -1)

    def visit(self, number: int) -> int:
        """Look at a cell.

        Parameters
        ----------
        number : int
            Its place in the list.

        Returns
        -------
        int
            Its label.
        """
        self.marked, self.current = number, self.cells[number]
        return self.current
