/* The locally connected layer in C, in float32: three uses of one matrix product per unit.

   A unit is one location of one group. Its product is done in tiles of ROWS x VECTORS vectors that stay in registers; what
   the tiles read is addressed by tables of offsets, so that windows are read where they lie in the image and nothing is
   unfolded. Numbers are counted in floats. Each function works with `threads` threads of OpenMP, which change no bit of its
   result. See native/__init__.py for shapes. */

#include <stdint.h>
#include <string.h>

#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 4, VECTORS = 4 };
#elif defined(__AVX2__) && defined(__FMA__)
enum { LANES = 8, ROWS = 4, VECTORS = 2 };
#else
#error "written for processors with AVX2 or AVX-512; others use the algorithms in Python"
#endif

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int64_t i64;
#define INLINE static inline __attribute__((always_inline))
#define PARALLEL _Pragma("omp parallel for num_threads(threads) schedule(static)")

INLINE vector load(const float *from, int lanes) {
    if (lanes == LANES) return *(const vector *)from;
    vector made = {0};
    memcpy(&made, from, 4 * (unsigned)lanes);
    return made;
}

INLINE void store(float *to, vector from, int lanes) {
    if (lanes == LANES) *(vector *)to = from;
    else memcpy(to, &from, 4 * (unsigned)lanes);
}

/* y[yo[r] + c] = start + sum_i a[r ar + i ai] x[xo[i] + c], where start is bias[r], 0, or what y holds. */
typedef struct {
    const float *a, *x, *bias;
    float *y;
    const i64 *xo, *yo;
    i64 ar, ai, inner;
    int adds;
} product;

/* Rows from `row` on, and `vectors` vectors of columns from `column` on, of which the last begins `back` columns earlier, within
   the one before it: all are read before one is written. With less than LANES columns there is one vector of `lanes`. */
INLINE void tile(product p, i64 row, i64 column, int rows, int vectors, int lanes, i64 back) {
    vector sums[2 * ROWS][VECTORS];
    const float *a = p.a + row * p.ar, *x = p.x + column;
    i64 place[VECTORS];
    for (int v = 0; v < vectors; v++) place[v] = v * LANES - (v == vectors - 1 ? back : 0);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) {
            vector start = {0};
            if (p.adds) start = load(p.y + p.yo[row + r] + column + place[v], lanes);
            else if (p.bias) start += p.bias[row + r];
            sums[r][v] = start;
        }
    for (i64 i = 0; i < p.inner; i++) {
        vector values[VECTORS];
        for (int v = 0; v < vectors; v++) values[v] = load(x + p.xo[i] + place[v], lanes);
        for (int r = 0; r < rows; r++) {
            float factor = a[r * p.ar + i * p.ai];
            for (int v = 0; v < vectors; v++) sums[r][v] += factor * values[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) store(p.y + p.yo[row + r] + column + place[v], sums[r][v], lanes);
}

INLINE void rows_of(product p, i64 rows, i64 column, int vectors, int lanes, i64 back) {
    i64 row = 0;
    if (vectors <= VECTORS / 2)
        for (; row + 2 * ROWS <= rows; row += 2 * ROWS) tile(p, row, column, 2 * ROWS, vectors, lanes, back);
    for (; row + ROWS <= rows; row += ROWS) tile(p, row, column, ROWS, vectors, lanes, back);
    for (; row + 2 <= rows; row += 2) tile(p, row, column, 2, vectors, lanes, back);
    if (row < rows) tile(p, row, column, 1, vectors, lanes, back);
}

/* All rows, and the columns from `first` up to `last`. */
static void multiply(product p, i64 rows, i64 first, i64 last) {
    i64 column = first, vectors = (last - first + LANES - 1) / LANES, back = vectors * LANES - (last - first);
    if (vectors > 1) { /* a vector that lies in part within another is in one tile with it */
        for (; vectors > VECTORS + 1 || (vectors > VECTORS && !back); vectors -= VECTORS, column += VECTORS * LANES)
            rows_of(p, rows, column, VECTORS, LANES, 0);
        if (vectors > VECTORS) {
            rows_of(p, rows, column, VECTORS / 2, LANES, 0);
            vectors -= VECTORS / 2, column += VECTORS / 2 * LANES;
        }
        if (VECTORS == 4 && vectors == 4) rows_of(p, rows, column, 4, LANES, back);
        else if (vectors == 3) rows_of(p, rows, column, VECTORS > 2 ? 3 : 2, LANES, back);
        else if (vectors == 2) rows_of(p, rows, column, 2, LANES, back);
        else rows_of(p, rows, column, 1, LANES, back);
        return;
    }
    if (!back) rows_of(p, rows, column, 1, LANES, 0), column = last;
    if (LANES == 16 && column + 8 <= last) rows_of(p, rows, column, 1, 8, 0), column += 8;
    if (column + 4 <= last) rows_of(p, rows, column, 1, 4, 0), column += 4;
    if (column + 2 <= last) rows_of(p, rows, column, 1, 2, 0), column += 2;
    if (column < last) rows_of(p, rows, column, 1, 1, 0);
}

/* out[u][o][b] = bias[u][o] + sum_t weight[u][o][t] image[at[u] + tap[t] + b]. */
void forward(const float *image, const float *weight, const float *bias, float *out, const i64 *at, const i64 *tap,
             const i64 *output, i64 units, i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 u = 0; u < units; u++) {
        product p = {weight + u * outputs * taps, image + at[u], bias ? bias + u * outputs : 0, out + u * outputs * batch,
                     tap, output, taps, 1, taps, 0};
        multiply(p, outputs, 0, batch);
    }
}

