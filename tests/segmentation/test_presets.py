"""The table of recipes."""

from napari_cresunet.segmentation import DEFAULT_PRESET, PRESETS
from napari_cresunet.segmentation._presets import get_preset


def test_the_default_is_tashfeen_s_with_sizes_of_its_paper():
    preset = get_preset(None)
    assert preset is PRESETS[DEFAULT_PRESET]
    assert (preset.name, preset.min_size, preset.min_distance) == (
        "tashfeen2025",
        40,
        10,
    )


def test_morelli_has_the_sizes_of_its_released_code():
    preset = get_preset("morelli2021")
    assert (preset.hole_size, preset.min_size, preset.windows) == (600, 200, (30, 40))
    assert (preset.min_marker_size, preset.compactness) == (25, 1)


def test_names_are_the_keys():
    assert [preset.name for preset in PRESETS.values()] == list(PRESETS)
