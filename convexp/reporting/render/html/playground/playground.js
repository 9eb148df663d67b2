"use strict";

const LARGEST_LIMIT = 12;
const FIRST_MS = 100; // for the choice of the first image
const SEARCH_MS = 8; // of each frame, for answers at other shifts
const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
const clamp = (value, limit) => Math.max(-limit, Math.min(limit, value));

// How far an image is moved: until its content leaves the canvas by two pixels, at least 4 and at most 12 pixels.
function shiftLimit({ height, width }, content) {
  const [h, w] = Array.isArray(content) ? content : [height, width];
  const room = (size, inner) => Math.min(size - 1, LARGEST_LIMIT, Math.max(4, Math.floor((size - inner) / 2) + 2));
  return [room(height, h), room(width, w)];
}

// The section in which a visitor moves an image and networks answer.
class Playground {
  constructor(section) {
    this.section = section;
    this.part = (name) => section.querySelector(`.pg-${name}`);
    const data = JSON.parse(this.part("data").textContent);
    this.shape = data.input;
    this.classes = data.classes;
    this.circular = data.protocol === "circular";
    this.limit = shiftLimit(this.shape, data.content);
    this.networks = data.networks;
    this.examples = this.#examples(data);
    this.box = brightBox(this.examples, this.shape);
    this.pen = new Pen(this.shape, this.box);
    this.index = 0; // of the stage whose maps are shown
    this.drawing = false;
    this.pinned = this.hovered = this.pixel = null;
    this.cards = this.networks.filter((entry) => entry.shown).map((entry) => this.#card(entry));
    this.part("networks").style.setProperty("--count", this.cards.length);
    this.part("networks").classList.toggle("pg-many", this.cards.length > 3);
    this.#controls();
    this.#pointer();
    this.#thumbs();
    this.part("app").hidden = false;
    this.pick(this.#first());
  }

  // The first example that all networks recognise, so that what goes wrong later is the move's fault; the first one if none is
  // found in time, and -1 if there is no example.
  #first() {
    const deadline = performance.now() + FIRST_MS;
    const known = ({ pixels, label }) => this.cards.every((card) => (card.run(pixels) || { answer: label }).answer === label);
    for (let i = 0; i < this.examples.length && performance.now() < deadline; i++) {
      if (known(this.examples[i])) return i;
    }
    return this.examples.length ? 0 : -1;
  }

  // --- What the visitor chooses

  pick(example) {
    const { pixels, label } = this.examples[example] || { pixels: new Float32Array(this.#size()), label: -1 };
    this.#draw(false);
    this.truth = label < this.classes.length ? label : -1;
    this.part("thumbs")
      .querySelectorAll("button")
      .forEach((button, i) => button.setAttribute("aria-pressed", i === example));
    this.#begin(pixels);
  }

  // Move the image: [down, right] in pixels from where it was.
  move([down, right]) {
    if (this.drawing) this.#draw(false);
    this.shift = [clamp(down, this.limit[0]), clamp(right, this.limit[1])];
    this.#change();
  }

  draw() {
    this.pick(-1);
    this.#draw(true);
  }

  // --- Parts of the page

  #size() {
    return this.shape.channels * this.shape.height * this.shape.width;
  }

  // The embedded test images; none if they are damaged.
  #examples(data) {
    try {
      return Network.images(data);
    } catch {
      return [];
    }
  }

  #card(entry) {
    const element = this.part("template").content.firstElementChild.cloneNode(true);
    this.part("networks").append(element);
    element.style.setProperty("--column", this.section.querySelectorAll(".pg-network").length);
    const card = new Card(element, entry, this.classes, this.limit);
    this.#choice(card);
    const maps = card.part("maps").querySelector("canvas");
    maps.addEventListener("pointermove", (event) => this.#point(card, event, "hovered"));
    maps.addEventListener("pointerdown", (event) => this.#point(card, event, "pinned"));
    maps.addEventListener("pointerleave", () => this.#look("hovered", null));
    maps.addEventListener("focus", () => maps.matches(":focus-visible") && this.#step(card, [0, 0]));
    maps.addEventListener("keydown", (event) => this.#keyOnMaps(card, event));
    const shifts = card.part("shifts").querySelector("canvas");
    const go = (event) => event.buttons && this.move(shiftAt(shifts, card.sweep, event));
    shifts.addEventListener("pointerdown", (event) => (shifts.setPointerCapture(event.pointerId), go(event)));
    shifts.addEventListener("pointermove", go);
    return card;
  }

  // Where more networks are embedded than shown, the name is a choice.
  #choice(card) {
    const select = card.part("choose");
    if (this.networks.length <= this.networks.filter((entry) => entry.shown).length) return select.remove();
    card.element.classList.add("pg-has-choice");
    select.append(...this.networks.map((entry) => new Option(entry.label, entry.index)));
    select.value = card.entry.index;
    select.addEventListener("change", () => {
      card.use(this.networks[select.value]);
      card.begin(this.base);
      this.pinned = this.hovered = null;
      this.#stages();
      this.#change();
    });
  }

  #controls() {
    const { part } = this;
    [["down", 0], ["right", 1]].forEach(([name, axis]) => {
      const slider = part(name);
      [slider.min, slider.max] = [-this.limit[axis], this.limit[axis]];
      slider.addEventListener("input", () => this.move(this.shift.map((value, i) => (i === axis ? Number(slider.value) : value))));
    });
    part("home").addEventListener("click", () => this.move([0, 0]));
    part("draw").addEventListener("click", () => (this.drawing ? this.#draw(false) : this.draw()));
    part("clear").addEventListener("click", () => this.draw());
    part("truth").append(new Option("I do not know", -1), ...this.classes.map((name, i) => new Option(name, i)));
    part("truth").addEventListener("change", () => {
      this.truth = Number(part("truth").value);
      this.#change();
    });
    part("stage").addEventListener("change", () => {
      this.index = Number(part("stage").value);
      this.pinned = this.hovered = null;
      this.#change();
    });
    part("image").addEventListener("keydown", (event) => this.#keyOnImage(event));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      this.cards.forEach((card) => (card.known = null));
      this.#change();
    });
    new IntersectionObserver(([entry]) => {
      this.visible = entry.isIntersecting;
      this.#schedule();
    }, { rootMargin: "400px" }).observe(this.section);
  }

  #stages() {
    const names = this.cards.map(({ home }) => (home ? home.names : [])).reduce((a, b) => (b.length > a.length ? b : a), []);
    const select = this.part("stage");
    if (select.length === names.length) return;
    select.replaceChildren(...names.map((name, i) => new Option(`after ${/^stage\d+$/.test(name) ? `stage ${i + 1}` : name}`, i)));
    this.index = Math.min(this.index, Math.max(0, names.length - 1));
    select.value = this.index;
  }

  #thumbs() {
    this.part("thumbs").append(
      ...this.examples.map(({ pixels, label }, i) => {
        const button = document.createElement("button");
        const canvas = document.createElement("canvas");
        paintImage(canvas, pixels, this.shape);
        button.type = "button";
        button.title = label in this.classes ? this.classes[label] : "";
        button.setAttribute("aria-label", `Test image ${i + 1}${button.title && `, ${button.title}`}`);
        button.append(canvas);
        button.addEventListener("click", () => this.pick(i));
        return button;
      }),
    );
  }

  // --- Dragging, drawing, keys

  #pointer() {
    const canvas = this.part("image");
    const at = (event) => {
      const box = canvas.getBoundingClientRect();
      const { height, width } = this.shape;
      return [((event.clientY - box.top) / box.height) * height, ((event.clientX - box.left) / box.width) * width];
    };
    let start = null;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      canvas.setPointerCapture(event.pointerId);
      start = { point: at(event), shift: this.shift, moved: false };
      this.stroking = this.drawing;
      if (this.drawing) this.#stroke(start.point, start.point);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!start) return;
      const point = at(event);
      if (this.drawing) {
        this.#stroke(start.point, point);
        start.point = point;
        return;
      }
      const shift = [0, 1].map((axis) => start.shift[axis] + Math.round(point[axis] - start.point[axis]));
      start.moved ||= shift.some((value, axis) => value !== start.shift[axis]);
      if (start.moved) this.move(shift);
    });
    const end = () => {
      start = null;
      this.stroking = false;
      this.#change();
    };
    canvas.addEventListener("pointerup", () => {
      if (start && !start.moved && !this.drawing) this.#look("pixel", start.point.map(Math.floor));
      end();
    });
    canvas.addEventListener("pointercancel", end);
  }

  #stroke(from, to) {
    this.pen.line(this.base, from, to);
    this.#begin(this.base);
  }

  #draw(on) {
    this.drawing = on;
    this.part("draw").textContent = this.part("draw").dataset[on ? "on" : "off"];
    this.part("clear").hidden = !on;
    this.section.classList.toggle("pg-drawing", on);
    const { height, width } = this.shape;
    const frame = this.part("frame").style;
    frame.top = `${(100 * this.box.top) / height}%`;
    frame.left = `${(100 * this.box.left) / width}%`;
    frame.height = `${(100 * (this.box.bottom - this.box.top)) / height}%`;
    frame.width = `${(100 * (this.box.right - this.box.left)) / width}%`;
  }

  #keyOnImage(event) {
    const step = ARROWS[event.key];
    if (event.key === "Escape") this.#look("pixel", null);
    else if (event.key === "Home") this.move([0, 0]);
    else if (step) this.move(this.shift.map((value, axis) => value + step[axis]));
    else return;
    event.preventDefault();
  }

  #keyOnMaps(card, event) {
    if (event.key === "Escape") this.#look("pinned", null);
    else if (ARROWS[event.key]) this.#step(card, ARROWS[event.key]);
    else return;
    event.preventDefault();
  }

  // --- The unit whose receptive field is outlined

  // Pin the unit that is a step away from the one pinned in this network, or the one in the middle.
  #step(card, step) {
    const found = card.stage(this.index);
    if (!found) return;
    const size = [found.map.height, found.map.width];
    const from = this.pinned && this.pinned.card === card ? this.pinned.unit : size.map((units) => Math.floor(units / 2));
    const unit = from.map((value, axis) => Math.max(0, Math.min(size[axis] - 1, value + step[axis])));
    this.#look("pinned", { card, unit });
  }

  #point(card, event, which) {
    const found = card.stage(this.index);
    const unit = found && unitAt(event.currentTarget, found.map, event);
    this.#look(which, unit && { card, unit });
  }

  // A unit that is hovered or pinned, or a pixel that is clicked; the last of the two that stay counts.
  #look(which, value) {
    if (which !== "hovered") this.pinned = this.pixel = null;
    this[which] = value;
    this.#change();
  }

  // The marked unit of a network, [i, j], or null.
  #unit(card) {
    const found = card.stage(this.index);
    const one = this.hovered || this.pinned;
    if (!found || !card.network) return null;
    if (one) return one.card === card ? one.unit : null;
    return this.pixel && unitNear(card.network, found.at, found.map, this.pixel, this.shape);
  }

  // --- Showing

  #begin(pixels) {
    this.base = Float32Array.from(pixels);
    this.shift = [0, 0];
    this.fresh = true;
    this.#change();
  }

  #change() {
    this.changed = true;
    this.#schedule();
  }

  #schedule() {
    if (this.scheduled || !this.visible) return;
    this.scheduled = true;
    requestAnimationFrame(() => this.#frame());
  }

  #frame() {
    this.scheduled = false;
    if (this.changed) this.#show();
    const advance = (card) => card.advance((shift) => this.#moved(shift), performance.now() + SEARCH_MS / this.cards.length);
    const more = this.stroking ? [] : this.cards.filter(advance);
    if (this.changed || this.searching) this.cards.forEach((card) => card.showShifts(this.shift, this.truth));
    this.changed = false;
    this.searching = more.length > 0;
    if (this.searching) this.#schedule();
  }

  #moved(shift) {
    return shift.some(Boolean) ? shiftImage(this.base, this.shape, shift, this.circular) : this.base;
  }

  #show() {
    if (this.fresh) this.cards.forEach((card) => card.begin(this.base));
    this.fresh = false;
    this.#stages();
    const moved = this.#moved(this.shift);
    paintImage(this.part("image"), moved, this.shape);
    const windows = [];
    for (const card of this.cards) {
      card.show(moved, this.truth);
      const unit = this.#unit(card);
      card.showMaps(this.index, unit);
      if (unit) windows.push({ card, field: fieldOf(card.network, card.stage(this.index).at, unit) });
    }
    showWindows(this.part("windows"), windows, this.shape);
    const words = windowWords(windows, this.cards);
    this.part("seen").textContent = words || this.part("seen").dataset.hint;
    this.#showShift();
    this.#say(words);
  }

  #showShift() {
    const [down, right] = this.shift;
    this.part("where").textContent = shiftWords(this.shift);
    [this.part("down").value, this.part("right").value] = [down, right];
    this.part("home").disabled = !down && !right;
    this.part("truth").value = this.truth;
  }

  // For those who listen: once it has been still for a while.
  #say(words) {
    clearTimeout(this.saying);
    this.saying = setTimeout(() => {
      const answers = this.cards.filter((card) => card.seen).map((card) => `${card.entry.label}: ${card.part("answer").textContent.trim()}`);
      this.part("say").textContent = [shiftWords(this.shift), ...answers, words].filter(Boolean).join(". ");
    }, 700);
  }
}

for (const section of document.querySelectorAll(".playground")) new Playground(section);
