"use strict";

const MOST_BARS = 12;
const SPACE = "\u00a0"; // where no line breaks
const percent = (share) => `${Math.round(100 * share)}${SPACE}%`;

// Whether an answer is right; if nobody knows what the image shows, whether it is as it was before the image moved.
function verdictWords(right, known, unmoved) {
  if (!known && unmoved) return "its answer";
  return `${right ? "✓" : "✗"} ${known ? (right ? "right" : "wrong") : right ? "unchanged" : "changed"}`;
}

// One network beside the others: its answer, its bars, where it is right, its feature maps.
class Card {
  constructor(element, entry, classes, limit) {
    this.element = element;
    this.classes = classes;
    this.sweep = new Sweep(limit);
    this.part = (name) => element.querySelector(`.pg-${name}`);
    this.bars = [];
    for (let i = 0; i < Math.min(classes.length, MOST_BARS); i++) this.bars.push(this.#bar());
    this.use(entry);
  }

  #bar() {
    const row = document.createElement("li");
    const [label, track, share] = ["pg-label", "pg-track", "pg-share"].map((name) => {
      const part = document.createElement("span");
      part.className = name;
      row.append(part);
      return part;
    });
    const fill = document.createElement("span");
    track.append(fill);
    this.part("bars").append(row);
    return { row, label, fill, share };
  }

  // Show another network; one that is damaged says so in its place.
  use(entry) {
    this.entry = entry;
    this.element.style.setProperty("--hue", `var(--hue${entry.index})`);
    const [model, ...settings] = entry.label.split(" ");
    this.part("name").textContent = settings.length ? `${model} ` : model;
    this.part("settings").textContent = settings.join(" ");
    this.part("note").textContent = entry.note;
    this.part("maps").querySelector("canvas").setAttribute("aria-label", `Feature maps of ${entry.label}: the arrow keys choose a unit`);
    this.broken("");
    this.sweep.reset();
    this.home = this.seen = this.known = null;
    try {
      this.network = new Network(entry.spec);
    } catch (error) {
      this.broken(error.message);
    }
  }

  broken(reason) {
    if (reason) this.network = null;
    this.element.classList.toggle("pg-is-broken", Boolean(reason));
    this.part("broken").textContent = reason;
  }

  // What the network says to an image: {answer, probabilities, maps}; null if it cannot. There are maps only if asked for.
  run(pixels, withMaps = false) {
    if (!this.network) return null;
    try {
      const { probabilities, maps } = this.network.forward(pixels, withMaps);
      return { probabilities, maps, answer: probabilities.indexOf(Math.max(...probabilities)) };
    } catch (error) {
      this.broken(error.message);
      return null;
    }
  }

  // A new image, unshifted: what is it taken for, and how bright are its feature maps?
  begin(pixels) {
    this.unmoved = pixels;
    this.sweep.reset();
    const found = this.run(pixels, true);
    this.home = found && {
      found,
      answer: found.answer,
      ranges: found.maps.map(mapRange),
      names: found.maps.map(({ name }) => name),
    };
  }

  // The class that counts as right: that of the image or, if nobody knows, what the network says without a shift.
  wanted(truth) {
    return truth >= 0 || !this.home ? truth : this.home.answer;
  }

  // Show what the network says to the image as it lies now.
  show(pixels, truth) {
    const kept = this.network && this.home && pixels === this.unmoved;
    const found = kept ? this.home.found : this.run(pixels, true);
    if (!found) return;
    this.seen = found;
    const wanted = this.wanted(truth);
    const right = found.answer === wanted;
    this.element.classList.toggle("pg-is-right", right);
    this.part("class").textContent = this.classes[found.answer];
    this.part("verdict").textContent = verdictWords(right, truth >= 0, pixels === this.unmoved);
    this.part("sure").textContent = `${percent(found.probabilities[found.answer])} sure`;
    this.#showBars(found, wanted);
  }

  #showBars({ probabilities, answer }, wanted) {
    const classes = [...probabilities.keys()];
    if (classes.length > this.bars.length) classes.sort((a, b) => probabilities[b] - probabilities[a]);
    this.bars.forEach(({ row, label, fill, share }, i) => {
      const k = classes[i];
      row.className = `${k === wanted ? "pg-wanted" : ""} ${k === answer ? "pg-answered" : ""}`;
      label.textContent = this.classes[k];
      fill.style.width = `${100 * probabilities[k]}%`;
      share.textContent = percent(probabilities[k]);
    });
  }

  // The feature map of a stage, or of the last one if there are fewer.
  stage(index) {
    const maps = this.seen ? this.seen.maps : [];
    const at = Math.min(index, maps.length - 1);
    return at < 0 ? null : { at, map: maps[at] };
  }

  showMaps(index, unit) {
    const { at, map } = this.stage(index) || {};
    this.part("maps").hidden = !map;
    if (!map) return;
    const canvas = this.part("maps").querySelector("canvas");
    paintMaps(canvas, map, this.home ? this.home.ranges[at] : mapRange(map), unit, this.colours.hue);
    const shown = Math.min(map.channels, MOST_TILES);
    const which = shown < map.channels ? `The first ${shown} of ${map.channels}` : `All ${shown}`;
    this.part("maps").querySelector("figcaption").textContent = `${which} maps, ${map.height}${SPACE}×${SPACE}${map.width} units`;
  }

  // Find answers at further shifts until `deadline`; `moved` maps a shift to an image. Returns whether there are more to find.
  advance(moved, deadline) {
    while (this.network && this.home && !this.sweep.finished) {
      this.sweep.advance((shift) => this.#answer(moved(shift)));
      if (performance.now() > deadline) break;
    }
    return Boolean(this.network && this.home && !this.sweep.finished);
  }

  // The class that the network says an image shows; -2 if it cannot.
  #answer(pixels) {
    const found = pixels === this.unmoved ? this.home.found : this.run(pixels);
    return found ? found.answer : -2;
  }

  showShifts(shift, truth) {
    const canvas = this.part("shifts").querySelector("canvas");
    const wanted = this.wanted(truth);
    paintShifts(canvas, this.sweep, wanted, shift, this.colours);
    const caption = this.sweep.finished ? this.#summary(wanted, truth) : "Trying all shifts …";
    if (this.part("shifts").querySelector("figcaption").textContent !== caption) {
      this.part("shifts").querySelector("figcaption").textContent = caption;
      canvas.setAttribute("aria-label", `A map of the shifts. ${caption}`);
    }
  }

  #summary(wanted, truth) {
    const { right, radius } = this.sweep.count(wanted);
    const word = truth >= 0 ? "Right" : "Unchanged";
    const whole = this.sweep.order.length;
    if (right === whole) return `${word} at all ${whole} shifts`;
    const reach = radius < 0 ? "" : radius === 0 ? "; 1 pixel can break it" : `; safe up to ${radius} pixel${radius > 1 ? "s" : ""}`;
    return `${word} at ${right} of ${whole} shifts${reach}`;
  }

  // The colours of the page, which are asked for once, as long as they stay the same.
  get colours() {
    if (!this.known) {
      const style = getComputedStyle(this.element);
      const [hue, pale, ink] = ["--hue", "--pale", "--ink"].map((name) => style.getPropertyValue(name).trim());
      this.known = { hue, pale, ink };
    }
    return this.known;
  }
}
