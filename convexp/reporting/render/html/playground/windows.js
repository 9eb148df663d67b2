"use strict";

// The pixels that a unit sees: from top and left to before bottom and right.
function fieldOf(network, stage, [i, j]) {
  const { top, left, bottom, right } = network.receptiveField(stage, i, j);
  return { top, left, bottom: bottom + 1, right: right + 1 };
}

// The receptive fields that are outlined on the image, one for each network, in parts of the image's size.
function showWindows(layer, windows, { height, width }) {
  layer.replaceChildren(
    ...windows.map(({ card, field }, i) => {
      const same = windows.slice(0, i).filter((other) => JSON.stringify(other.field) === JSON.stringify(field)).length;
      const box = document.createElement("div");
      box.className = "pg-window";
      box.style.setProperty("--hue", `var(--hue${card.entry.index})`);
      box.style.setProperty("--rank", same); // equal ones lie in each other
      box.dataset.network = card.entry.label;
      box.style.top = `${(100 * field.top) / height}%`;
      box.style.left = `${(100 * field.left) / width}%`;
      box.style.height = `${(100 * (field.bottom - field.top)) / height}%`;
      box.style.width = `${(100 * (field.right - field.left)) / width}%`;
      return box;
    }),
  );
}

// What is outlined, in words. What is said of every network on the page is not said again.
function windowWords(windows, cards) {
  const everywhere = cards.map((card) => card.entry.label.split(" ")).reduce((a, b) => a.filter((word) => b.includes(word)));
  const name = ({ entry: { label } }) => label.split(" ").filter((word) => !everywhere.includes(word)).join(" ") || label;
  const sizes = windows.map(({ card, field: { top, left, bottom, right } }) => {
    return `${name(card)} ${bottom - top}${SPACE}×${SPACE}${right - left}`;
  });
  return sizes.length ? `Pixels that the marked unit sees: ${sizes.join(", ")}` : "";
}

// The unit of a map whose receptive field has its middle nearest to a pixel; if all see the same, the one at the same place.
function unitNear(network, stage, map, [row, column], { height, width }) {
  const nearest = (count, pixel, size, middle) => {
    const middles = Array.from({ length: count }, (_, i) => middle(i));
    if (middles.every((value) => value === middles[0])) return Math.min(count - 1, Math.floor((pixel / size) * count));
    const off = middles.map((value) => Math.abs(value - pixel - 0.5));
    return off.indexOf(Math.min(...off));
  };
  const field = (i, j) => fieldOf(network, stage, [i, j]);
  return [
    nearest(map.height, row, height, (i) => (field(i, 0).top + field(i, 0).bottom) / 2),
    nearest(map.width, column, width, (j) => (field(0, j).left + field(0, j).right) / 2),
  ];
}
