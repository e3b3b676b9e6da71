import csv
import hashlib
import json

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile

import napari_cresunet as ncr
from napari_cresunet.inference import read_image


def python_labels(image, *, diameter=None, **parameters):
    """Do by hand in Python what `count` does."""
    model = ncr.load_model("tiny")
    card = model.card
    probability = ncr.predict(read_image(image), model, diameter=diameter)
    defaults = {
        "threshold": card.threshold,
        "min_size": card.min_size_at(diameter),
        "min_distance": card.min_distance_at(diameter),
    }
    return probability, ncr.segment(probability, **defaults | parameters)


def count_json(run, *arguments):
    outcome = run("count", *arguments, "--model", "tiny", "--json")
    assert (outcome.status, outcome.err) == (0, "")
    return json.loads(outcome.out)


def test_json_has_exactly_the_promised_fields(run, model, image):
    (row,) = count_json(run, image)
    seconds = row.pop("seconds")
    count = int(python_labels(image)[1].max())
    assert row == {
        "image": str(image),
        "count": count,
        "threshold": 0.46,
        "min_size": 50,
        "model": "tiny",
    }
    assert 0 < seconds < 60


def test_the_untrained_network_finds_something_to_count(model, image):
    assert python_labels(image)[1].max() > 0


@pytest.mark.parametrize("diameter", [15.0, 45.0])
def test_diameter_resamples_the_image_and_scales_the_sizes(run, model, image, diameter):
    (row,) = count_json(run, image, "--diameter", diameter)
    assert row["count"] == python_labels(image, diameter=diameter)[1].max()
    assert row["min_size"] == round(50 * (diameter / 30) ** 2)


def test_threshold_and_size_of_the_user_win(run, model, image):
    (row,) = count_json(run, image, "--threshold", 0.5, "--min-size", 5)
    assert (row["threshold"], row["min_size"]) == (0.5, 5)
    assert row["count"] == python_labels(image, threshold=0.5, min_size=5)[1].max()


def test_a_preset_is_used_with_the_sizes_of_the_model(run, model, image):
    (row,) = count_json(run, image, "--preset", "morelli2021")
    labels = python_labels(image, preset="morelli2021")[1]
    assert (row["count"], row["min_size"]) == (labels.max(), 50)


def test_files_hold_what_python_computes(run, model, image, tmp_path):
    assert run("count", image, "--model", model, "-o", tmp_path / "out").status == 0
    probability, labels = python_labels(image)
    written = tifffile.imread(tmp_path / "out" / "cells_labels.tif")
    assert written.dtype == np.int32
    assert np.array_equal(written, labels)
    assert np.array_equal(
        tifffile.imread(tmp_path / "out" / "cells_probability.tif"), probability
    )


