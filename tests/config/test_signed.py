"""A configuration is this user's own only if its signature proves it: attacks on signatures, keys and what lies beside them."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from convexp.config import hydra_files, parse_trusted_config
from convexp.config.compose import compose_config
from convexp.config.hydra_files import is_signed, read_saved_config, write_config
from convexp.config.signed.key import KeyProblem, key_file, obtain_key, read_key
from convexp.config.signed.signature import doubt, sign
from convexp.config.trust import parse_saved_config
from convexp.errors import ConfigError
from convexp.files.yaml_files import LARGEST

HYDRA = OmegaConf.create({"overrides": {"task": ["model=mine"]}})
ATTACK = "model:\n  wiring:\n    _target_: os.system\n"


@pytest.fixture(autouse=True)
def key(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVEXP_KEY", str(tmp_path / "home" / "key"))
    return tmp_path / "home" / "key"


@pytest.fixture(scope="module")
def composed():
    values = compose_config("model.width=2.0").model_dump(by_alias=True)
    values["model"]["wiring"]["_target_"] = "mine.Layer"
    return values


@pytest.fixture
def folder(tmp_path, composed):
    """A run of this user's own that names code of theirs."""
    run = tmp_path / "run"
    run.mkdir()
    values = {**composed, "pythonpath": [str(tmp_path)]}
    assert write_config(run, OmegaConf.create(values), HYDRA, keep=False) is None
    return run


def refusal(folder):
    """Why the configuration is not this user's own; it is then read as a stranger's."""
    saved = read_saved_config(folder, "run")
    assert saved.doubt is not None
    assert not is_signed(folder)
    with pytest.raises(ConfigError) as error:
        parse_saved_config(saved)
    assert "\n" not in str(error.value)
    assert saved.doubt in str(error.value)
    assert "CONVEXP_TRUST" in str(error.value)
    return saved.doubt


def test_ones_own_run_may_name_any_code(folder):
    config = parse_saved_config(read_saved_config(folder, "run"))
    assert config.model.wiring.target == "mine.Layer"
    assert config.pythonpath == [str(folder.parent)]


def test_a_folder_may_be_moved_and_copied(folder, tmp_path):
    shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    folder.rename(tmp_path / "moved")
    assert is_signed(tmp_path / "elsewhere" / "copy")
    assert is_signed(tmp_path / "moved")


def test_a_strangers_folder_of_modules_is_not_used(folder, tmp_path, monkeypatch):
    (folder / ".hydra" / "signature").unlink()
    assert refusal(folder) == "it is not signed"
    monkeypatch.setenv("CONVEXP_TRUST", "mine")
    assert parse_saved_config(read_saved_config(folder, "run")).pythonpath is None
    assert parse_trusted_config(read_saved_config(folder, "run").values).pythonpath is None


@given(st.data())
def test_no_byte_can_be_changed(data):
    content = data.draw(st.binary(min_size=1, max_size=60))
    signed = sign(content)
    run = Path(os.environ["CONVEXP_KEY"]).parent / "bytes"
    (run / ".hydra").mkdir(parents=True, exist_ok=True)
    (run / ".hydra" / "signature").write_bytes(signed)
    assert doubt(run, content) is None
    other = data.draw(st.binary(max_size=60).filter(lambda found: found != content))
    assert doubt(run, other) == "its configuration has changed since it was signed"
    place = data.draw(st.integers(0, len(signed) - 2))
    (run / ".hydra" / "signature").write_bytes(signed[:place] + bytes([signed[place] ^ 1]) + signed[place + 1 :])
    assert doubt(run, content) is not None


