import csv
import json
import signal

import imageio.v3 as iio
import numpy as np
import pytest
import tifffile
from tests.export.evaluations import SHAPE, picture_of, squares

import napari_cresunet as ncr
from napari_cresunet.annotations import write_geojson, write_imagej
from napari_cresunet.cli import _evaluate
from napari_cresunet.evaluation import bootstrap_intervals, evaluate_overlaps

PROMISED = [
    *("f1", "precision", "recall", "accuracy", "mae", "medae", "mpe"),
    *("tp", "fp", "fn", "n_images"),
]
CELLS = {
    "a": (squares((10, 10), (40, 10)), squares((10, 11), (10, 60), (40, 60))),
    "b": (squares((10, 10), (30, 30)), squares((11, 10), (30, 31))),
    "c": (squares((20, 20)), squares()),
}


@pytest.fixture
def folders(tmp_path):
    """Write predictions as `count` names them, and truths as the images are named."""
    for folder in ("pred", "true"):
        (tmp_path / folder).mkdir()
    for name, (pred, true) in CELLS.items():
        tifffile.imwrite(tmp_path / "pred" / f"{name}_labels.tif", pred)
        iio.imwrite(tmp_path / "true" / f"{name}.png", true.astype(np.uint16))
    return tmp_path / "pred", tmp_path / "true"


def by_hand(**rule):
    """Score the same in Python."""
    return [ncr.evaluate(*pair, **rule) for pair in CELLS.values()]


def evaluate_json(run, *arguments):
    outcome = run("evaluate", *arguments, "--json")
    assert (outcome.status, outcome.err) == (0, "")
    return json.loads(outcome.out)


def without_nan(values):
    return {name: None if value != value else value for name, value in values.items()}


def test_json_begins_with_what_is_promised(run, folders):
    found = evaluate_json(run, *folders)
    assert list(found)[: len(PROMISED)] == PROMISED
    expected = without_nan(ncr.aggregate(by_hand()).to_dict())
    assert {name: found[name] for name in expected} == expected
    assert (found["tp"], found["n_without_mpe"]) == (3, 1)


def test_json_has_intervals_and_every_image(run, folders):
    found = evaluate_json(run, *folders)
    intervals = bootstrap_intervals(by_hand())
    assert found["intervals"] == {name: list(ends) for name, ends in intervals.items()}
    for row, scores in zip(found["images"], by_hand(), strict=True):
        expected = without_nan(scores.to_dict())
        assert {name: row[name] for name in expected} == expected
    assert [row["name"] for row in found["images"]] == ["a", "b", "c"]
    assert found["failed"] == []
    assert "overlaps" not in found


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--max-distance", 0.5], {"max_distance": 0.5}),
        (["--matching", "greedy"], {"matching": "greedy"}),
        (["--center", "centroid"], {"center": "centroid"}),
        (
            ["--pixel-size", 0.25, "--max-distance", 0.2],
            {"spacing": 0.25, "max_distance": 0.2},
        ),
    ],
)
def test_options_say_what_belongs_together(run, folders, options, rule):
    found = evaluate_json(run, *folders, *options)
    expected = without_nan(ncr.aggregate(by_hand(**rule)).to_dict())
    assert {name: found[name] for name in expected} == expected


def test_iou_adds_scores_by_shared_pixels(run, folders):
    pred, true = folders
    found = evaluate_json(run, pred / "a_labels.tif", true / "a.png", "--iou")
    expected = evaluate_overlaps(*CELLS["a"]).to_dict()
    assert found["overlaps"] == without_nan(expected)
    outcome = run("evaluate", *folders, "--iou")
    assert "mAP" in outcome.out


def test_two_files_need_no_common_name(run, tmp_path, folders):
    pred, true = folders
    found = evaluate_json(run, pred / "a_labels.tif", true / "b.png")
    scores = ncr.evaluate(CELLS["a"][0], CELLS["b"][1])
    assert found["f1"] == scores.f1
    assert found["intervals"] == {}


