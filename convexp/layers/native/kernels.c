/* The locally connected layer in C, in float32: three uses of one matrix product per unit.

   A unit is one location of one group. Its product is done in tiles of ROWS x VECTORS vectors that stay in registers; what
   the tiles read is addressed by tables of offsets, so that windows are read where they lie in the image and nothing is
   unfolded. Numbers are counted in floats. Each function works with `threads` threads of OpenMP, which change no bit of its
   result. See native/__init__.py for shapes. */

#include <immintrin.h>
#include <stdint.h>

typedef int64_t i64;
#define INLINE static inline __attribute__((always_inline))
#define PARALLEL _Pragma("omp parallel for num_threads(threads) schedule(static)")

/* Vectors, and those of less than LANES values, which are read and written alone: the rest of the vector is 0. */
#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 4, VECTORS = 4 };
typedef __mmask16 mask;
INLINE mask first_lanes(i64 count) { return (mask)((1u << count) - 1); }
#define LOAD_SOME(from, some) _mm512_maskz_loadu_ps(some, from)
#define STORE_SOME(to, some, values) _mm512_mask_storeu_ps(to, some, values)
#elif defined(__AVX2__) && defined(__FMA__)
enum { LANES = 8, ROWS = 4, VECTORS = 2 };
typedef __m256i mask;
INLINE mask first_lanes(i64 count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#define LOAD_SOME(from, some) _mm256_maskload_ps(from, some)
#define STORE_SOME(to, some, values) _mm256_maskstore_ps(to, some, values)
#else
#error "written for processors with AVX2 or AVX-512; others use the algorithms in Python"
#endif

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE vector load(const float *from, int whole, mask some) {
    return whole ? *(const vector *)from : (vector)LOAD_SOME(from, some);
}

INLINE void store(float *to, vector from, int whole, mask some) {
    if (whole) *(vector *)to = from;
    else STORE_SOME(to, some, from);
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
   the one before it: all are read before one is written. With less than LANES columns there is one vector, of `some` lanes. */
INLINE void tile(product p, i64 row, i64 column, int rows, int vectors, i64 back, int whole, mask some) {
    vector sums[2 * ROWS][VECTORS];
    const float *a = p.a + row * p.ar, *x = p.x + column;
    i64 place[VECTORS];
    for (int v = 0; v < vectors; v++) place[v] = v * LANES - (v == vectors - 1 ? back : 0);
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) {
            vector start = {0};
            if (p.adds) start = load(p.y + p.yo[row + r] + column + place[v], whole, some);
            else if (p.bias) start += p.bias[row + r];
            sums[r][v] = start;
        }
    for (i64 i = 0; i < p.inner; i++) {
        vector values[VECTORS];
        for (int v = 0; v < vectors; v++) values[v] = load(x + p.xo[i] + place[v], whole, some);
        for (int r = 0; r < rows; r++) {
            float factor = a[r * p.ar + i * p.ai];
            for (int v = 0; v < vectors; v++) sums[r][v] += factor * values[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) store(p.y + p.yo[row + r] + column + place[v], sums[r][v], whole, some);
}

INLINE void rows_of(product p, i64 rows, i64 column, int vectors, i64 back, int whole, mask some) {
    i64 row = 0;
    if (vectors <= VECTORS / 2)
        for (; row + 2 * ROWS <= rows; row += 2 * ROWS) tile(p, row, column, 2 * ROWS, vectors, back, whole, some);
    for (; row + ROWS <= rows; row += ROWS) tile(p, row, column, ROWS, vectors, back, whole, some);
    for (; row + 2 <= rows; row += 2) tile(p, row, column, 2, vectors, back, whole, some);
    if (row < rows) tile(p, row, column, 1, vectors, back, whole, some);
}

/* All rows, and the columns from `first` up to `last`. */
static void multiply(product p, i64 rows, i64 first, i64 last) {
    i64 column = first, vectors = (last - first + LANES - 1) / LANES, back = vectors * LANES - (last - first);
    mask some = first_lanes(last - first < LANES ? last - first : 0);
    if (vectors == 1 && back) {
        rows_of(p, rows, column, 1, 0, 0, some);
        return;
    }
    /* a vector that lies in part within another is in one tile with it */
    for (; vectors > VECTORS + 1 || (vectors > VECTORS && !back); vectors -= VECTORS, column += VECTORS * LANES)
        rows_of(p, rows, column, VECTORS, 0, 1, some);
    if (vectors > VECTORS) {
        rows_of(p, rows, column, VECTORS / 2, 0, 1, some);
        vectors -= VECTORS / 2, column += VECTORS / 2 * LANES;
    }
    if (VECTORS == 4 && vectors == 4) rows_of(p, rows, column, 4, back, 1, some);
    else if (vectors == 3) rows_of(p, rows, column, VECTORS > 2 ? 3 : 2, back, 1, some);
    else if (vectors == 2) rows_of(p, rows, column, 2, back, 1, some);
    else if (vectors == 1) rows_of(p, rows, column, 1, 0, 1, some);
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

INLINE float sum(vector v) {
#if defined(__AVX512F__)
    return _mm512_reduce_add_ps(v);
#else
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    four = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return four[0] + four[1];
#endif
}

enum { DOTS = 4 };

INLINE void add_products(vector sums[DOTS][DOTS], const float *a, const float *x, const i64 *xo, i64 inner, int rows,
                         int columns, int whole, mask some) {
    for (int r = 0; r < rows; r++) __builtin_prefetch(a + (rows + r) * inner); /* where the next rows begin in memory */
    for (int c = 0; c < columns; c++) {
        vector values = load(x + xo[c], whole, some);
        for (int r = 0; r < rows; r++) sums[r][c] += load(a + r * inner, whole, some) * values;
    }
}

INLINE void some_dots(const float *a, const float *x, const i64 *xo, float *y, i64 step, i64 inner, int rows, int columns) {
    vector sums[DOTS][DOTS] = {{{0}}};
    mask rest = first_lanes(inner % LANES);
    i64 i = 0;
    for (; i + LANES <= inner; i += LANES) add_products(sums, a + i, x + i, xo, inner, rows, columns, 1, rest);
    if (i < inner) add_products(sums, a + i, x + i, xo, inner, rows, columns, 0, rest);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) y[r * step + c] = sum(sums[r][c]);
}

/* y[r][c] = sum_i a[r][i] x[xo[c] + i]: vectors of what is summed. */
static void dots(const float *a, const float *x, const i64 *xo, float *y, i64 rows, i64 columns, i64 inner) {
    for (i64 r = 0; r < rows; r += r + DOTS <= rows ? DOTS : 1)
        for (i64 c = 0; c < columns; c += c + DOTS <= columns ? DOTS : 1) {
            const float *row = a + r * inner;
            float *to = y + r * columns + c;
            if (r + DOTS <= rows && c + DOTS <= columns) some_dots(row, x, xo + c, to, columns, inner, DOTS, DOTS);
            else if (r + DOTS <= rows) some_dots(row, x, xo + c, to, columns, inner, DOTS, 1);
            else if (c + DOTS <= columns) some_dots(row, x, xo + c, to, columns, inner, 1, DOTS);
            else some_dots(row, x, xo + c, to, columns, inner, 1, 1);
        }
}

/* made[u][o][t] = sum_b grad[u][o][b] image[at[u] + tap[t] + b]. */
void weight_gradient(const float *grad, const float *image, float *made, const i64 *at, const i64 *tap, i64 units,
                     i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 u = 0; u < units; u++)
        dots(grad + u * outputs * batch, image + at[u], tap, made + u * outputs * taps, outputs, taps, batch);
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

/* For a few images vectors are of the inputs of a unit, in whose order weights lie. The windows of each unit are copied to it:
   windows[b][t] = image[at + tap[t] + b]. `scratch` has room for those of one unit in each thread. */
INLINE void gather(const float *image, const i64 *tap, float *windows, i64 taps, i64 batch) {
    for (i64 b = 0; b < batch; b++)
        for (i64 t = 0; t < taps; t++) windows[b * taps + t] = image[tap[t] + b];
}

/* As `forward`, `weight_gradient` and `input_gradient`; row[b] = b*taps. */
void forward_of_few(const float *image, const float *weight, const float *bias, float *out, const i64 *at, const i64 *tap,
                    const i64 *row, float *scratch, i64 units, i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 part = 0; part < threads; part++) {
        float *windows = scratch + part * batch * taps;
        for (i64 u = units * part / threads; u < units * (part + 1) / threads; u++) {
            float *to = out + u * outputs * batch;
            gather(image + at[u], tap, windows, taps, batch);
            dots(weight + u * outputs * taps, windows, row, to, outputs, batch, taps);
            for (i64 o = 0; bias && o < outputs; o++)
                for (i64 b = 0; b < batch; b++) to[o * batch + b] += bias[u * outputs + o];
        }
    }
}

void weight_gradient_of_few(const float *grad, const float *image, float *made, const i64 *at, const i64 *tap, const i64 *row,
                            float *scratch, i64 units, i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 part = 0; part < threads; part++) {
        float *windows = scratch + part * batch * taps;
        for (i64 u = units * part / threads; u < units * (part + 1) / threads; u++) {
            gather(image + at[u], tap, windows, taps, batch);
            for (i64 o = 0; o < outputs; o += 2 * ROWS) { /* few rows at a time: they are written from end to end */
                i64 some = outputs - o < 2 * ROWS ? outputs - o : 2 * ROWS, at_row = u * outputs + o;
                product p = {grad + at_row * batch, windows, 0, made + at_row * taps, row, row, batch, 1, batch, 0};
                multiply(p, some, 0, taps);
            }
        }
    }
}

void input_gradient_of_few(const float *grad, const float *weight, float *image, const i64 *at, const i64 *tap, const i64 *row,
                           float *scratch, i64 units, i64 outputs, i64 taps, i64 batch, i64 threads) {
    PARALLEL
    for (i64 part = 0; part < threads; part++) {
        i64 first = batch * part / threads, some = batch * (part + 1) / threads - first;
        float *windows = scratch + first * taps;
        for (i64 u = 0; u < units && some; u++) {
            product p = {grad + u * outputs * batch + first, weight + u * outputs * taps, 0, windows, row, row, 1, batch, outputs, 0};
            multiply(p, some, 0, taps);
            for (i64 b = 0; b < some; b++)
                for (i64 t = 0; t < taps; t++) image[at[u] + tap[t] + first + b] += windows[b * taps + t];
        }
    }
}

/* to[j][i] = from[i][j] for four rows and columns. */
INLINE void turn(const float *from, float *to, i64 from_row, i64 to_row) {
    __m128 a = _mm_loadu_ps(from), b = _mm_loadu_ps(from + from_row);
    __m128 c = _mm_loadu_ps(from + 2 * from_row), d = _mm_loadu_ps(from + 3 * from_row);
    _MM_TRANSPOSE4_PS(a, b, c, d);
    _mm_storeu_ps(to, a), _mm_storeu_ps(to + to_row, b);
    _mm_storeu_ps(to + 2 * to_row, c), _mm_storeu_ps(to + 3 * to_row, d);
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
