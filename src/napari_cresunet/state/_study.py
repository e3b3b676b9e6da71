"""Opening studies, and those that a process left without closing them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from napari_cresunet.state._run import Progress, as_progress
from napari_cresunet.state._study_saving import StudySaver, describe_age
from napari_cresunet.state._working import Working
from napari_cresunet.studies import (
    ImageReference,
    StudyContent,
    Unclosed,
    check_image,
    discard_study,
    find_unclosed,
    iter_image_hash,
    read_study,
)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class ImageCandidate:
    """An image of the viewer that may be the one of a study."""

    identity: str
    """Tells its layer from all others."""
    pixels: Any


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class OpenedStudy:
    """A study that was read, and the image that belongs to it, if it is found."""

    folder: Path
    content: StudyContent
    identity: str = ""
    """Of the image's layer; empty if there is none."""
    warning: str = ""
    """What is wrong with the image, as a sentence."""


class StudyState(Working):
    """What the dock shows of studies: whether it is saved, and what can be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.saver: StudySaver | None = None
        """Of the labels that are corrected; None if there are none."""
        self.unclosed: list[Unclosed] = []
        """Studies that a process left behind, the latest first."""
        self.waiting: OpenedStudy | None = None
        """A study whose image is nowhere; the user is asked for it."""

    @property
    def offer(self) -> str:
        """The sentence that offers the latest study left behind; empty for none."""
        if not self.unclosed:
            return ""
        study = self.unclosed[0]
        edits = f"{study.n_edits:,} corrections" if study.n_edits else "no correction"
        edits = "1 correction" if study.n_edits == 1 else edits
        more = len(self.unclosed) - 1
        others = f" So {'was' if more == 1 else 'were'} {more} more." if more else ""
        age = describe_age(study.age)
        return f"{study.name!r} was left open {age}, with {edits}.{others}"

    @property
    def question(self) -> str:
        """The sentence that asks for an image; empty if none is needed."""
        if self.waiting is None:
            return ""
        image = self.waiting.content.image
        if self.waiting.warning:
            return self.waiting.warning
        if image is None:
            return ""
        place = "" if image.path is None else f" It was {image.path}."
        return f"Where is the image {image.name!r} of this study?{place}"

    def refresh(self) -> None:
        """Look again which studies were left behind."""
        self.unclosed = find_unclosed()
        self.run_changed.emit()

    def discard(self, study: Unclosed) -> None:
        """Delete a study that was left behind; an error if that fails.

        Parameters
        ----------
        study : Unclosed
            One of `unclosed`.
        """
        try:
            discard_study(study.folder)
        finally:
            self.refresh()

    def follow(self, saver: StudySaver | None) -> None:
        """Other labels are corrected.

        Parameters
        ----------
        saver : StudySaver or None
            Theirs.
        """
        self.saver = saver
        self.run_changed.emit()

    def begin(self) -> None:
        """A study is being opened."""
        self.is_running = True
        self.tell("Opening the study…")

    def end(self, warning: str = "") -> None:
        """A study is open, or cannot be opened before something is asked.

        Parameters
        ----------
        warning : str, optional
            What the user should know of it, as a sentence.
        """
        self._end(warning, is_failure=bool(warning))

    def ask(self, opened: OpenedStudy | None) -> None:
        """Ask for the image of a study, or no longer.

        Parameters
        ----------
        opened : OpenedStudy or None
            The study.
        """
        self.waiting = opened
        self.run_changed.emit()


def iter_open_study(
    folder: Path, candidates: Sequence[ImageCandidate]
) -> Generator[Progress, None, OpenedStudy]:
    """Read a study, and look for its image.

    Parameters
    ----------
    folder : Path
        Its folder, or the study.json in it.
    candidates : sequence of ImageCandidate
        The images of the viewer.

    Yields
    ------
    Progress
        Between parts of images.

    Returns
    -------
    OpenedStudy
        With the image whose content is the same, if it is there.

    Raises
    ------
    InputError
        If the study cannot be read; nothing is changed.
    """
    yield Progress(text="Opening the study…")
    content = read_study(folder)
    place = folder if folder.is_dir() else folder.parent
    opened = OpenedStudy(folder=place, content=content)
    match = yield from iter_match_image(opened, candidates)
    return opened if match.warning else match


def iter_match_image(
    opened: OpenedStudy, candidates: Sequence[ImageCandidate]
) -> Generator[Progress, None, OpenedStudy]:
    """Look for the image of a study.

    Parameters
    ----------
    opened : OpenedStudy
        The study.
    candidates : sequence of ImageCandidate
        Images, the most likely one first.

    Yields
    ------
    Progress
        Between parts of images.

    Returns
    -------
    OpenedStudy
        With the image whose content is the same; else with the first on which the
        labels lie, or none, and a warning.
    """
    reference, found = opened.content.image, None
    if reference is None:
        return opened
    for one in candidates:
        warning = check_image(reference, one.pixels, found=reference.hash or None)
        if not warning and reference.hash:
            steps = iter_image_hash(one.pixels)
            seen = yield from as_progress(steps, "Comparing images…")
            warning = check_image(reference, one.pixels, found=seen)
        if not warning and reference.hash:
            return _with(opened, one.identity, "")
        fits = _has_room(reference, one.pixels)
        if found is None or (fits and not found.identity):
            found = _with(opened, one.identity if fits else "", warning)
    return found or opened


def _has_room(reference: ImageReference, pixels: Any) -> bool:
    """Tell whether an image is as large as the one that was corrected."""
    return tuple(pixels.shape) == reference.shape


def _with(opened: OpenedStudy, identity: str, warning: str) -> OpenedStudy:
    return replace(opened, identity=identity, warning=warning)