enum { COLUMNS = VECTORS * LANES };

/* image[at[u] + tap[t] + b] += sum_o weight[u][o][t] grad[u][o][b]. Windows share pixels, so each thread has images of its own. */
void input_gradient(const float *grad, const float *weight, float *image, const i64 *at, const i64 *tap, const i64 *output,
                    i64 units, i64 outputs, i64 taps, i64 batch, i64 threads) {
    i64 blocks = (batch + COLUMNS - 1) / COLUMNS;
    PARALLEL
    for (i64 part = 0; part < threads; part++) {
        i64 first = blocks * part / threads * COLUMNS, last = blocks * (part + 1) / threads * COLUMNS;
        for (i64 u = 0; u < units && first < last; u++) {
            product p = {weight + u * outputs * taps, grad + u * outputs * batch, 0, image + at[u], output, tap, 1, taps,
                         outputs, 1};
            multiply(p, taps, first, last < batch ? last : batch);
        }
    }
}

#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(v, w, ...) __builtin_shufflevector(v, w, __VA_ARGS__)
#else
typedef int indices __attribute__((vector_size(4 * LANES)));
typedef int four __attribute__((vector_size(16)));
#define SHUFFLE(v, w, ...) __builtin_shuffle(v, w, (__typeof__(__builtin_choose_expr(sizeof(v) == 16, (four){0}, (indices){0}))){__VA_ARGS__})
#endif

