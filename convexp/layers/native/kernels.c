/* The locally connected layer in C: three uses of one matrix product per unit.

   A unit is one location of one group. Products and their sums are in float32. Operands of a type of 16 bits are widened, of the
   weights some rows at a time, or, with few images, where they are read; each result is rounded once. Offsets are in numbers of
   values. Each function works with `threads` threads of OpenMP, which change no bit of its result. See native/__init__.py for
   shapes. */

#include "numbers.h"

#include "images.h"
#include "layer.h"
#include "products.h"

#include "groups.h"

/* What fills the vectors: the images of a batch, the inputs of a unit, or the channels of each tap, in a weight gradient; or the
   groups of a location. */
enum { MANY_IMAGES, FEW_IMAGES, CHANNELS, GROUPS };

INLINE innermost innermost_of(i64 kind) { return kind == MANY_IMAGES ? BATCH : kind == GROUPS ? GROUP : CHANNEL; }

/* Of each thread, in as many floats: rows of weights, and of outputs, that do not lie in memory as they are; windows, if they are
   copied; and the biases of a unit. */
typedef struct {
    float *weights, *outputs, *windows, *biases;
} scratch;

INLINE scratch scratch_of(const layer *l, i64 kind, float *room, i64 each, i64 part) {
    float *weights = room + each * part, *outputs = weights + l->rows * l->taps, *windows = outputs + l->rows * l->input.batch;
    return (scratch){weights, outputs, windows, windows + (kind == FEW_IMAGES ? l->input.batch * l->taps : 0)};
}

/* Each part of a room begins with a line of the cache. */
INLINE i64 rounded_up(i64 count) { return (count + LINE - 1) / LINE * LINE; }

#define EACH_PART \
    _Pragma("omp parallel for num_threads(threads) schedule(static)") \
    for (i64 part = 0; part < threads; part++)

/* A row is an output of a unit. The rows of the units from `begin` up to `end`, in blocks of `step` or less: of one unit, or of
   some whole ones; and the units of a block, with `count` rows each, of which the first is output `o`. */
#define EACH_BLOCK(begin, end) \
    for (i64 row = (begin) * l->outputs, rest = ((end) - (begin)) * l->outputs, block; \
         block = least(step, step < l->outputs ? l->outputs - row % l->outputs : rest), rest > 0; row += block, rest -= block)
#define EACH_UNIT_OF_BLOCK \
    for (i64 u = row / l->outputs, o = row % l->outputs, count = least(l->outputs, block), r = 0; r < block; r += count, u++)

/* Runs of channels, a vector at a time, of which the last has some lanes. */
#define EACH_VECTOR \
    for (i64 c = 0, whole; whole = c + LANES <= channels, c < channels; c += LANES)

/* For a few images the windows of each unit are copied in the order of its weights, from an image with the channels of a group
   innermost: windows[b][t][c] = image[run[t] + b*channels + c]. */
INLINE void gather(const layer *l, const float *image, float *windows) {
    i64 channels = l->input.channels;
    mask some = first_lanes(channels % LANES);
    for (i64 b = 0; b < l->input.batch; b++, image += channels)
        for (i64 t = 0; t < l->runs; t++, windows += channels)
            if (channels == 1) *windows = image[l->run[t]];
            else EACH_VECTOR store(windows + c, load(image + l->run[t] + c, whole, some), whole, some);
}

/* The reverse: windows of some images are added to them. */
INLINE void scatter(const layer *l, const float *windows, float *image, i64 images) {
    i64 channels = l->input.channels;
    mask some = first_lanes(channels % LANES);
    for (i64 b = 0; b < images; b++, image += channels)
        for (i64 t = 0; t < l->runs; t++, windows += channels) {
            float *to = image + l->run[t];
            if (channels == 1) *to += *windows;
            else EACH_VECTOR store(to + c, load(to + c, whole, some) + load(windows + c, whole, some), whole, some);
        }
}

/* The input as floats, and the rest of `room`. */
INLINE const float *input_of(const layer *l, values x, const i64 *strides, innermost last, float **room, i64 threads) {
    values image = read_image(&l->input, x, strides, last, *room, threads);
    const float *made = floats(image, 0, padded_values(&l->input), *room);
    if (made == *room) *room += rounded_up(padded_values(&l->input));
    return made;
}