def test_csv_and_json_beside_the_images_tell_how_they_were_made(
    run, model, image, tmp_path
):
    run("count", image, "--model", model, "-o", tmp_path / "out")
    with (tmp_path / "out" / "counts.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    names = ["image", "count", "threshold", "min_size", "model", "seconds"]
    assert list(row)[:6] == names
    card = ncr.load_model("tiny").card
    assert row["weights_hash"] == card.weights_hash
    assert row["image_hash"] == hashlib.sha256(image.read_bytes()).hexdigest()
    assert (row["version"], row["device"]) == (ncr.__version__, "cpu")
    known = json.loads((tmp_path / "out" / "counts.json").read_text())
    assert known["failed"] == []
    assert known["model"]["name"] == "tiny"
    assert known["images"][0]["plane_counts"] == [int(row["count"])]


def test_tiff_description_carries_the_provenance(run, model, image, tmp_path):
    run("count", image, "--model", model, "-o", tmp_path / "out")
    with tifffile.TiffFile(tmp_path / "out" / "cells_labels.tif") as file:
        record = json.loads(file.pages[0].description)
    assert (record["model"], record["threshold"]) == ("tiny", 0.46)
    assert record["image"] == str(image)


def test_a_stack_is_counted_plane_by_plane(run, model, pixels, tmp_path):
    stack = np.stack([pixels, 255 - pixels])
    path = tmp_path / "stack.tif"
    tifffile.imwrite(path, stack, photometric="rgb")
    outcome = run("count", path, "--model", model, "-o", tmp_path / "out")
    assert outcome.status == 0
    assert "Planes, each counted by itself" in outcome.out
    (record,) = json.loads((tmp_path / "out" / "counts.json").read_text())["images"]
    labels = tifffile.imread(tmp_path / "out" / "stack_labels.tif")
    assert labels.shape == (2, 72, 88)
    expected = [len(np.unique(plane[plane > 0])) for plane in labels]
    assert record["plane_counts"] == expected
    assert record["count"] == sum(expected) == labels.max()


def test_a_bad_image_spoils_only_itself(run, model, image, tmp_path):
    (tmp_path / "bad.tif").write_bytes(b"II*\0 no more")
    outcome = run(
        *("count", tmp_path / "bad.tif", tmp_path / "missing.png", image),
        *("--model", model, "--json", "-o", tmp_path / "out"),
    )
    assert outcome.status == 1
    assert [row["image"] for row in json.loads(outcome.out)] == [str(image)]
    first, second = outcome.err.splitlines()
    assert first == (
        f"Error: {tmp_path / 'bad.tif'} is damaged or no image: "
        "copy or export it again."
    )
    assert second == f"Error: There is no file {tmp_path / 'missing.png'}."
    failed = json.loads((tmp_path / "out" / "counts.json").read_text())["failed"]
    assert [failure["image"] for failure in failed] == [
        str(tmp_path / "bad.tif"),
        str(tmp_path / "missing.png"),
    ]


def test_one_name_in_two_folders_gives_two_results(run, model, pixels, tmp_path):
    for folder, values in (("a", pixels), ("b", pixels[:40])):
        (tmp_path / folder).mkdir()
        iio.imwrite(tmp_path / folder / "x.png", values)
    out = tmp_path / "out"
    run("count", tmp_path / "a", tmp_path / "b", "--model", model, "-o", out)
    assert tifffile.imread(out / "a_x_labels.tif").shape == (72, 88)
    assert tifffile.imread(out / "b_x_labels.tif").shape == (40, 88)


def test_results_never_overwrite_an_image_that_is_counted(run, model, pixels, tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", pixels)
    tifffile.imwrite(tmp_path / "x_labels.tif", pixels)
    before = (tmp_path / "x_labels.tif").read_bytes()
    outcome = run(
        *("count", tmp_path / "x.tif", tmp_path / "x_labels.tif"),
        *("--model", model, "-o", tmp_path),
    )
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: The results would overwrite the image {tmp_path / 'x_labels.tif'}; "
        "choose another folder.\n"
    )
    assert (tmp_path / "x_labels.tif").read_bytes() == before


def test_without_a_folder_nothing_is_written(run, model, image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    outcome = run("count", image, "--model", model)
    assert outcome.status == 0
    assert sorted(tmp_path.rglob("*")) == before
    assert "cells.png" in outcome.out


def test_an_output_that_is_a_file_is_told_in_one_line(run, model, image, tmp_path):
    (tmp_path / "taken").touch()
    outcome = run("count", image, "--model", model, "-o", tmp_path / "taken")
    assert outcome.status == 1
    assert outcome.err == f"Error: {tmp_path / 'taken'}: File exists.\n"


def test_an_unknown_model_names_near_ones(run, model, image):
    outcome = run("count", image, "--model", "tinny")
    assert outcome.status == 1
    assert outcome.err == "Error: There is no model 'tinny'; did you mean tiny?\n"


def test_a_device_that_is_not_there_is_told_in_one_line(run, model, image):
    outcome = run("count", image, "--model", model, "--device", "cuda:77")
    assert outcome.status == 1
    assert outcome.err.startswith("Error: There is no device 'cuda:77' on this")
    assert outcome.err.count("\n") == 1


def test_the_same_command_goes_on_where_it_was(run, model, image, tmp_path):
    command = ("count", image, "--model", model, "-o", tmp_path / "out")
    first = run(*command)
    second = run(*command)
    assert second.status == 0
    assert second.out == first.out
    assert second.err == "Counted 0 images, skipped 1 counted before.\n"


def test_sums_tell_what_was_counted_skipped_and_failed(run, model, image, tmp_path):
    out = tmp_path / "out"
    run("count", image, "--model", model, "-o", out)
    other = image.with_name("other.png")
    other.write_bytes(image.read_bytes())
    empty = image.with_name("empty.png")
    empty.touch()
    outcome = run("count", image.parent, "--model", model, "-o", out, "--report")
    assert outcome.status == 1
    assert outcome.err.splitlines() == [
        f"Error: {empty} is empty (0 bytes): copy or export it again.",
        "Counted 1 image, skipped 1 counted before, 1 failed.",
        f"The report is {out / 'report.html'}.",
    ]
    assert "<td>It is" not in (out / "report.html").read_text()
    assert "is empty (0 bytes)" in (out / "report.html").read_text()


def test_a_list_gives_settings_and_groups(run, model, image, tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("image;threshold;group\ncells.png;0,5;control\n")
    (row,) = count_json(run, path)
    assert (row["image"], row["threshold"]) == (str(image), 0.5)
    run("count", path, "--model", model, "-o", tmp_path / "out", "--cells")
    with (tmp_path / "out" / "counts.csv").open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert (line["group"], line["state"], line["error"]) == ("control", "done", "")
    with (tmp_path / "out" / "cells_cells.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == int(line["count"])


def test_no_probability_is_written_where_none_is_wanted(run, model, image, tmp_path):
    out = tmp_path / "out"
    run("count", image, "--model", model, "-o", out, "--no-probability", "--overlay")
    names = {path.name for path in out.iterdir() if path.suffix in (".tif", ".png")}
    assert names == {"cells_labels.tif", "cells_overlay.png"}


def test_pictures_need_a_folder(run, model, image):
    outcome = run("count", image, "--model", model, "--overlay")
    assert outcome.status == 2
    assert "--overlay, --cells and --report need -o DIR;" in outcome.err


def test_the_folder_of_results_may_be_that_of_the_images(run, model, image):
    command = ("count", image.parent, "--model", model, "-o", image.parent, "--overlay")
    assert run(*command).status == 0
    again = run(*command)
    assert again.err == "Counted 0 images, skipped 1 counted before.\n"
