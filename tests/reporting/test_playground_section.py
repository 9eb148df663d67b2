"""The playground, as visitors use it in a real browser; torch says what the networks should answer."""

import re
from dataclasses import replace
from itertools import product

import pytest
import torch
from browser import watch
from fabricated_playground import CANVAS, WIRINGS, played
from msgspec.structs import replace as with_fields
from nets import STAGE

from convexp.data.canvas import shift_images
from convexp.reporting.render.html.playground import playground_html

NASTY = "<script>alert(1)</script></style><img src=x onerror=alert(2)> \"' & {{ 7*7 }}"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
LIMIT = 4  # of the shifts, with 4 x 4 pixels on 8 x 8


@pytest.fixture(scope="module")
def networks():
    return [played(wiring) for wiring in WIRINGS]


@pytest.fixture
def opened(browser_page, tmp_path):
    """Opens a page that has nothing but a playground: page, seen = opened(networks)."""

    def show(entries, width=1280, **more):
        section = playground_html([getattr(made, "entry", made) for made in entries], **more)
        head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        head += '<link rel="icon" href="data:,">'
        file = tmp_path / "page.html"
        style = f"<style>:root {{ --ink: #111; }} {section.css}</style>"
        file.write_text(f"<!doctype html>{head}{style}{section.markup}<script>{section.script}</script>", encoding="utf-8")
        seen = watch(browser_page)
        browser_page.set_viewport_size({"width": width, "height": 900})
        browser_page.goto(file.as_uri())
        assert seen.requests == [file.as_uri()]
        return browser_page, seen

    return show


def settled(page, sweeps=True):
    """Waits until everything is drawn, and every shift is tried."""
    page.wait_for_function(
        "sweeps => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done("
        "!sweeps || [...document.querySelectorAll('.pg-shifts figcaption')].every(c => !/^$|Trying/.test(c.textContent))))))",
        arg=sweeps,
    )


def shares(page, card):
    """The probabilities that the bars of a card show, in the order of the classes."""
    widths = page.locator(".pg-network").nth(card).locator(".pg-track span")
    return [float(width.rstrip("%")) / 100 for width in widths.evaluate_all("all => all.map(s => s.style.width)")]


def pixels(page):
    """What the canvas of the image shows, (H, W)."""
    data = page.locator(".pg-image").evaluate(
        "c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, i) => i % 4 === 0)"
    )
    return torch.tensor(data, dtype=torch.uint8).reshape(CANVAS, -1)


def shows(page, networks, shift):
    """Checks the image and what every network says to it, after a shift (down, right)."""
    settled(page)
    moved = shift_images(networks[0].pictures[[0]], shift, networks[0].entry.protocol, (CANVAS, CANVAS))
    assert torch.equal(pixels(page), moved[0, 0])
    for card, made in enumerate(networks):
        right = made.probabilities(shift)
        assert shares(page, card) == pytest.approx(right, abs=0.01)
        answer = right.index(max(right))
        said = page.locator(".pg-network").nth(card)
        assert said.locator(".pg-class").inner_text() == "abc"[answer]
        assert said.locator(".pg-verdict").inner_text() == ("✓ right" if answer == 0 else "✗ wrong")
    assert [page.locator(f".pg-{name}").input_value() for name in ("down", "right")] == [str(n) for n in shift]


def drag(page, down, right):
    """Drags the image by so many of its pixels."""
    box = page.locator(".pg-image").bounding_box()
    cell, x, y = box["width"] / CANVAS, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + cell * right, y + cell * down, steps=7)
    page.mouse.up()


