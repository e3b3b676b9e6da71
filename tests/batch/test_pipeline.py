"""How much of many images is in memory at a time."""

from contextlib import closing

from napari_cresunet.batch import CountOptions
from napari_cresunet.batch._journal import Journal, Listed
from napari_cresunet.batch._pipeline import Pipeline
from napari_cresunet.batch._reading import Task
from napari_cresunet.batch._stages import Setting


def test_few_images_are_read_before_it_is_known_how_large_they_are(
    write_images, options
):
    paths = write_images(*(f"{number}.tif" for number in range(12)))
    taken = []

    def tasks():
        for path in paths:
            taken.append(path)
            image = Listed(name=path.stem, path=path, given=str(path))
            yield Task(image=image, count=CountOptions())

    setting = Setting(Journal(None), options, options.model.card())
    pipeline = Pipeline(tasks(), setting, lambda _, outcome: outcome, iter)
    with closing(pipeline.run()) as events:
        next(events)
        # Four, and as many in place of those whose size is known by then.
        assert len(taken) <= 8
        outcomes = [event.outcome for event in events if event.outcome is not None]
    assert [outcome.state for outcome in outcomes] == ["done"] * 12
