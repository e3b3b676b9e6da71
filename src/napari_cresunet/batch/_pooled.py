"""Images that the workers of a cluster count, one a task."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial

from napari_cresunet.batch._journal import Journal
from napari_cresunet.batch._pipeline import Event, Settle, Slides, told
from napari_cresunet.batch._pools import Pool
from napari_cresunet.batch._reading import Outcome, Task
from napari_cresunet.batch._stages import (
    CannotWriteError,
    Setting,
    UnusableModelError,
    count_whole,
    error_text,
    spoils_all,
)


def iter_pooled(
    tasks: Iterable[Task], setting: Setting, settle: Settle, slides: Slides, pool: Pool
) -> Generator[Event, None, None]:
    """Count images on the workers of a pool; what came of each is noted here.

    Parameters
    ----------
    tasks : iterable of Task
        The images.
    setting : Setting
        Where and what is written; workers get it without what the journal knows.
    settle : callable
        Notes what came of an image.
    slides : callable
        Counts an image that is larger than memory, with all workers.
    pool : Pool
        The workers.

    Yields
    ------
    Event
        When something happens, and now and then.

    Raises
    ------
    CannotWriteError
        If nothing can be written any more.
    UnusableModelError
        If a worker cannot use the model.
    """
    large: list[Task] = []
    begun: list[Task] = []
    plain = Setting(Journal(setting.journal.output), setting.options, setting.card)
    work = partial(count_whole, setting=plain)
    results = pool.map_unordered(work, _small(tasks, setting, large, begun))
    with closing(results):  # type: ignore[type-var]  # a generator, as pools make them
        for result in results:
            yield from (Event(message=text) for text in pool.news())
            while begun:
                yield Event(task=begun.pop(0))
            if result is None:
                yield Event()
                continue
            task, outcome = result
            if isinstance(outcome, CannotWriteError | UnusableModelError):
                raise outcome
            if isinstance(outcome, Exception):
                outcome = Outcome(state="failed", error=error_text(outcome))
            yield Event(task=task, outcome=settle(task, outcome))
    for task in large:
        yield Event(task=task)
        try:
            outcome = yield from told(task, slides(task))
        except Exception as error:
            if spoils_all(error):
                raise CannotWriteError(error_text(error)) from error
            outcome = Outcome(state="failed", error=error_text(error))
        yield Event(task=task, outcome=settle(task, outcome))


def _small(
    tasks: Iterable[Task], setting: Setting, large: list[Task], begun: list[Task]
) -> Iterator[Task]:
    """Hand out images that one worker counts whole; note down the others."""
    from napari_cresunet.batch._slides import is_slide

    for task in tasks:
        if is_slide(task.image.path, setting.options.channel):
            large.append(task)
        else:
            begun.append(task)
            yield task