def test_mouse_keys_sliders_and_squares_move_the_image_and_the_answers_follow(opened, networks):
    page, seen = opened(networks)
    shows(page, networks, (0, 0))
    assert page.locator(".pg-where").inner_text() == "Not moved"
    drag(page, 1, 2)
    shows(page, networks, (1, 2))
    assert page.locator(".pg-where").inner_text() == "Moved 2 to the right and 1 down"
    page.locator(".pg-image").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    shows(page, networks, (-1, 1))
    page.locator("input.pg-right").fill("-3")
    page.locator("input.pg-down").fill("2")
    shows(page, networks, (2, -3))
    drag(page, 9, -9)  # not beyond the limit
    shows(page, networks, (LIMIT, -LIMIT))
    map_of_shifts = page.locator(".pg-shifts canvas").nth(1)
    size = map_of_shifts.bounding_box()["width"] / (2 * LIMIT + 1)
    map_of_shifts.click(position={"x": (LIMIT + 3.5) * size, "y": (LIMIT - 0.5) * size})
    shows(page, networks, (-1, 3))
    page.get_by_role("button", name="Put it back").click()
    shows(page, networks, (0, 0))
    page.wait_for_function("() => document.querySelector('.pg-say').textContent.startsWith('Not moved. dense: ')")
    assert seen.errors == []


def test_the_map_of_shifts_is_what_torch_finds(opened, networks):
    page, seen = opened(networks)
    settled(page)
    every = list(product(range(-LIMIT, LIMIT + 1), repeat=2))
    for card, made in enumerate(networks):
        answers = {shift: max(range(3), key=made.probabilities(shift).__getitem__) for shift in every}
        said = page.locator(".pg-shifts figcaption").nth(card).inner_text()
        right = sum(answer == 0 for answer in answers.values())
        assert said.startswith(f"Right at {right} of 81 shifts")
        assert page.locator(".pg-shifts canvas").nth(card).get_attribute("aria-label").endswith(said)
        colours = (
            page.locator(".pg-shifts canvas")
            .nth(card)
            .evaluate(
                "c => { const read = (x, y) => c.getContext('2d').getImageData(x, y, 1, 1).data.join();"
                "return [...Array(81).keys()].map(i => read(12 * (i % 9) + 3, 12 * Math.floor(i / 9) + 8)) }"
            )
        )
        groups = {colour: {every[i] for i, c in enumerate(colours) if c == colour} for colour in colours}
        assert sorted(map(len, groups.values())) == sorted(n for n in (right, 81 - right) if n)
        assert {s for s, answer in answers.items() if answer == 0} in groups.values() or not right
    assert seen.errors == []


def test_nothing_is_drawn_while_nothing_changes(opened, networks):
    page, _ = opened(networks)
    settled(page)
    page.evaluate(
        "() => { const ask = requestAnimationFrame; window.frames_asked = 0;"
        "window.requestAnimationFrame = f => { window.frames_asked++; return ask(f) } }"
    )
    page.locator(".pg-where").hover()
    rests = page.evaluate(  # what the hovering has begun ends in time: then no frame is asked for in 0.3 s
        "async () => { for (let tries = 0; tries < 30; tries++) { window.frames_asked = 0;"
        "await new Promise(done => setTimeout(done, 300)); if (!window.frames_asked) return true } return false }"
    )
    assert rests
    page.locator("input.pg-right").fill("1")
    assert page.evaluate("window.frames_asked") == 1


def test_a_digit_is_drawn_judged_and_moved(opened, networks):
    page, seen = opened(networks)
    page.get_by_role("button", name="Draw your own").click()
    frame, image = page.locator(".pg-frame").bounding_box(), page.locator(".pg-image").bounding_box()
    cell = image["width"] / CANVAS
    assert [frame[k] for k in ("width", "height")] == pytest.approx([4 * cell] * 2, abs=1)
    assert frame["x"] - image["x"] == pytest.approx(2 * cell, abs=1)  # where the squares lie
    page.mouse.move(frame["x"] + cell / 2, frame["y"] + cell / 2)
    page.mouse.down()
    page.mouse.move(frame["x"] + 3.5 * cell, frame["y"] + cell / 2, steps=5)
    page.mouse.move(frame["x"] + 3.5 * cell, frame["y"] + 3.5 * cell, steps=5)
    page.mouse.up()
    settled(page)
    drawn = pixels(page)
    assert torch.cat((drawn[2, 2:6], drawn[2:6, 5])).min() > 200  # the strokes
    assert torch.cat((drawn[4:, :4].flatten(), drawn[0])).max() == 0
    first = networks[0].of(drawn[None, None])
    assert shares(page, 0) == pytest.approx(first, abs=0.01)
    card = page.locator(".pg-network").first
    assert card.locator(".pg-verdict").inner_text() == "its answer"
    assert card.locator("figcaption").first.inner_text().startswith("Unchanged at ")
    answer = first.index(max(first))
    page.locator(".pg-truth").select_option(label="abc"[(answer + 1) % 3])
    settled(page)
    assert card.locator(".pg-verdict").inner_text() == "✗ wrong"
    page.get_by_role("button", name="Now move it").click()
    drag(page, 0, -1)
    settled(page)
    assert torch.equal(pixels(page)[:, :-1], drawn[:, 1:])
    page.locator(".pg-truth").select_option(label="I do not know")
    settled(page)
    moved = networks[0].of(pixels(page)[None, None])
    unchanged = moved.index(max(moved)) == answer
    assert card.locator(".pg-verdict").inner_text() == ("✓ unchanged" if unchanged else "✗ changed")
    page.get_by_role("button", name="Draw your own").click()
    settled(page)
    assert not pixels(page).any()
    assert seen.errors == []


