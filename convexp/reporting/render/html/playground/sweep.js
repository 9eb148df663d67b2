"use strict";

// The answers of a network to an image at every shift of up to `limit` pixels, [down, right], found one after the other.
class Sweep {
  constructor(limit) {
    this.limit = limit;
    this.rows = 2 * limit[0] + 1;
    this.columns = 2 * limit[1] + 1;
    const all = Array.from({ length: this.rows * this.columns }, (_, i) => i);
    const far = (i) => Math.max(...this.shift(i).map(Math.abs));
    this.order = all.sort((a, b) => far(a) - far(b)); // from the middle outwards
    this.reset();
  }

  // Forget the answers: the image has changed.
  reset() {
    this.answers = new Int32Array(this.order.length).fill(-1);
    this.done = 0;
  }

  // The shift of an index, and the index of a shift.
  shift(index) {
    return [Math.floor(index / this.columns) - this.limit[0], (index % this.columns) - this.limit[1]];
  }

  index([down, right]) {
    return (down + this.limit[0]) * this.columns + right + this.limit[1];
  }

  get finished() {
    return this.done === this.order.length;
  }

  // Find the next answer: `answer` maps a shift to a class.
  advance(answer) {
    const index = this.order[this.done++];
    this.answers[index] = answer(this.shift(index));
  }

  // How many answers are `wanted`, and the distance within which all of them are.
  count(wanted) {
    const right = this.order.filter((i) => this.answers[i] === wanted).length;
    const first = this.order.find((i) => this.answers[i] !== wanted);
    const radius = first === undefined ? null : Math.max(...this.shift(first).map(Math.abs)) - 1;
    return { right, radius };
  }
}