EDITS = {
    "a target": lambda text: text.replace("mine.Layer", "os.system"),
    "an argument": lambda text: text.replace("width: 2.0", "width: 3.0"),
    "a section once more": lambda text: text + ATTACK,
    "a second document": lambda text: f"{text}---\n{ATTACK}",
    "a document before it": lambda text: f"{ATTACK}---\n{text}",
    "a comment": lambda text: text + "# x\n",
    "a space": lambda text: text + " ",
    "a mark of the order of bytes": lambda text: "\ufeff" + text,
    "other ends of lines": lambda text: text.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_a_changed_configuration_is_a_strangers(folder, edit):
    file = folder / ".hydra" / "config.yaml"
    file.write_bytes(edit(file.read_text()).encode())
    assert not is_signed(folder)
    with pytest.raises(ConfigError):
        parse_saved_config(read_saved_config(folder, "run"))


DAMAGES = {
    "cut off": lambda text: text[:-10],
    "empty": lambda text: b"",
    "longer": lambda text: text + b"0",
    "with another line": lambda text: text + b"x\n",
    "of an empty line": lambda text: b"\n",
    "huge": lambda text: text + b"0" * 10**6,
    "of another format": lambda text: text.replace(b"-1 ", b"-2 "),
    "capitals": lambda text: text.upper(),
    "no text": lambda text: b"\xff\x00" + text,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_signature_is_none(folder, damage):
    file = folder / ".hydra" / "signature"
    file.write_bytes(damage(file.read_bytes()))
    assert refusal(folder) in ("its signature is damaged", "its signature cannot be read")


def test_a_signature_of_another_run_is_none(folder, tmp_path):
    other = Path(shutil.copytree(folder, tmp_path / "other"))
    write_config(other, OmegaConf.create(read_saved_config(folder, "run").values | {"seed": 9}), HYDRA, keep=False)
    assert is_signed(other)
    shutil.copy(other / ".hydra" / "signature", folder / ".hydra" / "signature")
    assert refusal(folder) == "its configuration has changed since it was signed"


def test_a_signature_by_another_key_is_none(folder, key):
    key.unlink()
    assert refusal(folder).startswith("it is signed by another key than yours")
    obtain_key()
    assert refusal(folder) == f"it is signed by another key than yours ({key})"


def test_links_and_pipes_are_not_followed(folder, key, tmp_path):
    signature = folder / ".hydra" / "signature"
    signature.rename(tmp_path / "signature")
    signature.symlink_to(tmp_path / "signature")
    assert refusal(folder) == "its signature cannot be read"
    signature.unlink()
    os.mkfifo(signature)
    assert refusal(folder) == "its signature cannot be read"
    signature.unlink()
    signature.mkdir()
    assert refusal(folder) == "its signature cannot be read"
    signature.rmdir()
    (tmp_path / "signature").rename(signature)
    key.rename(tmp_path / "key")
    key.symlink_to(tmp_path / "key")
    assert "is a link" in refusal(folder)


def test_a_key_that_others_may_know_is_none(folder, key, monkeypatch):
    key.chmod(0o640)
    assert "chmod 600" in refusal(folder)
    key.chmod(0o600)
    key.write_text("00")
    assert "is damaged" in refusal(folder)
    key.unlink()
    key.mkdir()
    assert "is no file" in refusal(folder)
    key.rmdir()
    obtain_key()
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "belongs to another user" in refusal(folder)


def test_a_key_in_the_folder_of_the_run_is_none(folder, monkeypatch, tmp_path):
    """A stranger who knows the key, and knows where it is looked for."""
    monkeypatch.setenv("CONVEXP_KEY", str(folder / "key"))
    (folder / ".hydra" / "signature").write_bytes(sign((folder / ".hydra" / "config.yaml").read_bytes()))
    assert refusal(folder) == f"the key {folder / 'key'} lies in the folder of the run"
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.setenv("CONVEXP_KEY", str(tmp_path / "link" / "key"))
    assert "lies in the folder of the run" in refusal(folder)


@pytest.mark.parametrize("variable", ["CONVEXP_KEY", "XDG_CONFIG_HOME"])
def test_where_the_key_lies_does_not_depend_on_the_working_directory(folder, monkeypatch, variable, tmp_path):
    monkeypatch.delenv("CONVEXP_KEY")
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setenv(variable, "relative")
    monkeypatch.chdir(folder)
    if variable == "CONVEXP_KEY":
        assert "is not absolute" in refusal(folder)
    else:  # as the XDG specification says
        assert key_file() == tmp_path / "nobody" / ".config" / "convexp" / "key"
        monkeypatch.setenv(variable, str(tmp_path / "xdg"))
        assert key_file() == tmp_path / "xdg" / "convexp" / "key"


def test_what_is_verified_is_what_is_used(folder, monkeypatch):
    """The configuration is replaced as soon as it has been read."""
    file, read = folder / ".hydra" / "config.yaml", hydra_files.read_limited

    def read_and_swap(path):
        content = read(path)
        file.write_text(ATTACK)
        return content

    monkeypatch.setattr(hydra_files, "read_limited", read_and_swap)
    assert parse_saved_config(read_saved_config(folder, "run")).model.wiring.target == "mine.Layer"
    monkeypatch.undo()
    assert not is_signed(folder)


def test_files_that_are_not_signed_name_no_code(folder):
    before = parse_saved_config(read_saved_config(folder, "run"))
    for name in ("hydra.yaml", "overrides.yaml"):
        (folder / ".hydra" / name).write_text(ATTACK)
    (folder / "result.json").write_text('{"format": 1, "config": {"model": {"wiring": {"_target_": "os.system"}}}}')
    assert parse_saved_config(read_saved_config(folder, "run")) == before


NO_PLAIN_VALUES = ["a: &a [x]\nb: *a", "a: !!python/name:os.system x", "name: ${oc.env:HOME}", "a: " + "x" * LARGEST]


@pytest.mark.parametrize("content", NO_PLAIN_VALUES, ids=["an alias", "a tag", "an interpolation", "huge"])
def test_what_is_no_plain_value_is_refused_even_if_it_is_signed(folder, content):
    (folder / ".hydra" / "config.yaml").write_text(content)
    (folder / ".hydra" / "signature").write_bytes(sign(content.encode()))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_saved_config(folder, "run")


def test_a_key_is_private_and_made_once(key):
    assert read_key() is None
    with ThreadPoolExecutor(8) as pool:
        made = {future.result() for future in [pool.submit(obtain_key) for _ in range(32)]}
    assert len(made) == 1
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in key.parent.iterdir()] == ["key"]


def test_a_file_system_without_links_holds_a_key_too(key, monkeypatch):
    def link(*_):
        raise PermissionError("no links")

    monkeypatch.setattr(os, "link", link)
    assert obtain_key() == read_key()
    assert [file.name for file in key.parent.iterdir()] == ["key"]


def test_without_a_key_a_run_is_not_signed_and_an_earlier_signature_is_gone(folder, key, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONVEXP_KEY", str(tmp_path / "file" / "key"))
    with pytest.raises(KeyProblem, match=r"cannot be (read|written)"):
        obtain_key()
    values = OmegaConf.create(read_saved_config(folder, "run").values)
    assert "the key" in (write_config(folder, values, HYDRA, keep=False) or "")
    assert refusal(folder) == "it is not signed"


def test_what_is_kept_is_not_signed(folder):
    """As when a run is resumed: its configuration was read from the folder, which may be a stranger's."""
    (folder / ".hydra" / "signature").unlink()
    assert write_config(folder, OmegaConf.create({}), HYDRA, keep=True) is None
    assert refusal(folder) == "it is not signed"
