// Runs a trained network in a page, in plain JavaScript: no module, no request, no eval. The one global is the class Network.
//
//   const network = new Network(spec);            spec: the object of a playground.json (convexp/records/playground_format.py)
//   network.forward(pixels).probabilities         pixels: C*H*W numbers of 0 to 255
//
// The spec may come from a stranger. Every size is checked before anything of that size is allocated, no two arrays share
// bytes, and what does not fit throws an Error with a sentence. All maps are Float32Array, (C, H, W) in row-major order.
const Network = (() => {
  "use strict";

  const MAX_BYTES = 4 * 2 ** 20; // of weights
  const MAX_PIXELS = 2 ** 16; // numbers in an image
  const MAX_UNITS = 2 ** 20; // of a layer, and of a map with its border
  const MAX_SUM = 2 ** 22; // of all layers, with their borders
  const MAX_COST = 1e8; // multiply-adds for an image
  const ITEM = { float16: 2, float32: 4 }; // bytes

  function fail(sentence) {
    throw new Error(`This network is damaged: ${sentence}`);
  }

  function check(holds, sentence) {
    if (!holds) fail(sentence);
  }

  // Nothing is wrong with it but its size.
  function fits(holds, sentence) {
    if (!holds) throw new Error(`This network cannot run in a page: ${sentence}`);
  }

  function whole(value, low, high, name) {
    check(Number.isInteger(value) && value >= low && value <= high, `${name} should be a whole number from ${low} to ${high}`);
    return value;
  }

  function finite(value, name) {
    check(typeof value === "number" && Number.isFinite(value), `${name} should be a finite number`);
    return value;
  }

  function list(value, low, high, name) {
    check(Array.isArray(value) && value.length >= low && value.length <= high, `${name} should be a list of ${low} to ${high}`);
    return value;
  }

  function pair(value, low, high, name) {
    return list(value, 2, 2, name).map((n) => whole(n, low, high, name));
  }

  function object(value, name) {
    check(value !== null && typeof value === "object" && !Array.isArray(value), `${name} is missing`);
    return value;
  }

  function bytesOf(base64, most, name) {
    check(typeof base64 === "string" && base64.length <= Math.ceil(most / 3) * 4, `${name} should be at most ${most} bytes in base64`);
    let text;
    try {
      text = atob(base64);
    } catch {
      fail(`${name} should be base64`);
    }
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }

  // ---- numbers ----

  const POWERS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (exponent - 25));

  // IEEE 754 half precision: a sign, 5 bits of exponent, 10 of fraction; NaN for what is not finite.
  function float16(bits) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    if (exponent === 31) return NaN;
    const value = exponent ? (1024 + fraction) * POWERS[exponent] : fraction * POWERS[1];
    return bits & 0x8000 ? -value : value;
  }

  // A reader of the arrays in `bytes`. Together they have at most these bytes, so that a small file takes little memory.
  function reader(bytes) {
    let left = bytes.length;
    return (ref, shape, name) => {
      const take = (size) => {
        left -= size;
        check(left >= 0, "its arrays overlap");
      };
      return array(bytes, ref, shape, name, take);
    };
  }

  // The array that `ref` names, which should have this shape; `take` is told its bytes before it is allocated.
  function array(bytes, ref, shape, name, take) {
    const { offset, shape: found, type = "float16", scale = 1 } = object(ref, name);
    const item = Object.hasOwn(ITEM, type) ? ITEM[type] : fail(`${name} has an unknown type`);
    const length = shape.reduce((a, b) => a * b, 1);
    check(String(found) === String(shape), `${name} should have the shape ${shape.join(" x ")}`);
    whole(offset, 0, bytes.length - item * length, `the offset of ${name}`);
    take(item * length);
    check(finite(scale, `the scale of ${name}`) > 0, `the scale of ${name} should be above 0`);
    const view = new DataView(bytes.buffer), numbers = new Float32Array(length);
    let sum = 0;
    for (let i = 0; i < length; i++) {
      const at = offset + item * i;
      numbers[i] = scale * (item === 2 ? float16(view.getUint16(at, true)) : view.getFloat32(at, true));
      sum += Math.abs(numbers[i]);
    }
    check(Number.isFinite(sum), `${name} holds numbers that are not finite`);
    return numbers;
  }

  // sum_k a[i + k] b[j + k], k < n: four sums side by side, which a processor adds at once.
  function dot(a, i, b, j, n) {
    let s = 0, t = 0, u = 0, v = 0, k = 0;
    for (; k + 3 < n; k += 4) {
      s += a[i + k] * b[j + k];
      t += a[i + k + 1] * b[j + k + 1];
      u += a[i + k + 2] * b[j + k + 2];
      v += a[i + k + 3] * b[j + k + 3];
    }
    for (; k < n; k++) s += a[i + k] * b[j + k];
    return s + t + u + v;
  }

  // Abramowitz and Stegun 7.1.26, off by at most 1.5e-7.
  function erf(x) {
    const t = 1 / (1 + 0.3275911 * Math.abs(x));
    const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    return Math.sign(x) * (1 - series * Math.exp(-x * x));
  }

  // ---- windows and borders ----

  // Which of n units lies at index i, which may be in the border; -1 for a border of zeros.
  function borderUnit(i, n, border) {
    if (i >= 0 && i < n) return i;
    if (border === "circular") return ((i % n) + n) % n;
    if (border === "replicate") return i < 0 ? 0 : n - 1;
    if (border === "reflect") return i < 0 ? -i : 2 * (n - 1) - i;
    return -1;
  }

  // A map with a border: what makes it, its size, and how many numbers are kept for it.
  function bordered(shape, before, after, border) {
    const [C, H, W] = shape;
    check(["zeros", "reflect", "replicate", "circular"].includes(border), "a border should be zeros, reflect, replicate or circular");
    [H, W].forEach((n, d) => {
      const most = { reflect: n - 1, circular: n }[border] ?? 1024;
      check(Math.max(before[d], after[d]) <= most, `a ${border} border is wider than the map allows`);
    });
    const height = H + before[0] + after[0], width = W + before[1] + after[1];
    const units = C * height * width;
    fits(units <= MAX_UNITS, "a layer with its border is too large");
    if (height === H && width === W) return { height, width, units: 0, fill: (x) => x };
    const rows = Array.from({ length: height }, (_, i) => borderUnit(i - before[0], H, border));
    const columns = Int32Array.from({ length: width }, (_, j) => borderUnit(j - before[1], W, border));
    const made = new Float32Array(units);
    const fill = (x) => {
      let at = 0;
      for (let c = 0; c < C; c++) {
        for (const row of rows) {
          const start = (c * H + row) * W;
          for (let j = 0; j < width; j++) made[at++] = row < 0 || columns[j] < 0 ? 0 : x[start + columns[j]];
        }
      }
      return made;
    };
    return { height, width, units, fill };
  }

  // The windows of a layer: the size of its output, and what copies the window of a location, (c, a, b) in this order.
  function windows(layer, shape) {
    const [C, H, W] = shape;
    const kernel = pair(layer.kernel, 1, 1024, "kernel"), stride = pair(layer.stride, 1, 1024, "stride");
    const padding = pair(layer.padding, 0, 1024, "padding"), dilation = pair(layer.dilation, 1, 1024, "dilation");
    const extent = kernel.map((k, d) => dilation[d] * (k - 1) + 1);
    const field = { size: extent, stride, before: padding };
    const size = [H, W].map((n, d) => Math.floor((n + 2 * padding[d] - extent[d]) / stride[d]) + 1);
    check(Math.min(...size) >= 1, "a kernel is larger than its input");
    const source = bordered(shape, padding, padding, layer.border);
    const taps = C * kernel[0] * kernel[1];
    fits(taps <= MAX_UNITS, "a kernel is too large");
    const offsets = new Int32Array(taps);
    for (let t = 0, c = 0; c < C; c++) {
      for (let a = 0; a < kernel[0]; a++) {
        for (let b = 0; b < kernel[1]; b++) offsets[t++] = (c * source.height + a * dilation[0]) * source.width + b * dilation[1];
      }
    }
    const patch = new Float32Array(taps);
    const copy = (x, i, j) => {
      const start = i * stride[0] * source.width + j * stride[1];
      for (let t = 0; t < taps; t++) patch[t] = x[start + offsets[t]];
      return patch;
    };
    return { size, field, taps, held: source.units + taps, fill: source.fill, copy };
  }

  // ---- operations: (layer, shape of the input, reader of arrays) -> {shape, cost, held, run(x, y), field} ----
  // `held` says how many numbers it keeps beside its output, none if it is missing; each is written for every image.
  // `field` says what a unit sees of the map before: size, stride and units before the first, or "all"; none if itself.

  function biasOf(layer, read, channels, locations) {
    if (layer.bias === undefined) return () => 0;
    const unit = String(object(layer.bias, "bias").shape) === String([channels * locations]);
    const numbers = read(layer.bias, [unit ? channels * locations : channels], "bias");
    return unit ? (o, l) => numbers[o * locations + l] : (o) => numbers[o];
  }

  // A layer whose units see windows. `weigh(o, l, patch, start, taps)` is the sum at channel o and location l.
  function windowed(layer, shape, read, weigher) {
    const channels = whole(weigher.channels, 1, MAX_UNITS, "out_channels"), groups = whole(layer.groups, 1, shape[0], "groups");
    check(shape[0] % groups === 0 && channels % groups === 0, "groups should divide the channels");
    const { size, field, taps, held, fill, copy } = windows(layer, shape);
    const locations = size[0] * size[1], seen = taps / groups, outputs = channels / groups;
    const kernel = [shape[0] / groups, ...layer.kernel], cost = weigher.ranks * locations * channels * seen;
    fits(channels * locations <= MAX_UNITS && cost <= MAX_COST, "a layer is too large");
    const weigh = weigher.make(size, kernel, seen), bias = biasOf(layer, read, channels, locations);
    const run = (x, y) => {
      const source = fill(x);
      for (let l = 0, i = 0; i < size[0]; i++) {
        for (let j = 0; j < size[1]; j++, l++) {
          const patch = copy(source, i, j);
          for (let o = 0; o < channels; o++) {
            y[o * locations + l] = weigh(o, l, patch, Math.floor(o / outputs) * seen, seen) + bias(o, l);
          }
        }
      }
    };
    return { shape: [channels, ...size], cost, held, run, field };
  }

  function shapeOf(ref, dimensions) {
    return list(object(ref, "weight").shape, dimensions, dimensions, "the shape of weight");
  }

  function conv(layer, shape, read) {
    const [channels] = shapeOf(layer.weight, 4);
    const make = (size, kernel) => {
      const weight = read(layer.weight, [channels, ...kernel], "weight");
      return (o, l, patch, start, n) => dot(weight, o * n, patch, start, n);
    };
    return windowed(layer, shape, read, { channels, ranks: 1, make });
  }

  function local(layer, shape, read) {
    const channels = shapeOf(layer.weight, 6)[2];
    const make = (size, kernel) => {
      const weight = read(layer.weight, [...size, channels, ...kernel], "weight");
      return (o, l, patch, start, n) => dot(weight, (l * channels + o) * n, patch, start, n);
    };
    return windowed(layer, shape, read, { channels, ranks: 1, make });
  }

  // sum_r s_r[location] V_r: the kernels are mixed after they are applied, which takes no memory.
  function lowRankLocal(layer, shape, read) {
    const [ranks, channels] = shapeOf(layer.weight, 5);
    whole(ranks, 1, MAX_UNITS, "rank");
    const make = (size, kernel) => {
      const weight = read(layer.weight, [ranks, channels, ...kernel], "weight");
      const share = read(layer.combination, [ranks, ...size], "combination"), locations = size[0] * size[1];
      return (o, l, patch, start, n) => {
        let sum = 0;
        for (let r = 0; r < ranks; r++) sum += share[r * locations + l] * dot(weight, (r * channels + o) * n, patch, start, n);
        return sum;
      };
    };
    return windowed(layer, shape, read, { channels, ranks, make });
  }

  function matrix(layer, inputs, outputs, read) {
    fits(outputs <= MAX_UNITS && inputs * outputs <= MAX_COST, "a layer is too large");
    const weight = read(layer.weight, [outputs, inputs], "weight"), bias = biasOf(layer, read, outputs, 1);
    return (x, y) => {
      for (let unit = 0; unit < outputs; unit++) y[unit] = dot(weight, unit * inputs, x, 0, inputs) + bias(unit, 0);
    };
  }

  function dense(layer, shape, read) {
    const output = list(layer.output, 3, 3, "output").map((n) => whole(n, 1, MAX_UNITS, "output"));
    const [inputs, outputs] = [shape, output].map((s) => s[0] * s[1] * s[2]);
    return { shape: output, cost: inputs * outputs, run: matrix(layer, inputs, outputs, read), field: "all" };
  }

  // Kernels of H x W offsets round a circle, offset 0 at index n // 2, by offset from -(n - 1) to n - 1: no index wraps then.
  function unrolled(kernels, count, H, W) {
    const [rows, columns] = [2 * H - 1, 2 * W - 1], made = new Float32Array(count * rows * columns);
    for (let at = 0, pair = 0; pair < count; pair++) {
      for (let a = 1 - H; a < H; a++) {
        const row = (pair * H + ((a + (H >> 1) + H) % H)) * W;
        for (let b = 1 - W; b < W; b++) made[at++] = kernels[row + ((b + (W >> 1) + W) % W)];
      }
    }
    return made;
  }

  // h[o,i,j] = sum_{c,k,l} V[o, c, k - r(i), l - r(j)] x[c,k,l], r(i) = first + stride i; offset 0 is at index n // 2.
  function globalConv(layer, shape, read) {
    const [C, H, W] = shape, [channels] = shapeOf(layer.weight, 4);
    const first = pair(layer.first, -(2 ** 20), 2 ** 20, "first"), stride = pair(layer.stride, 1, 1024, "stride");
    const size = pair(layer.output, 1, MAX_UNITS, "output"), circular = layer.border === "circular";
    const locations = size[0] * size[1], cost = C * H * W * channels * locations;
    fits(whole(channels, 1, MAX_UNITS, "out_channels") * locations <= MAX_UNITS && cost <= MAX_COST, "a layer is too large");
    const kernel = circular ? [H, W] : [2 * H - 1, 2 * W - 1];
    const centres = size.map((count, d) => {
      const n = [H, W][d], line = Array.from({ length: count }, (_, i) => first[d] + stride[d] * i);
      check(circular || (line[0] >= 0 && line.at(-1) < n), "a unit's centre is outside the image");
      return line.map((centre) => ((centre % n) + n) % n);
    });
    const given = read(layer.weight, [channels, C, ...kernel], "weight"), bias = biasOf(layer, read, channels, locations);
    const weight = circular ? unrolled(given, channels * C, H, W) : given;
    const [rows, columns] = [2 * H - 1, 2 * W - 1];
    const run = (x, y) => {
      for (let u = 0, o = 0; o < channels; o++) {
        for (let l = 0, i = 0; i < size[0]; i++) {
          for (let j = 0; j < size[1]; j++, l++) {
            let sum = bias(o, l);
            for (let c = 0; c < C; c++) {
              let at = ((o * C + c) * rows + H - 1 - centres[0][i]) * columns + W - 1 - centres[1][j];
              for (let k = 0; k < H; k++, at += columns) sum += dot(weight, at, x, (c * H + k) * W, W);
            }
            y[u++] = sum;
          }
        }
      }
    };
    return { shape: [channels, ...size], cost, run, field: "all" };
  }

  function norm(layer, shape, read) {
    const [C, H, W] = shape, units = C * H * W;
    const each = String(object(layer.scale, "scale").shape) === String([units]) ? 1 : H * W;
    const [scale, shift] = ["scale", "shift"].map((name) => read(layer[name], [units / each], name));
    const run = (x, y) => {
      for (let u = 0; u < units; u++) {
        const n = each === 1 ? u : Math.floor(u / each);
        y[u] = scale[n] * x[u] + shift[n];
      }
    };
    return { shape, cost: units, run };
  }

  const ACTIVATIONS = {
    relu: () => (x) => (x > 0 ? x : 0),
    leaky_relu: () => (x) => (x > 0 ? x : 0.01 * x),
    elu: () => (x) => (x > 0 ? x : Math.expm1(x)),
    gelu: () => (x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)),
    silu: () => (x) => x / (1 + Math.exp(-x)),
    tanh: () => Math.tanh,
    lsa: (threshold) => (x) => Math.max(x - threshold, 0) - Math.max(-x - threshold, 0),
  };

  function activation(layer, shape) {
    check(Object.hasOwn(ACTIVATIONS, layer.kind), "there is an unknown activation");
    const threshold = layer.kind === "lsa" ? finite(layer.threshold, "threshold") : 0;
    const apply = ACTIVATIONS[layer.kind](threshold), units = shape[0] * shape[1] * shape[2];
    const run = (x, y) => {
      for (let u = 0; u < units; u++) y[u] = apply(x[u]);
    };
    return { shape, cost: units, run };
  }

  // A pooling with one value for each window of each channel: `reduce(map with border, start, offsets)`.
  function pooling(layer, shape, before, after, size, reduce) {
    const [C] = shape, kernel = pair(layer.kernel, 1, 1024, "kernel"), stride = pair(layer.stride, 1, 1024, "stride");
    check(Math.min(...size) >= 1, "a pooling is larger than its input");
    const source = bordered(shape, before, after, layer.border ?? "zeros");
    const inside = size.every((n, d) => (n - 1) * stride[d] + kernel[d] <= [source.height, source.width][d]);
    const locations = size[0] * size[1], cost = C * locations * kernel[0] * kernel[1];
    check(inside, "a pooling does not fit its input");
    fits(cost <= MAX_COST, "a pooling is too large");
    const offsets = Int32Array.from({ length: kernel[0] * kernel[1] }, (_, t) => Math.floor(t / kernel[1]) * source.width + (t % kernel[1]));
    const run = (x, y) => {
      const map = source.fill(x);
      for (let u = 0, c = 0; c < C; c++) {
        for (let i = 0; i < size[0]; i++) {
          for (let j = 0; j < size[1]; j++) {
            y[u++] = reduce(map, (c * source.height + i * stride[0]) * source.width + j * stride[1], offsets);
          }
        }
      }
    };
    return { shape: [C, ...size], cost, held: source.units, run, field: { size: kernel, stride, before } };
  }

  function pooledSize(layer, shape) {
    return pair(layer.stride, 1, 1024, "stride").map((n, d) => Math.floor(shape[1 + d] / n));
  }

  function largest(map, start, offsets) {
    let most = -Infinity;
    for (const offset of offsets) most = Math.max(most, map[start + offset]);
    return most;
  }

  function mean(map, start, offsets) {
    let sum = 0;
    for (const offset of offsets) sum += map[start + offset];
    return sum / offsets.length;
  }

  const maxPool = (layer, shape) => pooling(layer, shape, [0, 0], [0, 0], pooledSize(layer, shape), largest);
  const avgPool = (layer, shape) => pooling(layer, shape, [0, 0], [0, 0], pooledSize(layer, shape), mean);

  function denseMax(layer, shape) {
    const kernel = pair(layer.kernel, 1, 1024, "kernel");
    const [before, after] = [kernel.map((n) => (n - 1) >> 1), kernel.map((n) => n >> 1)];
    return pooling({ ...layer, stride: [1, 1] }, shape, before, after, shape.slice(1), largest);
  }

  // A binomial filter at every n-th unit: comb(k - 1, t) / 2^(k - 1) along each dimension.
  function blur(layer, shape) {
    const kernel = pair(layer.kernel, 1, 63, "kernel"), border = kernel.map((k) => k >> 1);
    const [rows, columns] = kernel.map((k) => {
      const line = [1];
      for (let t = 1; t < k; t++) line.push((line[t - 1] * (k - t)) / t);
      return line.map((n) => n / 2 ** (k - 1));
    });
    const filter = rows.flatMap((a) => columns.map((b) => a * b));
    const reduce = (map, start, offsets) => {
      let sum = 0;
      for (let t = 0; t < filter.length; t++) sum += filter[t] * map[start + offsets[t]];
      return sum;
    };
    return pooling(layer, shape, border, border, pooledSize(layer, shape), reduce);
  }

  // Of the ways to keep every n-th unit the one whose units have the largest norm; of equal ones the first.
  function adaptivePolyphase(layer, shape) {
    const [C, H, W] = shape, stride = pair(layer.stride, 1, 1024, "stride"), [height, width] = pooledSize(layer, shape);
    check(height * stride[0] === H && width * stride[1] === W, "an adaptive pooling should divide its input");
    const component = (x, a, b, visit) => {
      for (let u = 0, c = 0; c < C; c++) {
        for (let i = 0; i < height; i++) {
          for (let j = 0; j < width; j++) visit(x[(c * H + i * stride[0] + a) * W + j * stride[1] + b], u++);
        }
      }
    };
    const run = (x, y) => {
      let most = -1, kept = [0, 0];
      for (let a = 0; a < stride[0]; a++) {
        for (let b = 0; b < stride[1]; b++) {
          let norm = 0;
          component(x, a, b, (value) => (norm += value * value));
          if (norm > most) [most, kept] = [norm, [a, b]];
        }
      }
      component(x, kept[0], kept[1], (value, u) => (y[u] = value));
    };
    return { shape: [C, height, width], cost: 2 * C * H * W, run, field: { size: stride, stride, before: [0, 0] } };
  }

  function flatten(layer, shape) {
    const units = shape[0] * shape[1] * shape[2];
    return { shape: [units, 1, 1], cost: units, run: (x, y) => y.set(x.subarray(0, units)), field: "all" };
  }

  function overChannels(shape, reduce) {
    const [C, H, W] = shape, offsets = Int32Array.from({ length: H * W }, (_, t) => t);
    const run = (x, y) => {
      for (let c = 0; c < C; c++) y[c] = reduce(x, c * H * W, offsets);
    };
    return { shape: [C, 1, 1], cost: C * H * W, run, field: "all" };
  }

  function linear(layer, shape, read) {
    check(shape[1] === 1 && shape[2] === 1, "a dense layer of the head should follow the readout");
    const outputs = whole(shapeOf(layer.weight, 2)[0], 1, MAX_UNITS, "outputs");
    return { shape: [outputs, 1, 1], cost: shape[0] * outputs, run: matrix(layer, shape[0], outputs, read), field: "all" };
  }

  const OPERATIONS = {
    conv,
    local,
    low_rank_local: lowRankLocal,
    dense,
    global_conv: globalConv,
    norm,
    activation,
    max_pool: maxPool,
    avg_pool: avgPool,
    dense_max: denseMax,
    blur,
    aps: adaptivePolyphase,
    flatten,
    global_avg: (layer, shape) => overChannels(shape, mean),
    global_max: (layer, shape) => overChannels(shape, largest),
    linear,
  };

  function softmax(logits) {
    const most = logits.reduce((a, b) => Math.max(a, b), -Infinity);
    const powers = Float32Array.from(logits, (logit) => Math.exp(logit - most));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((power) => power / sum);
  }

  // The field of a unit of an operation's output, from that of its input: along each dimension unit i sees
  // first + i * stride ... + size - 1; `whole` if it sees all.
  function followed(before, field) {
    if (field === undefined) return before;
    if (field === "all") return { ...before, whole: true };
    return {
      whole: before.whole,
      first: before.first.map((f, d) => f - field.before[d] * before.stride[d]),
      size: before.size.map((n, d) => n + (field.size[d] - 1) * before.stride[d]),
      stride: before.stride.map((s, d) => s * field.stride[d]),
    };
  }

  return class Network {
    #steps = [];
    #pixels;

    /**
     * Check a spec and make ready to run it.
     * @param {object} spec - What a playground.json holds.
     * @throws {Error} If it is damaged or too large, or was left out; the message is a sentence.
     */
    constructor(spec) {
      object(spec, "the network");
      if (typeof spec.left_out === "string") throw new Error(spec.left_out);
      check(spec.version === 1, "its version should be 1");
      this.input = this.#readInput(object(spec.input, "input"));
      this.classes = list(spec.classes, 1, 1000, "classes").map(String);
      const bytes = bytesOf(spec.weights, MAX_BYTES, "weights");
      this.#build(list(spec.layers, 1, 200, "layers"), reader(bytes));
      const outputs = this.#steps.at(-1).shape;
      check(String(outputs) === String([this.classes.length, 1, 1]), "there should be as many outputs as classes");
    }

    #readInput({ channels, height, width, mean, std }) {
      const shape = [channels, height, width].map((n) => whole(n, 1, MAX_PIXELS, "the size of the input"));
      check(shape[0] * shape[1] * shape[2] <= MAX_PIXELS, `an image should have at most ${MAX_PIXELS} numbers`);
      const statistics = [mean, std].map((row) => list(row, channels, channels, "mean and std").map((n) => finite(n, "mean and std")));
      check(Math.min(...statistics[1]) > 0, "std should be above 0");
      return { channels, height, width, mean: statistics[0], std: statistics[1] };
    }

    #build(layers, read) {
      const { channels, height, width } = this.input;
      let shape = [channels, height, width], field = { whole: false, first: [0, 0], size: [1, 1], stride: [1, 1] };
      let cost = 0, units = 0;
      this.#pixels = new Float32Array(channels * height * width);
      layers.forEach((layer, index) => {
        const name = String(object(layer, `layer ${index}`).name).slice(0, 200);
        check(Object.hasOwn(OPERATIONS, layer.op), `layer ${index} has an unknown operation`);
        const step = this.#checked(name, () => OPERATIONS[layer.op](layer, shape, read));
        [shape, field] = [step.shape, followed(field, step.field)];
        const size = shape[0] * shape[1] * shape[2], { held = 0 } = step;
        [cost, units] = [cost + step.cost + held, units + size + held];
        fits(size <= MAX_UNITS && units <= MAX_SUM && cost <= MAX_COST, `${name} makes it too large`);
        const stage = layer.stage === undefined ? null : whole(layer.stage, 0, 99, "stage");
        this.#steps.push({ name, stage, shape, field, run: step.run, output: new Float32Array(size) });
      });
      // The last step of each stage, whose output is the stage's map.
      this.stages = this.#steps
        .filter(({ stage }, i) => stage !== null && this.#steps[i + 1]?.stage !== stage)
        .map(({ stage, shape: [C, H, W], field: seen, output }) => ({ name: `stage${stage}`, channels: C, height: H, width: W, seen, output }));
    }

    #checked(name, make) {
      try {
        return make();
      } catch (error) {
        throw new Error(`${error.message} (${name})`);
      }
    }

    /**
     * Classify an image.
     * @param {ArrayLike<number>} pixels - C*H*W numbers of 0 to 255.
     * @param {boolean} withMaps - Whether the maps are asked for, which are copies.
     * @returns {{probabilities: Float32Array, logits: Float32Array, maps: {name: string, channels: number, height: number,
     *     width: number, data: Float32Array}[]}} The probabilities of the classes, and the map after each stage;
     *     no maps if they are not asked for.
     */
    forward(pixels, withMaps = true) {
      const { channels, height, width, mean, std } = this.input, area = height * width;
      if (pixels.length !== channels * area) throw new Error(`An image of this network has ${channels * area} numbers.`);
      for (let c = 0, p = 0; c < channels; c++) {
        const scale = 1 / (255 * std[c]), offset = mean[c] / std[c];
        for (let k = 0; k < area; k++, p++) this.#pixels[p] = pixels[p] * scale - offset;
      }
      let x = this.#pixels;
      for (const step of this.#steps) {
        step.run(x, step.output);
        x = step.output;
      }
      const logits = x.slice(), probabilities = softmax(logits);
      if (!probabilities.every(Number.isFinite)) throw new Error("This network's answer is not finite.");
      const stages = withMaps ? this.stages : [];
      const maps = stages.map((s) => ({ name: s.name, channels: s.channels, height: s.height, width: s.width, data: s.output.slice() }));
      return { probabilities, logits, maps };
    }

    /**
     * The pixels that a unit of a stage's map sees.
     * @param {number} stage - Which stage, from 0.
     * @param {number} i - Row of the unit.
     * @param {number} j - Column of the unit.
     * @returns {{top: number, left: number, bottom: number, right: number, wholeImage: boolean}} The first and the last row and
     *     column, both included; in the border they lie outside the image. All of the image after a layer that sees all.
     */
    receptiveField(stage, i, j) {
      const found = this.stages[stage];
      if (found === undefined) throw new Error(`This network has ${this.stages.length} stages.`);
      const { whole: all, first, size, stride } = found.seen, { height, width } = this.input;
      if (all) return { top: 0, left: 0, bottom: height - 1, right: width - 1, wholeImage: true };
      const [top, left] = [first[0] + i * stride[0], first[1] + j * stride[1]];
      return { top, left, bottom: top + size[0] - 1, right: left + size[1] - 1, wholeImage: false };
    }

    /**
     * The images of a spec.
     * @returns {{label: number, pixels: Uint8Array}[]}
     */
    static images(spec) {
      const { channels, height, width } = object(object(spec, "the network").input, "input"), size = channels * height * width;
      whole(size, 1, MAX_PIXELS, "the size of an image");
      const labels = list(object(spec.images, "images").label, 0, 20, "the labels of images");
      const bytes = bytesOf(spec.images.data, 20 * size, "images");
      check(bytes.length === labels.length * size, "images and labels should be equally many");
      return labels.map((label, n) => ({ label: whole(label, 0, 2 ** 24, "a label"), pixels: bytes.slice(n * size, (n + 1) * size) }));
    }
  };
})();