def test_what_has_no_partner_is_told_on_either_side(run, folders):
    pred, true = folders
    (pred / "c_labels.tif").unlink()
    (true / "a.png").unlink()
    outcome = run("evaluate", pred, true, "--json")
    assert outcome.status == 0
    assert outcome.err == (
        "Without truth and left out: a_labels.tif.\nTruth without prediction: c.png.\n"
    )
    assert json.loads(outcome.out)["n_images"] == 1


def test_pictures_beside_labels_are_no_predictions(run, folders):
    pred, true = folders
    for name in ("a_overlay.png", "a.png"):
        iio.imwrite(pred / name, np.zeros((*SHAPE, 3), np.uint8))
    tifffile.imwrite(pred / "a_probability.tif", np.zeros(SHAPE, np.float32))
    assert evaluate_json(run, pred, true)["n_images"] == 3


def test_without_any_pair_the_names_are_explained(run, folders):
    pred, true = folders
    for path in true.iterdir():
        path.rename(true / f"x{path.name}")
    outcome = run("evaluate", pred, true)
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: None of 3 predictions has a truth in {true}: name them alike, such as "
        "a_labels.tif and a.png.\n"
    )


def test_one_folder_cannot_be_both(run, folders):
    pred, _ = folders
    outcome = run("evaluate", pred, pred)
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: {pred} is both the folder of the predictions and of the truth: put "
        "them into two folders.\n"
    )


@pytest.mark.parametrize("side", [0, 1])
def test_what_does_not_exist_is_named(run, folders, side):
    paths = list(folders)
    paths[side] = paths[side] / "nothing"
    outcome = run("evaluate", *paths)
    assert outcome.status == 1
    assert outcome.err == f"Error: There is no file or folder {paths[side]}.\n"


def test_a_bad_pair_spoils_only_itself(run, folders, tmp_path):
    pred, true = folders
    (pred / "b_labels.tif").write_bytes(b"II*\0 no more")
    iio.imwrite(true / "c.png", np.zeros((5, 6), np.uint16))
    outcome = run("evaluate", pred, true, "-o", tmp_path / "out", "--json")
    assert outcome.status == 1
    first, second = outcome.err.splitlines()
    assert first == (
        f"Error: {pred / 'b_labels.tif'} is damaged or no image: copy or export it "
        "again."
    )
    assert second == (
        f"Error: {true / 'c.png'} has the shape (5, 6), but (60, 90) is needed: use "
        "the truth of this image."
    )
    found = json.loads(outcome.out)
    assert found["n_images"] == 1
    assert [row["name"] for row in found["failed"]] == ["b", "c"]
    with (tmp_path / "out" / "scores.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == ["a", "b", "c", "all"]
    assert f"Error: {rows[1]['error']}" == first
    assert rows[1]["f1"] == rows[0]["error"] == ""


def test_if_no_pair_can_be_compared_nothing_is_printed(run, folders):
    pred, true = folders
    (pred / "a_labels.tif").write_bytes(b"")
    outcome = run("evaluate", pred / "a_labels.tif", true, "--json")
    assert (outcome.status, outcome.out) == (1, "")
    assert outcome.err == (
        f"Error: {pred / 'a_labels.tif'} is empty (0 bytes): copy or export it again.\n"
    )


def test_a_pixel_size_needs_a_distance(run, folders):
    outcome = run("evaluate", *folders, "--pixel-size", 0.5)
    assert outcome.status == 2
    assert outcome.err == (
        "Error: Invalid value for '--pixel-size': --pixel-size needs --max-distance, "
        "in µm; see 'napari-cresunet evaluate --help'.\n"
    )


def test_an_unknown_matching_is_a_wrong_argument(run, folders):
    outcome = run("evaluate", *folders, "--matching", "best")
    assert outcome.status == 2
    assert outcome.err == (
        "Error: Invalid value: `matching` must be optimal or greedy, got 'best'; see "
        "'napari-cresunet evaluate --help'.\n"
    )


def test_stacks_are_compared_plane_by_plane(run, tmp_path):
    pred = np.stack([CELLS["a"][0], CELLS["b"][0]])
    true = np.stack([CELLS["a"][1], CELLS["b"][1]])
    tifffile.imwrite(tmp_path / "s_labels.tif", pred)
    tifffile.imwrite(tmp_path / "s.tif", true)
    found = evaluate_json(run, tmp_path / "s_labels.tif", tmp_path / "s.tif")
    scores = ncr.evaluate(pred, true)
    assert (found["tp"], found["fp"], found["fn"]) == (scores.tp, scores.fp, scores.fn)
    (tmp_path / "s.csv").write_text("x,y\n1,2\n")
    outcome = run("evaluate", tmp_path / "s_labels.tif", tmp_path / "s.csv")
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: {tmp_path / 's.csv'} marks cells by points, but the image has 2 "
        "planes: give outlines or a label image.\n"
    )


