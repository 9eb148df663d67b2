/* Images of a caller, (B, C, D, H, W) in any order in memory and of any type, as the kernels read and write them: floats, pixel
   by pixel with a border of zeros, and innermost what fills their vectors: the images of a batch, (D, H, W, G, C/G, B), the
   channels of a group, (D, H, W, G, B, C/G), or the groups, (D, H, W, C/G, B, G). */

#include <string.h>

typedef struct {
    i64 batch, groups, channels; /* of a group */
    i64 size[3], border[3];
} picture;

typedef enum { BATCH, CHANNEL, GROUP } innermost;

/* One dimension of a copy: how many values, and how far apart they are. */
typedef struct {
    i64 count, from, to;
} axis;

enum { AXES = 6 };

INLINE i64 pixel(const picture *p) { return p->batch * p->groups * p->channels; }

INLINE int has_border(const picture *p) { return p->border[0] || p->border[1] || p->border[2]; }

INLINE i64 padded(const picture *p, int dim) { return p->size[dim] + 2 * p->border[dim]; }

INLINE i64 padded_values(const picture *p) { return padded(p, 0) * padded(p, 1) * padded(p, 2) * pixel(p); }

/* The first pixel within the border. */
INLINE i64 inside(const picture *p) {
    return ((p->border[0] * padded(p, 1) + p->border[1]) * padded(p, 2) + p->border[2]) * pixel(p);
}

/* The dimensions of a copy of an image to the kernels' order; outermost first as these lie, and as few as will do. */
static int axes_of(const picture *p, const i64 *strides, innermost last, axis *axes) {
    i64 column = pixel(p), row = column * padded(p, 2), plane = row * padded(p, 1), images = p->batch, channels = p->channels;
    axis group = {p->groups, strides[1] * channels, last == GROUP ? 1 : images * channels};
    axis channel = {channels, strides[1], last == GROUP ? images * p->groups : last == BATCH ? images : 1};
    axis batch = {images, strides[0], last == GROUP ? p->groups : last == BATCH ? 1 : channels};
    axis all[AXES] = {{p->size[0], strides[2], plane},
                      {p->size[1], strides[3], row},
                      {p->size[2], strides[4], column},
                      last == GROUP ? channel : group,
                      last == BATCH ? channel : batch,
                      last == GROUP ? group : last == BATCH ? batch : channel};
    int n = 0;
    for (int i = 0; i < AXES; i++) {
        axis *outer = axes + n - 1, inner = all[i];
        if (inner.count == 1) continue;
        if (n && outer->from == inner.from * inner.count && outer->to == inner.to * inner.count)
            *outer = (axis){outer->count * inner.count, inner.from, inner.to};
        else axes[n++] = inner;
    }
    if (!n) axes[n++] = (axis){1, 1, 1};
    return n;
}

/* Rows or columns of a matrix: of one dimension, or, where this is short, of two. */
typedef struct {
    axis inner, outer;
} lines;

INLINE i64 count_of(lines l) { return l.inner.count * l.outer.count; }

INLINE i64 from_of(lines l, i64 k) {
    if (l.outer.count == 1) return k * l.inner.from;
    uint32_t at = (uint32_t)k, count = (uint32_t)l.inner.count;
    return at / count * l.outer.from + at % count * l.inner.from;
}

INLINE i64 to_of(lines l, i64 k) {
    if (l.outer.count == 1) return k * l.inner.to;
    uint32_t at = (uint32_t)k, count = (uint32_t)l.inner.count;
    return at / count * l.outer.to + at % count * l.inner.to;
}

/* Whether short lines, whose values are `apart` in memory, go on with those of a dimension of which they are `next` apart. */
INLINE int goes_on(lines l, i64 apart, i64 next) {
    return l.outer.count == 1 && l.inner.count < LINE && next == l.inner.count * apart;
}

/* to[j][i] = from[i][j] for at most LINE rows i, from `top` on, and columns j, from `left` on, where columns follow each other
   in `from` and rows in `to`. Each row of both is read and written once: if they are far apart, they may all have the same
   place in the cache. */
INLINE void turn(const void *from, int from_type, void *to, int to_type, lines i, lines j, i64 top, i64 rows, i64 left,
                 i64 columns) {
    float block[LINE][LINE], turned[LINE][LINE];
    for (i64 r = 0; r < rows; r++)
        convert_as(place_of(from, from_of(i, top + r) + left, from_type), from_type, block[r], FLOAT32, columns);
    for (i64 r = 0; r < rows; r += 4)
        for (i64 c = 0; c < columns; c += 4) {
            __m128 four[4];
            for (int k = 0; k < 4; k++) four[k] = _mm_loadu_ps(block[r + k] + c);
            _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
            for (int k = 0; k < 4; k++) _mm_storeu_ps(turned[c + k] + r, four[k]);
        }
    for (i64 c = 0; c < columns; c++)
        convert_as(turned[c], FLOAT32, place_of(to, to_of(j, left + c) + top, to_type), to_type, rows);
}

/* One value after the other, of the lines a and b of a matrix. */
INLINE void copy_values(const void *from, int from_type, void *to, int to_type, lines a, i64 a_first, i64 a_last, lines b,
                        i64 b_first, i64 b_last) {
    for (i64 k = a_first; k < a_last; k++)
        for (i64 m = b_first, some; m < b_last; m += some) {
            i64 source = from_of(a, k) + from_of(b, m), target = to_of(a, k) + to_of(b, m);
            some = b.outer.count == 1 ? b_last - m : least(b_last - m, b.inner.count - m % b.inner.count);
            for (i64 v = 0; v < some; v++)
                put(to, target + v * b.inner.to, get(from, source + v * b.inner.from, from_type), to_type);
        }
}

