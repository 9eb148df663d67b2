"use strict";

// Images of the playground: Float32Array of C*H*W values from 0 to 255, channel by channel, row by row.

// T x[c, k, l] = x[c, k - down, l - right]; outside the image zeros, or, if circular, what left it at the other side.
function shiftImage(pixels, shape, [down, right], circular) {
  const { channels, height, width } = shape;
  const moved = new Float32Array(pixels.length);
  for (let row = 0; row < height; row++) {
    const from = circular ? (((row - down) % height) + height) % height : row - down;
    if (from < 0 || from >= height) continue;
    for (let column = 0; column < width; column++) {
      const at = circular ? (((column - right) % width) + width) % width : column - right;
      if (at < 0 || at >= width) continue;
      for (let c = 0; c < channels; c++) {
        moved[(c * height + row) * width + column] = pixels[(c * height + from) * width + at];
      }
    }
  }
  return moved;
}

// The shift in words.
function shiftWords([down, right]) {
  const parts = [
    right && `${Math.abs(right)} to the ${right > 0 ? "right" : "left"}`,
    down && `${Math.abs(down)} ${down > 0 ? "down" : "up"}`,
  ].filter(Boolean);
  return parts.length ? `Moved ${parts.join(" and ")}` : "Not moved";
}

// The rows and columns between which the images are bright, as a mean over the images: where to draw.
function brightBox(images, shape) {
  const { height, width } = shape;
  const box = { top: 0, left: 0, bottom: 0, right: 0 };
  for (const { pixels } of images) {
    let [top, left, bottom, right] = [height, width, -1, -1];
    for (let i = 0; i < pixels.length; i++) {
      if (pixels[i] < 64) continue;
      const row = Math.floor(i / width) % height;
      const column = i % width;
      [top, left, bottom, right] = [Math.min(top, row), Math.min(left, column), Math.max(bottom, row), Math.max(right, column)];
    }
    box.top += (bottom < 0 ? 0 : top) / images.length;
    box.left += (bottom < 0 ? 0 : left) / images.length;
    box.bottom += (bottom < 0 ? height : bottom + 1) / images.length;
    box.right += (bottom < 0 ? width : right + 1) / images.length;
  }
  return images.length ? box : { top: 0, left: 0, bottom: height, right: width };
}

// Draw an image onto a canvas, a pixel for each of its pixels: in grey, or in red, green and blue.
function paintImage(canvas, pixels, { channels, height, width }) {
  const context = resized(canvas, width, height);
  const picture = context.createImageData(width, height);
  const size = height * width;
  for (let i = 0; i < size; i++) {
    for (let c = 0; c < 3; c++) picture.data[4 * i + c] = pixels[i + (channels >= 3 ? c * size : 0)];
    picture.data[4 * i + 3] = 255;
  }
  context.putImageData(picture, 0, 0);
}