@pytest.mark.parametrize(
    ("suffix", "write"), [(".zip", write_imagej), (".geojson", write_geojson)]
)
def test_the_truth_of_a_stack_may_be_annotations(run, tmp_path, suffix, write):
    pred = np.stack([CELLS["a"][0], CELLS["b"][0]])
    true = np.stack([CELLS["a"][1], CELLS["b"][1] + 10 * (CELLS["b"][1] > 0)])
    tifffile.imwrite(tmp_path / "s_labels.tif", pred)
    write(tmp_path / f"s{suffix}", true)
    found = evaluate_json(run, tmp_path / "s_labels.tif", tmp_path / f"s{suffix}")
    scores = ncr.evaluate(pred, true)
    assert (found["tp"], found["fp"], found["fn"]) == (scores.tp, scores.fp, scores.fn)


def test_points_are_truth_too(run, folders, tmp_path):
    pred, _ = folders
    (tmp_path / "points.csv").write_text("x,y\n14.5,13.5\n63.5,13.5\n63.5,43.5\n")
    points = [[13.5, 14.5], [13.5, 63.5], [43.5, 63.5]]
    arguments = (pred / "a_labels.tif", tmp_path / "points.csv", "--max-distance", 5)
    found = evaluate_json(run, *arguments, "--iou")
    assert found["f1"] == ncr.evaluate(CELLS["a"][0], points, max_distance=5).f1
    assert found["overlaps"] is None
    out = run("evaluate", *arguments, "--iou").out
    assert "The truth is points, which have no outlines to compare." in out


def test_a_mask_as_truth_is_warned_of(run, folders):
    _, true = folders
    mask = (CELLS["a"][1] > 0).astype(np.uint8) * 255
    iio.imwrite(true / "a.png", np.stack([mask] * 3, axis=-1))
    outcome = run("evaluate", *folders)
    assert outcome.status == 0
    assert (
        "The truth of 1 of 3 images is a mask, in which cells that touch count as one: "
        "the true count may be too low."
    ) in outcome.out


def test_the_table_has_every_image_and_all(run, folders):
    outcome = run("evaluate", *folders, "--max-distance", 5)
    assert outcome.status == 0
    rows = [
        [cell.strip() for cell in line.split("│")[1:-1]]
        for line in outcome.out.splitlines()
        if line.startswith("│")
    ]
    assert rows[0] == ["a", "3", "2", "0.400", "0.500", "0.333", "1", "1", "2"]
    assert rows[2] == ["c", "0", "1", "0.000", "0.000", "–", "0", "1", "0"]
    assert rows[3][:4] == ["all 3", "5", "5", "0.600"]
    assert (
        "Error of the counts: MAE 0.667 (0 to 1), MedAE 1 (0 to 1), MPE -16.7 % "
        "(-33.3 % to +0.0 %) (1 without true cells left out)."
    ) in outcome.out


def test_files_hold_what_is_printed(run, folders, tmp_path):
    out = tmp_path / "out"
    found = evaluate_json(run, *folders, "-o", out)
    assert sorted(path.name for path in out.iterdir()) == sorted(_evaluate.FILES)
    with (out / "scores.csv").open(newline="") as file:
        *_, pooled = csv.DictReader(file)
    assert (pooled["name"], float(pooled["f1"])) == ("all", found["f1"])
    with (out / "failures.csv").open(newline="") as file:
        failures = list(csv.DictReader(file))
    assert [(row["name"], row["kind"]) for row in failures] == [
        ("a", "missed"),
        ("a", "false positive"),
        ("a", "missed"),
        ("c", "false positive"),
    ]
    assert (out / "counts.png").read_bytes().startswith(b"\x89PNG")
    assert "<h2>Methods</h2>" in (out / "report.html").read_text("utf-8")