def outline(page, index=0):
    """Rows and columns of an outline on the image: top, left, height, width, in pixels of the image."""
    style = page.locator(".pg-window").nth(index).evaluate("w => [w.style.top, w.style.left, w.style.height, w.style.width]")
    return [round(float(part.rstrip("%")) * CANVAS / 100, 4) for part in style]


def test_the_outline_is_the_receptive_field_of_the_unit(opened):
    stride = {"stages": (replace(STAGE, stride=(2, 2)),)}
    made = [played(wiring, **stride) for wiring in WIRINGS]
    page, seen = opened(made)
    settled(page)
    fields = made[2].network.skeleton.receptive_fields()[0]
    maps = page.locator(".pg-maps canvas").nth(2)
    maps.focus()
    page.keyboard.press("ArrowUp")  # from the middle, unit (2, 2) of 4 x 4; the focus by script pins nothing
    settled(page)
    at = page.evaluate("document.querySelectorAll('.pg-window').length")
    assert at == 1
    top, left, height, width = outline(page)
    assert (height, width) == (fields[0].size, fields[1].size)
    assert [(top - fields[0].first) / 2, (left - fields[1].first) / 2] == [1, 2]
    page.keyboard.press("ArrowLeft")
    settled(page)
    assert outline(page) == [top, left - 2, height, width]
    box = page.locator(".pg-maps canvas").nth(1).bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + 1)  # the first unit
    settled(page)
    assert outline(page) == [-1, -1, 3, 3]
    assert "local 3 × 3" in page.locator(".pg-seen").inner_text().replace("\N{NO-BREAK SPACE}", " ")
    page.mouse.move(5, 5)
    cell = page.locator(".pg-image").bounding_box()["width"] / CANVAS
    page.locator(".pg-image").click(position={"x": 4.5 * cell, "y": 2.5 * cell})
    settled(page)
    assert [outline(page, i) for i in range(3)] == [[0, 0, 8, 8], [1, 3, 3, 3], [1, 3, 3, 3]]
    drag(page, 1, 1)  # the image moves, and the unit stays
    settled(page)
    assert outline(page, 1) == [1, 3, 3, 3]
    assert seen.errors == []


def test_a_damaged_network_is_named_and_the_others_play(opened, networks):
    entry = networks[1].entry
    weights = b"\xff" * len(entry.content.weights)  # not a number
    page, seen = opened([networks[0], replace(entry, content=with_fields(entry.content, weights=weights)), networks[2]])
    settled(page, sweeps=False)
    broken = page.locator(".pg-network").nth(1)
    assert "not finite" in broken.locator(".pg-broken").inner_text()
    assert not broken.locator(".pg-bars").is_visible()
    drag(page, 1, 0)
    settled(page, sweeps=False)
    for card in (0, 2):
        assert shares(page, card) == pytest.approx(networks[card].probabilities((1, 0)), abs=0.01)
    assert seen.errors == []


