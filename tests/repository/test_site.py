"""The site: it builds without a warning, its links lead somewhere, and it is whole in a browser that has no network."""

import html
import os
import re
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown
import pytest
import yaml
from browser import watch
from conftest import ROOT
from markdown_it import MarkdownIt

OUTSIDE = [ROOT / f"{name}.md" for name in ("SECURITY", "CONTRIBUTING", "CHANGELOG")]
DOCUMENTS = sorted([*(ROOT / "docs").rglob("*.md"), *OUTSIDE])
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1400, "height": 900}
LOADED = {"img", "script", "link", "iframe", "source", "video"}


class Links(HTMLParser):
    """What a page links to, what it loads, and the anchors in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.followed, self.loaded, self.anchors = [], [], {""}
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        address = given.get("src") or given.get("href")
        if address:
            (self.loaded if tag in LOADED else self.followed).append(address)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as ``make docs`` builds it, with a report and a page of lessons that take no time."""
    folder = tmp_path_factory.mktemp("site")
    for page in ("studies/bars/report.html", "lessons/index.html", "lessons/notebooks/01_bars.ipynb"):
        (folder / page).parent.mkdir(parents=True, exist_ok=True)
        (folder / page).write_text('<!doctype html><title>made</title><li value="3"><a href="#slide">', encoding="utf-8")
    (folder / "studies/bars/study.json").write_text('{"question": "Are bars <b> bold?"}', encoding="utf-8")
    made = {"CONVEXP_SITE_STUDIES": str(folder / "studies"), "CONVEXP_SITE_LESSONS": str(folder / "lessons")}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder / "site")]
    built = subprocess.run(command, check=False, cwd=ROOT, env={**os.environ, **made}, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def pages(site):
    """The pages of the site that are made from documents, with their links."""
    made = {site / "gallery/bars.html", site / "lessons/index.html"}
    return {page: Links(page) for page in sorted(site.rglob("*.html")) if page not in made}


@pytest.mark.e2e
def test_every_link_leads_somewhere(site, pages):
    wrong = []
    for page, links in pages.items():
        for address in links.followed:
            parts = urlsplit(address)
            if parts.scheme or page.name == "404.html":  # its links begin at the root of a server
                assert parts.scheme in ("", "http", "https", "mailto"), address
                assert parts.netloc or not parts.scheme.startswith("http"), address
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            target = target / "index.html" if target.is_dir() else target
            anchors = pages[target].anchors if target in pages else None
            if not target.is_file() or (anchors is not None and unquote(parts.fragment) not in anchors):
                wrong.append(f"{page.relative_to(site)}: {address}")
    assert wrong == []
    assert len(pages) > 40


@pytest.mark.e2e
def test_nothing_is_loaded_from_a_network(site, pages):
    for page, links in pages.items():
        assert [a for a in links.loaded if urlsplit(a).scheme or a.startswith("//")] == [], page
        assert [a for a in links.loaded if page.name != "404.html" and not (page.parent / urlsplit(a).path).is_file()] == []
    for sheet in site.rglob("*.css"):
        assert re.findall(r"url\(\s*['\"]?(?:https?:)?//|@import", sheet.read_text(encoding="utf-8")) == [], sheet


@pytest.mark.e2e
def test_pages_show_what_is_made_elsewhere(site):
    gallery, lessons, derivation, design = (
        (site / f"{name}.html").read_text(encoding="utf-8") for name in ("gallery", "lessons", "concepts/derivation", "design")
    )
    assert '<a href="gallery/bars.html"><code>bars</code></a>: Are bars &lt;b&gt; bold?' in gallery
    assert 'href="lessons/index.html"' in lessons
    assert '<a href="lessons/index.html#slide">3. Convolution itself</a>' in lessons
    assert (site / "lessons/notebooks/01_bars.ipynb").is_file()
    assert "Step 3: weight sharing" in derivation
    assert "Step 3: weight sharing" not in design
    statistics = (site / "concepts/statistics.html").read_text(encoding="utf-8")
    assert "<math" in statistics
    assert "arithmatex" not in statistics


def test_the_list_of_lessons_has_their_titles():
    listed = (ROOT / "docs/lessons.md").read_text(encoding="utf-8")
    scripts = sorted((ROOT / "scripts/lessons").glob("[0-9]*.py"))
    titles = [re.search(r"^# # (.+)$", script.read_text(encoding="utf-8"), re.MULTILINE)[1] for script in scripts]
    assert titles
    assert [title for title in titles if f"| {title} |" not in listed] == []


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda file: file.name)
def test_a_page_reads_the_same_on_the_site_and_where_the_code_is_hosted(page):
    """The site is made by Python-Markdown, which for instance wants a blank line before a list; hosts follow CommonMark."""
    text = re.sub(r"^<!--.*?-->$|\{ [.#][^}]* \}", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    hosted = MarkdownIt("commonmark").enable("table").render(text)
    ours = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)["markdown_extensions"]
    names = [extension if isinstance(extension, str) else next(iter(extension)) for extension in ours]
    shown = markdown.markdown(text, extensions=[name for name in names if "highlight" not in name and "arith" not in name])
    assert _elements(shown) == _elements(hosted)


class _Loader(yaml.SafeLoader):
    """Of mkdocs.yml, which names variables of the environment."""


_Loader.add_constructor("!ENV", lambda loader, node: None)


def _elements(text):
    """How many there are of each element that a reader sees, and the text of the list items."""
    found = Counter(re.findall(r"<(h\d|li|ul|ol|tr|td|th|pre|blockquote|em|strong|img)\b", text))
    items = re.findall(r"<li>\s*(?:<p>)?([^<\n]*)", text)
    return found, [html.unescape(item).strip() for item in items]


@pytest.mark.e2e
def test_pages_fit_a_phone_and_a_desk_and_ask_for_nothing(pages, browser_page):
    seen = watch(browser_page)
    written = [page for page in pages if not {"404.html", "reference"} & set(page.parts)]
    made = [page for page in pages if page.stem in ("settings", "probes", "convexp-train")]  # the longest of the reference
    for page in {*written, *made}:
        browser_page.goto(page.as_uri())
        for size in (PHONE, DESKTOP):
            browser_page.set_viewport_size(size)
            width = browser_page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], f"{page.name} is {width} pixels wide at {size['width']}"
    assert seen.errors == []
    assert [address for address in seen.requests if not address.startswith("file:")] == []


@pytest.mark.e2e
def test_the_search_finds_a_word(site, browser_page):
    seen = watch(browser_page)
    browser_page.goto((site / "concepts/trust.html").as_uri())
    browser_page.locator(".md-search__input").press_sequentially("bootstrap")
    browser_page.locator(".md-search-result__link[href*='statistics.html']").first.click()
    browser_page.wait_for_url("**/concepts/statistics.html*")
    assert seen.errors == []
    assert [address for address in seen.requests if not address.startswith("file:")] == []