/* The gradient of the output, of its own type if it lies in memory as the output does, and the rest of `room`. */
INLINE values upstream_of(const layer *l, values grad, const i64 *strides, float **room, i64 threads) {
    values made = read_image(&l->output, grad, strides, BATCH, *room, threads);
    if (made.first == *room) *room += rounded_up(padded_values(&l->output));
    return made;
}

/* A gradient of the output, floats, as the output lies in memory. */
void order_output(const layer *l, const float *grad, const i64 *strides, float *made, i64 threads) {
    axis axes[AXES];
    copy(grad, FLOAT32, made, FLOAT32, axes, axes_of(&l->output, strides, BATCH, axes), threads);
}

/* out[u][o][b] = bias[u][o] + sum_t weight[u][o][t] image[at[u] + tap[t] + b]. The bias of a unit is at `location` times its
   location plus `channel` times its channel. */
void forward(const layer *l, i64 kind, i64 type, const void *x, const i64 *x_strides, const void *weight, const void *bias,
             i64 location, i64 channel, void *out, float *room, i64 each, i64 threads) {
    i64 batch = l->input.batch, step = type == FLOAT32 || kind == FEW_IMAGES ? l->units * l->outputs : l->rows;
    const float *image = input_of(l, (values){x, type}, x_strides, innermost_of(kind), &room, threads);
    values kernel = {weight, type};
    EACH_PART {
        if (kind == GROUPS) {
            i64 all = l->units / l->input.groups;
            forward_of_groups(l, type, image, weight, bias, location, channel, out, room + each * part, all * part / threads,
                              all * (part + 1) / threads);
            continue;
        }
        scratch s = scratch_of(l, kind, room, each, part);
        EACH_BLOCK(l->units * part / threads, l->units * (part + 1) / threads) {
            const float *weights = kind == FEW_IMAGES ? 0 : floats(kernel, row * l->taps, block * l->taps, s.weights);
            float *made = type == FLOAT32 ? (float *)out + row * batch : s.outputs;
            EACH_UNIT_OF_BLOCK {
                const float *biases = biases_of(l, u, o, count, (values){bias, type}, location, channel, s.biases);
                if (kind == FEW_IMAGES) {
                    void *to = place_of(out, (row + r) * batch, type);
                    if (o == 0) gather(l, image + l->at[u], s.windows);
                    dots(from(kernel, (row + r) * l->taps), s.windows, l->weight_row, biases, to, count, batch, l->taps);
                } else {
                    product p = {weights + r * l->taps, {image + l->at[u], FLOAT32}, biases, made + r * batch,
                                 l->tap, l->output_row, l->taps, 1, l->taps, 0};
                    multiply(p, count, 0, batch);
                }
            }
            if (type != FLOAT32 && kind != FEW_IMAGES)
                convert(made, FLOAT32, place_of(out, row * batch, type), type, block * batch);
        }
    }
}

/* Bytes per image from which a gradient of weights is written past the caches. With fewer it is computing that takes the time,
   and what the caches keep an optimizer reads sooner: on an Intel Xeon, 16 shapes with 1 to 128 images, n = 15 to 31. */
enum { PAST_CACHES = 1 << 17 };