def test_the_provenance_lies_beside_the_tables(run, folders, tmp_path):
    pred, true = folders
    found = evaluate_json(
        run, *folders, "--max-distance", 9, "--pixel-size", 0.5, "-o", tmp_path / "out"
    )
    known = json.loads((tmp_path / "out" / "evaluation.json").read_text("utf-8"))
    assert (
        known["how"]
        | {
            "version": ncr.__version__,
            "predictions": str(pred),
            "truth": str(true),
            "max_distance": 9.0,
            "unit": "µm",
            "pixel_size": 0.5,
            "matching": "optimal",
            "center": "box",
        }
        == known["how"]
    )
    assert {name: known["scores"][name] for name in PROMISED} == {
        name: found[name] for name in PROMISED
    }
    assert known["files"][0]["truth"] == str(true / "a.png")
    assert len(known["files"][0]["file_hash"]) == 64


def test_what_count_wrote_knows_image_and_model(run, model, image, tmp_path):
    out = tmp_path / "count"
    run("count", image, "--model", model, "-o", out)
    labels = tifffile.imread(out / "cells_labels.tif")
    iio.imwrite(tmp_path / "truth.png", labels.astype(np.uint16))
    found = evaluate_json(run, out, tmp_path / "truth.png", "-o", tmp_path / "e")
    assert (found["f1"], found["tp"]) == (1.0, labels.max())
    known = json.loads((tmp_path / "e" / "evaluation.json").read_text("utf-8"))
    assert (known["how"]["model"], known["how"]["threshold"]) == ("tiny", 0.46)
    assert known["files"][0]["image"] == str(image)
    with (tmp_path / "e" / "failures.csv").open() as file:
        header = file.readline()
    assert "contrast" in header
    assert "mean_probability" in header


def test_images_can_be_named(run, folders, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for name in ("a", "b"):
        iio.imwrite(images / f"{name}.png", picture_of(CELLS[name][1]))
    outcome = run("evaluate", *folders, "--images", images, "-o", tmp_path / "out")
    assert outcome.status == 0
    assert outcome.err == "Without image, compared all the same: c.\n"
    with (tmp_path / "out" / "failures.csv").open(newline="") as file:
        contrasts = [row["contrast"] for row in csv.DictReader(file)]
    assert contrasts == ["180.0", "0.0", "180.0", ""]
    iio.imwrite(images / "b.png", np.zeros((3, 4), np.uint8))
    outcome = run("evaluate", *folders, "--images", images)
    assert outcome.status == 1
    assert outcome.err.splitlines()[1] == (
        f"Error: {images / 'b.png'} has another size than "
        f"{folders[0] / 'b_labels.tif'}: use the image of these labels."
    )


def test_results_never_overwrite_what_is_read(run, folders, tmp_path):
    pred, _ = folders
    truth = tmp_path / "scores.csv"
    truth.write_text("x,y\n14.5,13.5\n")
    outcome = run("evaluate", pred / "a_labels.tif", truth, "-o", tmp_path)
    assert outcome.status == 1
    assert outcome.err == (
        f"Error: The results would overwrite {truth}; choose another folder.\n"
    )
    assert truth.read_text() == "x,y\n14.5,13.5\n"


def test_without_a_folder_nothing_is_written(run, folders, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert run("evaluate", *folders).status == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_ctrl_c_waits_for_the_pair_at_hand(run, folders, monkeypatch, tmp_path):
    compare = _evaluate._compare
    seen = []

    def interrupted(pair, *rest):
        signal.raise_signal(signal.SIGINT)
        seen.append(pair.name)
        return compare(pair, *rest)

    monkeypatch.setattr(_evaluate, "_compare", interrupted)
    outcome = run("evaluate", *folders, "-o", tmp_path / "out")
    assert (outcome.status, outcome.err) == (130, "Error: Interrupted.\n")
    assert seen == ["a"]
    assert list((tmp_path / "out").iterdir()) == []
