"use strict";

// A round white pen with a soft edge, about as thick as the strokes of handwritten digits of this size.
class Pen {
  constructor(shape, box) {
    this.shape = shape;
    this.radius = Math.max(0.55, Math.min(box.bottom - box.top, box.right - box.left) / 18);
  }

  // Draw from one point to another, [row, column] in pixels; 0.5 is the middle of the first pixel.
  line(pixels, from, to) {
    const { channels, height, width } = this.shape;
    const reach = this.radius + 1;
    const [top, bottom] = [Math.min(from[0], to[0]) - reach, Math.max(from[0], to[0]) + reach];
    const [left, right] = [Math.min(from[1], to[1]) - reach, Math.max(from[1], to[1]) + reach];
    for (let row = Math.max(0, Math.floor(top)); row < Math.min(height, bottom); row++) {
      for (let column = Math.max(0, Math.floor(left)); column < Math.min(width, right); column++) {
        const ink = this.radius + 0.5 - distance([row + 0.5, column + 0.5], from, to);
        const value = 255 * Math.max(0, Math.min(1, ink));
        for (let c = 0; c < channels; c++) {
          const at = (c * height + row) * width + column;
          pixels[at] = Math.max(pixels[at], value);
        }
      }
    }
  }
}

// The distance of a point from the line between two others.
function distance([y, x], [fromY, fromX], [toY, toX]) {
  const [dy, dx] = [toY - fromY, toX - fromX];
  const length = dy * dy + dx * dx;
  const along = length ? Math.max(0, Math.min(1, ((y - fromY) * dy + (x - fromX) * dx) / length)) : 0;
  return Math.hypot(y - fromY - along * dy, x - fromX - along * dx);
}