/* made[u][o][t] = sum_b grad[u][o][b] image[at[u] + tap[t] + b]. */
void weight_gradient(const layer *l, i64 kind, i64 type, const void *grad, const i64 *grad_strides, const void *x,
                     const i64 *x_strides, void *made, float *room, i64 each, i64 threads) {
    i64 batch = l->input.batch, channels = l->input.channels, all = l->units * l->outputs;
    int past = all * l->taps * (type == FLOAT32 ? 4 : 2) >= batch * PAST_CACHES, in_place = type == FLOAT32 && !past;
    i64 step = in_place ? all : l->rows;
    if (kind == FEW_IMAGES && in_place && l->outputs > 2 * ROWS)
        step = 2 * ROWS; /* few rows at a time: they are written from end to end */
    const float *image = input_of(l, (values){x, type}, x_strides, innermost_of(kind), &room, threads);
    values upstream = upstream_of(l, (values){grad, type}, grad_strides, &room, threads);
    EACH_PART {
        if (kind == GROUPS) {
            i64 all = l->units / l->input.groups;
            weight_gradient_of_groups(l, type, upstream, image, made, room + each * part, past, all * part / threads,
                                      all * (part + 1) / threads);
            if (past) _mm_sfence();
            continue;
        }
        scratch s = scratch_of(l, kind, room, each, part);
        EACH_BLOCK(l->units * part / threads, l->units * (part + 1) / threads) {
            const float *outputs = floats(upstream, row * batch, block * batch, s.outputs);
            float *weights = in_place ? (float *)made + row * l->taps : s.weights;
            EACH_UNIT_OF_BLOCK {
                const float *rows = outputs + r * batch, *window = image + l->at[u];
                float *to = weights + r * l->taps;
                if (kind == MANY_IMAGES) dots((values){rows, FLOAT32}, window, l->tap, 0, to, count, l->taps, batch);
                else if (kind == FEW_IMAGES) {
                    if (o == 0) gather(l, window, s.windows);
                    product p = {rows, {s.windows, FLOAT32}, 0, to, l->weight_row, l->weight_row, batch, 1, batch, 0};
                    multiply(p, count, 0, l->taps);
                } else
                    for (i64 t = 0; t < l->runs; t++) {
                        product p = {rows, {window + l->run[t], FLOAT32}, 0, to + t * channels,
                                     l->image, l->weight_row, batch, 1, batch, 0};
                        multiply(p, count, 0, channels);
                    }
            }
            void *target = place_of(made, row * l->taps, type);
            if (past) write_past(weights, target, type, block * l->taps);
            else if (!in_place) convert(weights, FLOAT32, target, type, block * l->taps);
        }
        if (past) _mm_sfence();
    }
}

/* image[at[u] + tap[t] + b] += sum_o weight[u][o][t] grad[u][o][b]. Windows share pixels, so each thread has images of its own. */
void input_gradient(const layer *l, i64 kind, i64 type, const void *grad, const i64 *grad_strides, const void *weight, void *made,
                    const i64 *made_strides, float *room, i64 each, i64 threads) {
    i64 batch = l->input.batch, columns = kind == FEW_IMAGES ? 1 : VECTORS * LANES, blocks = (batch + columns - 1) / columns;
    i64 step = type == FLOAT32 ? l->units * l->outputs : l->rows;
    float *image = new_image(&l->input, made, made_strides, type, innermost_of(kind), room);
    if (image == room) room += rounded_up(padded_values(&l->input));
    values upstream = upstream_of(l, (values){grad, type}, grad_strides, &room, threads), kernel = {weight, type};
    EACH_PART {
        if (kind == GROUPS) {
            i64 groups = l->input.groups, all = (groups + LANES - 1) / LANES;
            input_gradient_of_groups(l, type, upstream, weight, image, room + each * part, all * part / threads * LANES,
                                     least(all * (part + 1) / threads * LANES, groups));
            continue;
        }
        scratch s = scratch_of(l, kind, room, each, part);
        i64 begin = blocks * part / threads * columns, end = least(blocks * (part + 1) / threads * columns, batch);
        EACH_BLOCK(0, begin < end ? l->units : 0) {
            const float *outputs = floats(upstream, row * batch, block * batch, s.outputs);
            const float *weights = kind == FEW_IMAGES ? 0 : floats(kernel, row * l->taps, block * l->taps, s.weights);
            EACH_UNIT_OF_BLOCK {
                const float *above = outputs + r * batch;
                float *window = image + l->at[u];
                if (kind == FEW_IMAGES) {
                    product p = {above + begin, from(kernel, (row + r) * l->taps), 0, s.windows,
                                 l->weight_row, l->weight_row, 1, batch, count, o > 0};
                    multiply_widened(p, end - begin, 0, l->taps);
                    if (o + count == l->outputs) scatter(l, s.windows, window + begin * l->input.channels, end - begin);
                } else {
                    product p = {weights + r * l->taps, {above, FLOAT32}, 0, window,
                                 l->output_row, l->tap, 1, l->taps, count, 1};
                    multiply_transposed(p, l->taps, begin, end);
                }
            }
        }
    }
    write_image(&l->input, image, made, made_strides, type, innermost_of(kind), threads);
}
