"""Which code is the user's own, and whether it has changed."""

import hashlib
import importlib
import json
import sys

import pytest

from convexp.errors import ConfigError
from convexp.machine.own_code import changed, changed_on_path, check_imported, checksums, edited, place_in_own_code

FILES = {
    "lab/__init__.py": "",
    "lab/nets.py": "import json\nfrom torch import nn\nfrom lab.blocks import block\n\ndef fail():\n    return block()\n",
    "lab/blocks.py": "from lab import nets, sizes\n\ndef block():\n    return sizes.WIDTH / 0\n",
    "lab/sizes.py": "WIDTH = 3\n",
    "lab/others.py": "",
}


@pytest.fixture
def nets(tmp_path, monkeypatch):
    """A module of a package that lies in the user's folder."""
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    import lab.nets

    yield lab.nets
    forget()


def forget():
    for name in [name for name in sys.modules if name.partition(".")[0] == "lab"]:
        del sys.modules[name]


def test_it_is_the_module_of_a_target_and_what_that_imports(nets):
    found = checksums(["lab.nets.Small", "convexp.layers.Conv2d", "torch.nn.ReLU", "nowhere.Net", "name"])
    wanted = ("lab/blocks.py", "lab/nets.py", "lab/sizes.py")
    assert found == {name: hashlib.sha256(FILES[name].encode()).hexdigest()[:16] for name in wanted}
    assert checksums(["convexp.layers.Conv2d", "torchvision.models.resnet18", "json.dumps"]) == {}


def test_what_has_changed_is_named(nets, tmp_path):
    before = checksums(["lab.nets.Small"])
    (tmp_path / "lab/sizes.py").write_text("WIDTH = 4\n")
    assert changed(["lab.nets.Small"], before) == []  # this process has the code of before
    assert edited(["lab.nets.Small"]) == ["lab/sizes.py"]
    importlib.reload(sys.modules["lab.sizes"])
    assert changed(["lab.nets.Small"], before) == ["lab/sizes.py"]
    assert edited(["lab.nets.Small"]) == []
    assert (
        changed(["lab.nets.Small"], before | {"lab/sizes.py": f"0123, later {checksums(['lab.nets.S'])['lab/sizes.py']}"}) == []
    )
    assert changed(["lab.nets.Small"], {"torch": "2.0"}) == []  # a run that noted nothing


@pytest.mark.parametrize("target", ["lab.nets.Small", "lab.blocks.block"])
def test_a_module_of_the_same_name_in_another_folder_is_not_taken_for_it(target, nets, tmp_path, monkeypatch):
    check_imported(target)
    other = tmp_path / "other" / "lab"
    other.mkdir(parents=True)
    for name in ("__init__.py", "sizes.py"):  # which both of them import
        (other / name).write_text("WIDTH = 5\n")
    monkeypatch.syspath_prepend(other.parent)
    with pytest.raises(ImportError) as error:
        check_imported(target)
    assert str(error.value).startswith("this process has imported lab")
    assert str(other) in str(error.value)
    forget()
    import lab.sizes

    assert lab.sizes.WIDTH == 5
    check_imported("lab.sizes.WIDTH")


def test_what_python_imports_is_found_as_python_finds_it(nets, tmp_path):
    (tmp_path / "lab.py").write_text("")  # the package of this name comes first
    check_imported("lab.nets.Small")
    versions = checksums(["lab.nets.Small"])
    forget()
    assert changed_on_path(versions) == []
    (tmp_path / "lab/sizes.py").write_text("WIDTH = 4\n")
    assert changed_on_path(versions) == ["lab/sizes.py"]
    (tmp_path / "lab/sizes.py").unlink()
    assert changed_on_path(versions) == []


def test_a_method_of_a_class_comes_from_the_module_of_the_class(nets):
    assert checksums(["lab.nets.Small.build"]) == checksums(["lab.nets.Small"])


def test_a_file_that_was_edited_before_anybody_looked_is_known_by_its_bytecode(nets, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    forget()
    importlib.import_module("lab.nets")
    (tmp_path / "lab/sizes.py").write_text("WIDTH = 44\n")
    assert edited(["lab.nets.Small"]) == ["lab/sizes.py"]
    assert "lab/sizes.py" not in checksums(["lab.nets.Small"])  # what was imported is not known
    importlib.reload(sys.modules["lab.sizes"])
    assert edited(["lab.nets.Small"]) == []
    assert "lab/sizes.py" in checksums(["lab.nets.Small"])


def test_the_place_of_an_error_is_the_innermost_line_of_ones_own(nets):
    with pytest.raises(ZeroDivisionError) as error:
        nets.fail()
    assert place_in_own_code(error.value) == "blocks.py, line 4"
    with pytest.raises(json.JSONDecodeError) as error:
        nets.json.loads("{")
    assert place_in_own_code(error.value).startswith("test_own_code.py, line ")
    assert place_in_own_code(ConfigError("made here, raised nowhere")) == ""