INLINE float sum(vector v) {
#if defined(__AVX512F__)
    v += SHUFFLE(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    v += SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
    v += SHUFFLE(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
#else
    v += SHUFFLE(v, v, 4, 5, 6, 7, 0, 1, 2, 3);
    v += SHUFFLE(v, v, 2, 3, 0, 1, 6, 7, 4, 5);
#endif
    return v[0] + v[1];
}

enum { DOTS = 4 };

INLINE void add_products(vector sums[DOTS][DOTS], const float *grad, const float *image, const i64 *tap, i64 batch, int outputs,
                         int some, int lanes) {
    for (int t = 0; t < some; t++) {
        vector values = load(image + tap[t], lanes);
        for (int o = 0; o < outputs; o++) sums[o][t] += load(grad + o * batch, lanes) * values;
    }
}

/* made[o][t] = sum_b grad[o][b] image[tap[t] + b] for some outputs and taps. */
INLINE void dots(const float *grad, const float *image, const i64 *tap, float *made, i64 taps, i64 batch, int outputs, int some) {
    vector sums[DOTS][DOTS] = {{{0}}};
    i64 b = 0;
    for (; b + LANES <= batch; b += LANES) add_products(sums, grad + b, image + b, tap, batch, outputs, some, LANES);
    if (LANES == 16 && b + 8 <= batch) add_products(sums, grad + b, image + b, tap, batch, outputs, some, 8), b += 8;
    if (b + 4 <= batch) add_products(sums, grad + b, image + b, tap, batch, outputs, some, 4), b += 4;
    if (b + 2 <= batch) add_products(sums, grad + b, image + b, tap, batch, outputs, some, 2), b += 2;
    if (b < batch) add_products(sums, grad + b, image + b, tap, batch, outputs, some, 1);
    for (int o = 0; o < outputs; o++)
        for (int t = 0; t < some; t++) made[o * taps + t] = sum(sums[o][t]);
}

/* made[u][o][t] = sum_b grad[u][o][b] image[at[u] + tap[t] + b]. */
void weight_gradient(const float *grad, const float *image, float *made, const i64 *at, const i64 *tap, i64 units,
                     i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 u = 0; u < units; u++)
        for (i64 o = 0; o < outputs; o += o + DOTS <= outputs ? DOTS : 1) {
            const float *upstream = grad + (u * outputs + o) * batch;
            for (i64 t = 0; t < taps; t += t + DOTS <= taps ? DOTS : 1) {
                float *to = made + (u * outputs + o) * taps + t;
                if (o + DOTS <= outputs && t + DOTS <= taps) dots(upstream, image + at[u], tap + t, to, taps, batch, DOTS, DOTS);
                else if (o + DOTS <= outputs) dots(upstream, image + at[u], tap + t, to, taps, batch, DOTS, 1);
                else if (t + DOTS <= taps) dots(upstream, image + at[u], tap + t, to, taps, batch, 1, DOTS);
                else dots(upstream, image + at[u], tap + t, to, taps, batch, 1, 1);
            }
        }
}

/* The same from an image with the channels of a group innermost, `run` of them, and the batch before them: the window of a unit
   is then taps/run runs. image[at[u] + tap[t] + b*step + c] stands for the tap t*run + c. */
void weight_gradient_by_runs(const float *grad, const float *image, float *made, const i64 *at, const i64 *tap,
                             const i64 *place, const i64 *output, i64 units, i64 outputs, i64 taps, i64 run, i64 batch,
                             i64 threads) {
    PARALLEL
    for (i64 u = 0; u < units; u++)
        for (i64 t = 0; t < taps / run; t++) {
            product p = {grad + u * outputs * batch, image + at[u] + tap[t], 0, made + u * outputs * taps + t * run,
                         place, output, batch, 1, batch, 0};
            multiply(p, outputs, 0, run);
        }
}

typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/* to[j][i] = from[i][j] for four rows and columns. */
INLINE void turn(const float *from, float *to, i64 from_row, i64 to_row) {
    quad a = *(const quad *)from, b = *(const quad *)(from + from_row);
    quad c = *(const quad *)(from + 2 * from_row), d = *(const quad *)(from + 3 * from_row);
    quad ab = SHUFFLE(a, b, 0, 4, 1, 5), cd = SHUFFLE(c, d, 0, 4, 1, 5);
    quad ef = SHUFFLE(a, b, 2, 6, 3, 7), gh = SHUFFLE(c, d, 2, 6, 3, 7);
    *(quad *)to = SHUFFLE(ab, cd, 0, 1, 4, 5);
    *(quad *)(to + to_row) = SHUFFLE(ab, cd, 2, 3, 6, 7);
    *(quad *)(to + 2 * to_row) = SHUFFLE(ef, gh, 0, 1, 4, 5);
    *(quad *)(to + 3 * to_row) = SHUFFLE(ef, gh, 2, 3, 6, 7);
}

/* to[to_at[m] + j to_row + i] = from[from_at[m] + i from_row + j] for matrices m of `rows` rows i and `columns` columns j. */
void transpose(const float *from, float *to, const i64 *from_at, const i64 *to_at, i64 from_row, i64 to_row, i64 rows,
               i64 columns, i64 matrices, i64 threads) {
    i64 whole_rows = rows & ~(i64)3, whole_columns = columns & ~(i64)3;
    PARALLEL
    for (i64 m = 0; m < matrices; m++) {
        const float *source = from + from_at[m];
        float *target = to + to_at[m];
        for (i64 i = 0; i < whole_rows; i += 4)
            for (i64 j = 0; j < whole_columns; j += 4)
                turn(source + i * from_row + j, target + j * to_row + i, from_row, to_row);
        for (i64 i = 0; i < rows; i++)
            for (i64 j = i < whole_rows ? whole_columns : 0; j < columns; j++)
                target[j * to_row + i] = source[i * from_row + j];
    }
}
