"""The browser that other tests look through."""

import pytest
from browser import absent, watch


def test_what_goes_wrong_in_a_page_is_seen(browser_page, tmp_path):
    seen = watch(browser_page)
    file = tmp_path / "page.html"
    file.write_text("<title>t</title><script>console.error('bad'); alert(1); throw Error('worse')</script>")
    browser_page.goto(file.as_uri())
    assert browser_page.title() == "t"
    assert seen.requests == [file.as_uri()]
    assert seen.errors == ["bad", "alert: 1", "worse"]


def test_every_page_is_new(browser_page):
    assert browser_page.url == "about:blank"


def test_without_a_browser_tests_are_skipped_but_not_where_they_decide(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        absent("no Chromium")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no Chromium, and CI=true"):
        absent("no Chromium")
