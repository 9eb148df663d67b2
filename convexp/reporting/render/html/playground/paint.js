"use strict";

// Pictures of a network: its feature maps and the shifts at which it is right.

const TILES_IN_A_ROW = 4;
const MOST_TILES = 8;

// How tiles of feature maps lie on a canvas: `size` drawn pixels for each unit, a gap of a twelfth of a tile.
function tiling({ channels, height, width }) {
  const size = Math.max(1, Math.ceil(96 / Math.max(height, width)));
  const shown = Math.min(channels, MOST_TILES);
  const gap = Math.max(2, Math.round((size * width) / 12));
  const columns = Math.min(shown, TILES_IN_A_ROW);
  return { size, shown, gap, columns, rows: Math.ceil(shown / columns), across: size * width + gap, down: size * height + gap };
}

// The smallest and the largest value of the channels that are shown, and 0.
function mapRange(map) {
  const values = map.data.subarray(0, Math.min(map.channels, MOST_TILES) * map.height * map.width);
  return values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [0, 1e-6]);
}

const SMALL = document.createElement("canvas"); // a map, a pixel for each unit

// Draw the first feature maps from black (smallest) to white (largest), and mark a unit, [i, j], in all of them.
function paintMaps(canvas, map, range, unit, colour) {
  const { size, shown, gap, columns, rows, across, down } = tiling(map);
  const context = resized(canvas, columns * across - gap, rows * down - gap);
  context.imageSmoothingEnabled = false;
  for (let tile = 0; tile < shown; tile++) {
    const [x, y] = [(tile % columns) * across, Math.floor(tile / columns) * down];
    paintMap(SMALL, map, tile, range);
    context.drawImage(SMALL, x, y, size * map.width, size * map.height);
    if (unit) outlineUnit(context, x + unit[1] * size, y + unit[0] * size, size, colour);
  }
}

// An empty canvas of this size; a new size takes longer.
function resized(canvas, width, height) {
  const context = canvas.getContext("2d");
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  else context.clearRect(0, 0, width, height);
  return context;
}

function paintMap(canvas, { height, width, data }, channel, [low, high]) {
  const context = resized(canvas, width, height);
  const picture = context.createImageData(width, height);
  const units = height * width;
  for (let i = 0; i < units; i++) {
    const share = (data[channel * units + i] - low) / (high - low);
    picture.data.fill(Math.round(255 * Math.max(0, Math.min(1, share))), 4 * i, 4 * i + 3);
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}

function outlineUnit(context, x, y, size, colour) {
  const line = Math.max(2, size / 5);
  for (const [stroke, wide] of [["#fff", line + 2], [colour, line]]) {
    context.strokeStyle = stroke;
    context.lineWidth = wide;
    context.strokeRect(x, y, size, size);
  }
}

// The unit below a point of the canvas that drew the maps, [i, j]; null in a gap.
function unitAt(canvas, map, event) {
  const { size, across, down } = tiling(map);
  const box = canvas.getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * canvas.width;
  const y = ((event.clientY - box.top) / box.height) * canvas.height;
  const [i, j] = [Math.floor((y % down) / size), Math.floor((x % across) / size)];
  return i >= 0 && j >= 0 && i < map.height && j < map.width ? [i, j] : null;
}

const CELL = 12;

// Draw a cell for each shift: filled with colour where the answer is `wanted`, pale where it is not; the present shift is framed.
function paintShifts(canvas, sweep, wanted, shift, { hue, pale, ink }) {
  const context = resized(canvas, sweep.columns * CELL, sweep.rows * CELL);
  sweep.answers.forEach((answer, index) => {
    const [x, y] = [(index % sweep.columns) * CELL, Math.floor(index / sweep.columns) * CELL];
    if (answer < 0) return;
    context.fillStyle = answer === wanted ? hue : pale;
    context.fillRect(x + 1, y + 1, CELL - 2, CELL - 2);
  });
  const [middle, at] = [sweep.index([0, 0]), sweep.index(shift)];
  context.fillStyle = ink;
  if (at !== middle) context.fillRect((middle % sweep.columns) * CELL + 4, Math.floor(middle / sweep.columns) * CELL + 4, 4, 4);
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.strokeRect((at % sweep.columns) * CELL + 1, Math.floor(at / sweep.columns) * CELL + 1, CELL - 2, CELL - 2);
}

// The shift below a point of the canvas that drew them.
function shiftAt(canvas, sweep, event) {
  const box = canvas.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * sweep.columns);
  const row = Math.floor(((event.clientY - box.top) / box.height) * sweep.rows);
  const within = (value, count) => Math.max(0, Math.min(count - 1, value));
  return sweep.shift(within(row, sweep.rows) * sweep.columns + within(column, sweep.columns));
}