/* A matrix: all rows i, and the columns j from `first` up to `last`. */
INLINE void copy_matrix(const void *from, int from_type, void *to, int to_type, lines i, lines j, i64 first, i64 last) {
    i64 all = count_of(i);
    if (all == 1 && j.inner.from == 1 && j.inner.to == 1) {
        convert_as(place_of(from, first, from_type), from_type, place_of(to, first, to_type), to_type, last - first);
        return;
    }
    if (j.inner.from != 1 || i.inner.to != 1 || all < 4 || last - first < 4) {
        if (all < last - first) copy_values(from, from_type, to, to_type, i, 0, all, j, first, last);
        else copy_values(from, from_type, to, to_type, j, first, last, i, 0, all);
        return;
    }
    for (i64 left = first; left < last; left += LINE)
        for (i64 top = 0; top < all; top += LINE) {
            i64 rows = least(LINE, all - top), columns = least(LINE, last - left);
            if (rows < LINE || columns < LINE) {
                turn(from, from_type, to, to_type, i, j, top, rows, left, columns);
                continue;
            }
            for (i64 k = 0; k < LINE; k++) { /* of the next rows: the processor does not foresee those that are far apart */
                __builtin_prefetch(place_of(from, from_of(i, top + LINE + k) + left, from_type), 0);
                __builtin_prefetch(place_of(to, to_of(j, left + k) + top + LINE, to_type), 1);
            }
            turn(from, from_type, to, to_type, i, j, top, LINE, left, LINE);
        }
}

/* All of `axes`: matrices of the two dimensions in which the one and the other are closest together, or rows of both. Where
   there are fewer matrices than threads, their columns are divided among these. */
INLINE void copy_as(const void *from, int from_type, void *to, int to_type, const axis *axes, int n, i64 threads) {
    const axis one = {1, 0, 0};
    axis others[AXES];
    int i = 0, j = 0, dims = 0;
    i64 matrices = 1;
    for (int k = 1; k < n; k++) {
        if (axes[k].to < axes[i].to) i = k;
        if (axes[k].from < axes[j].from) j = k;
    }
    lines rows = {i == j ? one : axes[i], one}, columns = {axes[j], one};
    for (int k = 0; k < n; k++) {
        if (k == i || k == j) continue;
        if (i != j && goes_on(rows, axes[i].to, axes[k].to)) rows.outer = axes[k];
        else if (i != j && goes_on(columns, axes[j].from, axes[k].from)) columns.outer = axes[k];
        else others[dims++] = axes[k], matrices *= axes[k].count;
    }
    i64 parts = matrices < threads ? threads : 1, all = count_of(columns);
    _Pragma("omp parallel for num_threads(threads) schedule(static)")
    for (i64 m = 0; m < matrices * parts; m++) {
        uint32_t left = (uint32_t)m / (uint32_t)parts, part = (uint32_t)m % (uint32_t)parts;
        i64 source = 0, target = 0;
        for (int k = dims - 1; k >= 0; k--) {
            uint32_t count = (uint32_t)others[k].count, index = left % count;
            left /= count, source += index * others[k].from, target += index * others[k].to;
        }
        copy_matrix(place_of(from, source, from_type), from_type, place_of(to, target, to_type), to_type, rows, columns,
                    all * part / parts, all * (part + 1) / parts);
    }
}

static void copy(const void *from, int from_type, void *to, int to_type, const axis *axes, int n, i64 threads) {
    if (from_type == BFLOAT16) copy_as(from, BFLOAT16, to, FLOAT32, axes, n, threads);
    else if (from_type == FLOAT16) copy_as(from, FLOAT16, to, FLOAT32, axes, n, threads);
    else if (to_type == BFLOAT16) copy_as(from, FLOAT32, to, BFLOAT16, axes, n, threads);
    else if (to_type == FLOAT16) copy_as(from, FLOAT32, to, FLOAT16, axes, n, threads);
    else copy_as(from, FLOAT32, to, FLOAT32, axes, n, threads);
}

/* Whether an image lies in memory as the kernels have it. */
INLINE int in_place(const picture *p, const axis *axes, int n) { return !has_border(p) && n == 1 && axes->from == 1; }

/* An image as the kernels read it: where it lies, of its own type, or in `room`, as floats. */
static values read_image(const picture *p, values from, const i64 *strides, innermost last, float *room, i64 threads) {
    axis axes[AXES];
    int n = axes_of(p, strides, last, axes);
    if (in_place(p, axes, n)) return from;
    if (has_border(p)) memset(room, 0, padded_values(p) * sizeof(float));
    copy(from.first, from.type, room + inside(p), FLOAT32, axes, n, threads);
    return (values){room, FLOAT32};
}

/* Zeros to which the kernels add an image that is to be written: where it is to lie, or in `room`. */
static float *new_image(const picture *p, void *to, const i64 *strides, int type, innermost last, float *room) {
    axis axes[AXES];
    int n = axes_of(p, strides, last, axes);
    float *made = type == FLOAT32 && in_place(p, axes, n) ? to : room;
    memset(made, 0, padded_values(p) * sizeof(float));
    return made;
}

static void write_image(const picture *p, const float *made, void *to, const i64 *strides, int type, innermost last,
                        i64 threads) {
    axis axes[AXES];
    int n = axes_of(p, strides, last, axes);
    for (int k = 0; k < n; k++) axes[k] = (axis){axes[k].count, axes[k].to, axes[k].from};
    if (made != to) copy(made + inside(p), FLOAT32, to, type, axes, n, threads);
}
