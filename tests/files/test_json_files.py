from convexp.files.json_files import read_json, write_json


def test_write_and_read(tmp_path):
    file = tmp_path / "x.json"
    assert read_json(file) is None
    write_json(file, {"a": 1})
    assert read_json(file) == {"a": 1}
    file.write_text('{"a": ')
    assert read_json(file) is None
    file.write_text("[1]")
    assert read_json(file) is None
    assert list(tmp_path.iterdir()) == [file]