def test_damaged_images_leave_the_pen(opened, networks):
    entry = networks[0].entry
    images = with_fields(entry.content.images, label=[0])
    page, seen = opened([replace(entry, content=with_fields(entry.content, images=images))])
    settled(page)
    assert page.locator(".pg-thumbs button").count() == 0
    assert not pixels(page).any()
    assert seen.errors == []


def test_texts_of_networks_are_texts(opened):
    made = played(classes=[NASTY, "</script>", "c"])
    page, seen = opened([replace(made.entry, label=NASTY, note=NASTY)], left_out={NASTY: [NASTY]})
    settled(page)
    assert page.locator(".pg-label-of").inner_text() == page.locator(".pg-note").inner_text() == NASTY
    assert page.locator(".pg-label").first.text_content() == NASTY
    assert f"Not here: {NASTY} ({NASTY})." in page.locator(".pg-fine").inner_text()
    assert page.locator("script").count() == 2  # the data and the script of the page
    assert page.locator("img").count() == 0
    assert seen.errors == []


def test_colours_many_classes_other_networks_and_what_comes_back(opened):
    many = {"classes": [f"class {k}" for k in range(15)], "input_shape": (3, 8, 8), "protocol": "circular"}
    made = [played(wiring, **many) for wiring in WIRINGS]
    page, seen = opened([made[0], replace(made[1].entry, shown=False), made[2]])
    settled(page)
    assert page.locator(".pg-network").count() == 2
    assert page.locator(".pg-network").first.locator("li").count() == 12
    page.locator("input.pg-right").fill("3")
    settled(page)
    assert "comes in at the other side (circular)" in page.locator(".pg-fine").inner_text()
    assert torch.equal(pixels(page), made[0].pictures[0, 0].roll(3, 1))  # of red, of which a part has left the image
    best = sorted(made[0].probabilities((0, 3)), reverse=True)[:12]
    assert shares(page, 0) == pytest.approx(best, abs=0.01)
    choice = page.get_by_role("combobox", name="Another network").first
    assert choice.locator("option").all_inner_texts() == list(WIRINGS)
    choice.select_option("local")
    settled(page)
    assert shares(page, 0) == pytest.approx(sorted(made[1].probabilities((0, 3)), reverse=True)[:12], abs=0.01)
    page.locator(".pg-thumbs button").nth(2).click()
    settled(page)
    assert torch.equal(pixels(page), made[0].pictures[2, 0])
    assert seen.errors == []


def test_fingers_drag_too_and_a_phone_has_room(opened, networks):
    page, seen = opened(networks, width=390)
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    event = (
        "(c, [type, x, y]) => c.dispatchEvent("
        "new PointerEvent(type, {pointerType: 'touch', isPrimary: true, clientX: x, clientY: y}))"
    )
    image = page.locator(".pg-image")
    image.evaluate("c => (c.setPointerCapture = () => {})")  # there is no finger to capture
    box = image.bounding_box()
    for type_, x in (("pointerdown", 100), ("pointermove", 100 + 2 * box["width"] / CANVAS), ("pointerup", 0)):
        image.evaluate(event, [type_, x, 200])
    shows(page, networks, (0, 2))
    assert image.evaluate("c => getComputedStyle(c).touchAction") == "none"
    page.emulate_media(media="print")
    assert not page.locator(".playground").is_visible()
    assert seen.errors == []


def test_without_a_script_a_sentence_stands_there(browser, tmp_path, networks):
    section = playground_html([networks[0].entry])
    (tmp_path / "page.html").write_text(f"<!doctype html><style>{section.css}</style>{section.markup}", encoding="utf-8")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert "needs JavaScript" in page.inner_text("body")
    assert not page.locator(".pg-app").is_visible()
    context.close()


def test_styles_and_script_stay_in_the_section(networks):
    section = playground_html([networks[0].entry])
    script = re.sub(r"//.*", "", section.script).strip()
    assert script.startswith("(() => {")
    assert script.endswith("})();")
    selectors = re.findall(r"(?m)^\s*([^@{}\n]+) \{", section.css)
    assert selectors
    assert all(
        re.match(r"(\.pg-|\.playground)", part.strip()) for s in selectors for part in re.sub(r"\(.*?\)", "", s).split(",")
    )
