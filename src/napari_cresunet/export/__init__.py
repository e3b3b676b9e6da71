"""What leaves the package: networks in formats of other programs, tables and reports.

Of a network is exported what goes from RGB in [0, 1] to the probability of "cell", for
images of any size. How an image becomes that input is for the other program to do; the
model card, which travels along, says how.

Of an evaluation there are tables, figures, pictures of its failures, and a report. Of a
count there are tables, cells in others' formats, overlays, a report and a paragraph for
a paper. matplotlib loads with the first figure.
"""

from napari_cresunet.export._batch_report import ReportedImage, batch_report
from napari_cresunet.export._bioimageio import export_bioimageio
from napari_cresunet.export._colors import KIND_COLORS
from napari_cresunet.export._compare_report import compare_report, compare_section
from napari_cresunet.export._compared import (
    ComparedImage,
    ComparedModel,
    model_rows,
    models_figure,
)
from napari_cresunet.export._count_methods import (
    CountMethods,
    count_methods,
    count_methods_text,
)
from napari_cresunet.export._count_overlay import (
    ScaleBar,
    overlay_figure,
    scale_bar,
    write_overlay,
)
from napari_cresunet.export._count_report import count_report, write_count_report
from napari_cresunet.export._counted import (
    Counted,
    cell_rows,
    measured,
    record_of,
    write_cells_csv,
    write_regions_csv,
)
from napari_cresunet.export._evaluated import (
    POOLED,
    Evaluated,
    Evaluation,
    case_rows,
    kind_column,
    plain_values,
    score_rows,
    sweep_rows_table,
)
from napari_cresunet.export._figures import (
    FIGURE_SUFFIXES,
    counts_figure,
    distance_figure,
    evaluation_figure,
    sweep_figure,
    threshold_figure,
    write_figure,
)
from napari_cresunet.export._formats import FORMATS, Format
from napari_cresunet.export._galleries import case_crops, case_overlay
from napari_cresunet.export._hand_edits import HandEdits, edits_in_words, hand_edits
from napari_cresunet.export._label_formats import LABEL_FORMATS, LabelFormat
from napari_cresunet.export._methods import methods_text
from napari_cresunet.export._ome_tiff import record_in_ome, write_ome_tiff
from napari_cresunet.export._onnx import export_onnx
from napari_cresunet.export._pictures import heatmap, overlay, png_bytes, stretched
from napari_cresunet.export._report import html_report
from napari_cresunet.export._thumbnails import thumbnail
from napari_cresunet.export._torchscript import export_torchscript
from napari_cresunet.export._training_pair import write_training_pair

__all__ = [
    "FIGURE_SUFFIXES",
    "FORMATS",
    "KIND_COLORS",
    "LABEL_FORMATS",
    "POOLED",
    "ComparedImage",
    "ComparedModel",
    "CountMethods",
    "Counted",
    "Evaluated",
    "Evaluation",
    "Format",
    "HandEdits",
    "LabelFormat",
    "ReportedImage",
    "ScaleBar",
    "batch_report",
    "case_crops",
    "case_overlay",
    "case_rows",
    "cell_rows",
    "compare_report",
    "compare_section",
    "count_methods",
    "count_methods_text",
    "count_report",
    "counts_figure",
    "distance_figure",
    "edits_in_words",
    "evaluation_figure",
    "export_bioimageio",
    "export_onnx",
    "export_torchscript",
    "hand_edits",
    "heatmap",
    "html_report",
    "kind_column",
    "measured",
    "methods_text",
    "model_rows",
    "models_figure",
    "overlay",
    "overlay_figure",
    "plain_values",
    "png_bytes",
    "record_in_ome",
    "record_of",
    "scale_bar",
    "score_rows",
    "stretched",
    "sweep_figure",
    "sweep_rows_table",
    "threshold_figure",
    "thumbnail",
    "write_cells_csv",
    "write_count_report",
    "write_figure",
    "write_ome_tiff",
    "write_overlay",
    "write_regions_csv",
    "write_training_pair",
]
