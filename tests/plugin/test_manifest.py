"""The manifest is one that napari reads, and all it names is there."""

from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.gui

if find_spec("napari") is None:
    pytest.skip("needs napari", allow_module_level=True)


@pytest.fixture(scope="module")
def manifest():
    from npe2 import PluginManifest

    return PluginManifest.from_distribution("napari-cresunet")


def test_everything_the_manifest_names_can_be_imported(manifest):
    manifest.validate_imports()
    assert manifest.display_name == "c-ResUnet"


def test_the_menus_are_ones_that_napari_shows(manifest):
    from napari._app_model.constants._menus import is_menu_contributable

    menus = manifest.contributions.menus
    assert list(menus) == [
        "napari/layers/segment",
        "napari/layers/annotate",
        "napari/layers/measure",
    ]
    assert all(is_menu_contributable(menu) for menu in menus)
    assert not manifest.contributions.keybindings


def test_a_key_of_a_sample_is_no_command(manifest):
    # napari makes one action of each, under the same name.
    commands = {command.id for command in manifest.contributions.commands}
    samples = manifest.contributions.sample_data
    assert [sample.key for sample in samples] == ["neurons", "nuclei", "synthetic"]
    assert not commands & {f"napari-cresunet.{sample.key}" for sample in samples}
