/* Images of a caller, (B, C, D, H, W) in any order in memory and of any type, as the kernels read and write them: floats, pixel
   by pixel with a border of zeros, (D, H, W, G, C/G, B), or with the channels of a group innermost, (D, H, W, G, B, C/G). */

#include <string.h>

typedef struct {
    i64 batch, groups, channels; /* of a group */
    i64 size[3], border[3];
} picture;

/* One dimension of a copy: how many values, and how far apart they are. */
typedef struct {
    i64 count, from, to;
} axis;

enum { AXES = 6, LINE = 16 }; /* floats of a line of the cache */

INLINE i64 pixel(const picture *p) { return p->batch * p->groups * p->channels; }

INLINE int has_border(const picture *p) { return p->border[0] || p->border[1] || p->border[2]; }

INLINE i64 padded(const picture *p, int dim) { return p->size[dim] + 2 * p->border[dim]; }

INLINE i64 padded_values(const picture *p) { return padded(p, 0) * padded(p, 1) * padded(p, 2) * pixel(p); }

/* The first pixel within the border. */
INLINE i64 inside(const picture *p) {
    return ((p->border[0] * padded(p, 1) + p->border[1]) * padded(p, 2) + p->border[2]) * pixel(p);
}

/* The dimensions of a copy of an image to the kernels' order; outermost first as these lie, and as few as will do. */
static int axes_of(const picture *p, const i64 *strides, int channels_last, axis *axes) {
    i64 b = channels_last ? p->channels : 1, c = channels_last ? 1 : p->batch, column = pixel(p);
    i64 row = column * padded(p, 2), plane = row * padded(p, 1);
    axis batch = {p->batch, strides[0], b}, channel = {p->channels, strides[1], c};
    axis all[AXES] = {{p->size[0], strides[2], plane},
                      {p->size[1], strides[3], row},
                      {p->size[2], strides[4], column},
                      {p->groups, strides[1] * p->channels, p->batch * p->channels},
                      channels_last ? batch : channel,
                      channels_last ? channel : batch};
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

/* to[j][i] = from[i][j] for at most LINE rows and columns. Each row of both is read and written once: if they are far apart, they
   may all have the same place in the cache. */
INLINE void turn(const void *from, int from_type, i64 from_row, i64 rows, void *to, int to_type, i64 to_row, i64 columns) {
    float block[LINE][LINE], turned[LINE][LINE];
    for (i64 i = 0; i < rows; i++) convert_as(place_of(from, i * from_row, from_type), from_type, block[i], FLOAT32, columns);
    for (int i = 0; i < LINE; i += 4)
        for (int j = 0; j < LINE; j += 4) {
            __m128 four[4];
            for (int k = 0; k < 4; k++) four[k] = _mm_loadu_ps(block[i + k] + j);
            _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
            for (int k = 0; k < 4; k++) _mm_storeu_ps(turned[j + k] + i, four[k]);
        }
    for (i64 j = 0; j < columns; j++) convert_as(turned[j], FLOAT32, place_of(to, j * to_row, to_type), to_type, rows);
}

/* A matrix: rows i, and columns j. */
INLINE void copy_matrix(const void *from, int from_type, void *to, int to_type, axis i, axis j) {
    if (i.count == 1 && j.from == 1 && j.to == 1) {
        convert_as(from, from_type, to, to_type, j.count);
        return;
    }
    if (j.from != 1 || i.to != 1) {
        for (i64 r = 0; r < i.count; r++)
            for (i64 c = 0; c < j.count; c++)
                put(to, r * i.to + c * j.to, get(from, r * i.from + c * j.from, from_type), to_type);
        return;
    }
    for (i64 left = 0; left < j.count; left += LINE)
        for (i64 top = 0; top < i.count; top += LINE) {
            const void *source = place_of(from, top * i.from + left, from_type);
            void *target = place_of(to, left * j.to + top, to_type);
            i64 rows = least(LINE, i.count - top), columns = least(LINE, j.count - left);
            for (i64 k = 0; k < LINE; k++) { /* of the next rows: the processor does not foresee those that are far apart */
                __builtin_prefetch(place_of(source, (LINE + k) * i.from, from_type), 0);
                __builtin_prefetch(place_of(target, LINE + k * j.to, to_type), 1);
            }
            if (rows == LINE && columns == LINE) turn(source, from_type, i.from, LINE, target, to_type, j.to, LINE);
            else turn(source, from_type, i.from, rows, target, to_type, j.to, columns);
        }
}

/* All of `axes`: matrices of the two dimensions in which the one and the other are closest together, or rows of both. */
INLINE void copy_as(const void *from, int from_type, void *to, int to_type, const axis *axes, int n, i64 threads) {
    int i = 0, j = 0;
    i64 matrices = 1;
    for (int k = 1; k < n; k++) {
        if (axes[k].to < axes[i].to) i = k;
        if (axes[k].from < axes[j].from) j = k;
    }
    axis row = i == j ? (axis){1, 0, 0} : axes[i];
    for (int k = 0; k < n; k++) matrices *= k == i || k == j ? 1 : axes[k].count;
    _Pragma("omp parallel for num_threads(threads) schedule(static)")
    for (i64 m = 0; m < matrices; m++) {
        i64 left = m, source = 0, target = 0;
        for (int k = n - 1; k >= 0; k--)
            if (k != i && k != j) {
                i64 index = left % axes[k].count;
                left /= axes[k].count, source += index * axes[k].from, target += index * axes[k].to;
            }
        copy_matrix(place_of(from, source, from_type), from_type, place_of(to, target, to_type), to_type, row, axes[j]);
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
static values read_image(const picture *p, values from, const i64 *strides, int channels_last, float *room, i64 threads) {
    axis axes[AXES];
    int n = axes_of(p, strides, channels_last, axes);
    if (in_place(p, axes, n)) return from;
    if (has_border(p)) memset(room, 0, padded_values(p) * sizeof(float));
    copy(from.first, from.type, room + inside(p), FLOAT32, axes, n, threads);
    return (values){room, FLOAT32};
}

/* Zeros to which the kernels add an image that is to be written: where it is to lie, or in `room`. */
static float *new_image(const picture *p, void *to, const i64 *strides, int type, int channels_last, float *room) {
    axis axes[AXES];
    int n = axes_of(p, strides, channels_last, axes);
    float *made = type == FLOAT32 && in_place(p, axes, n) ? to : room;
    memset(made, 0, padded_values(p) * sizeof(float));
    return made;
}

static void write_image(const picture *p, const float *made, void *to, const i64 *strides, int type, int channels_last,
                        i64 threads) {
    axis axes[AXES];
    int n = axes_of(p, strides, channels_last, axes);
    for (int k = 0; k < n; k++) axes[k] = (axis){axes[k].count, axes[k].to, axes[k].from};
    if (made != to) copy(made + inside(p), FLOAT32, to, type, axes, n, threads);
}
