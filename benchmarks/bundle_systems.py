"""Complete the cards of the systems that `paper.py` trained, and write their files.

    python benchmarks/bundle_systems.py RUN FOLDER

RUN is the folder of a finished `paper.py` on fnc_small. The threshold is the one chosen
there, the scores are those of its table. FOLDER receives NAME.safetensors of the four
systems of the papers.
"""

import argparse
import csv
from dataclasses import replace
from pathlib import Path

from select_default import CITATION_OF_NEURONS

from napari_cresunet.training import MODEL
from napari_cresunet.weights import ModelCard, load_network, save_weights

SYSTEMS = ("attention-elu", "attention-relu", "c-resunet", "simple-c-resunet")
DATA = (
    "reduced images of Fluorescent Neuronal Cells v1 and v2 (21 to learn from, 10 to "
    "choose by): neurons in brain slices, 7 to 12 px wide"
)
SCORES = ("f1", "precision", "recall", "accuracy", "mae")


def completed(card: ModelCard, row: dict[str, str]) -> ModelCard:
    """Return the card with what a user must know of data, terms and scores."""
    reached = {f"test {name}": round(float(row[name]), 4) for name in SCORES}
    return replace(
        card,
        threshold=float(row["threshold"]),
        data=DATA,
        license="CC-BY-SA-4.0",
        citation=CITATION_OF_NEURONS,
        settings={
            **card.settings,
            "script": "benchmarks/paper.py (docs/experiment.md)",
        },
        scores={**card.scores, **reached},
        source="bundled",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with (arguments.run / "table.csv").open(newline="", encoding="utf-8") as stream:
        rows = {row["system"]: row for row in csv.DictReader(stream)}
    for name in SYSTEMS:
        card, network = load_network(arguments.run / name / MODEL)
        path = arguments.folder / f"{name}.safetensors"
        print(save_weights(path, network, completed(card, rows[name])))


if __name__ == "__main__":
    main()
