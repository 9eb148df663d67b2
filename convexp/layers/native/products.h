/* Matrix products of a unit, of which one matrix is addressed by a table of offsets, so that windows are read where they lie.

   They are done in tiles of ROWS x VECTORS vectors that stay in registers. */

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
INLINE void tile(product p, int transposed, i64 row, i64 column, int rows, int vectors, i64 back, int whole, mask some) {
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
        if (transposed) __builtin_prefetch(a + (p.inner + i) * p.ai);
        for (int v = 0; v < vectors; v++) values[v] = load(x + p.xo[i] + place[v], whole, some);
        for (int r = 0; r < rows; r++) {
            float factor = a[r * p.ar + i * p.ai];
            for (int v = 0; v < vectors; v++) sums[r][v] += factor * values[v];
        }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < vectors; v++) store(p.y + p.yo[row + r] + column + place[v], sums[r][v], whole, some);
}

INLINE void rows_of(product p, int transposed, i64 rows, i64 column, int vectors, i64 back, int whole, mask some) {
    i64 row = 0;
    if (vectors <= VECTORS / 2)
        for (; row + 2 * ROWS <= rows; row += 2 * ROWS) tile(p, transposed, row, column, 2 * ROWS, vectors, back, whole, some);
    for (; row + ROWS <= rows; row += ROWS) tile(p, transposed, row, column, ROWS, vectors, back, whole, some);
    for (; row + 2 <= rows; row += 2) tile(p, transposed, row, column, 2, vectors, back, whole, some);
    if (row < rows) tile(p, transposed, row, column, 1, vectors, back, whole, some);
}

INLINE void multiply_either(product p, int transposed, i64 rows, i64 first, i64 last) {
    i64 column = first, vectors = (last - first + LANES - 1) / LANES, back = vectors * LANES - (last - first);
    mask some = first_lanes(last - first < LANES ? last - first : 0);
    if (vectors == 1 && back) {
        rows_of(p, transposed, rows, column, 1, 0, 0, some);
        return;
    }
    /* a vector that lies in part within another is in one tile with it */
    for (; vectors > VECTORS + 1 || (vectors > VECTORS && !back); vectors -= VECTORS, column += VECTORS * LANES)
        rows_of(p, transposed, rows, column, VECTORS, 0, 1, some);
    if (vectors > VECTORS) {
        rows_of(p, transposed, rows, column, VECTORS / 2, 0, 1, some);
        vectors -= VECTORS / 2, column += VECTORS / 2 * LANES;
    }
    if (VECTORS == 4 && vectors == 4) rows_of(p, transposed, rows, column, 4, back, 1, some);
    else if (vectors == 3) rows_of(p, transposed, rows, column, VECTORS > 2 ? 3 : 2, back, 1, some);
    else if (vectors == 2) rows_of(p, transposed, rows, column, 2, back, 1, some);
    else if (vectors == 1) rows_of(p, transposed, rows, column, 1, 0, 1, some);
}

/* All rows, and the columns from `first` up to `last`. */
static void multiply(product p, i64 rows, i64 first, i64 last) { multiply_either(p, 0, rows, first, last); }

/* The same where `a` is transposed. A tile reads a little of it here and there, which a processor does not foresee, so that what
   has the same place in the next unit is fetched from memory meanwhile. */
static void multiply_transposed(product p, i64 rows, i64 first, i64 last) { multiply_either(p, 1, rows, first, last); }

/* The sums of four vectors. */
INLINE __m128 sums_of(vector a, vector b, vector c, vector d) {
    vector ab = PAIRS(unpacklo, a, b) + PAIRS(unpackhi, a, b), cd = PAIRS(unpacklo, c, d) + PAIRS(unpackhi, c, d);
    vector all = PAIRS_OF_TWO(unpacklo, ab, cd) + PAIRS_OF_TWO(unpackhi, ab, cd);
#if defined(__AVX512F__)
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(all), (__m256)_mm512_extractf64x4_pd((__m512d)all, 1));
#else
    __m256 half = all;
#endif
    return _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
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

INLINE void some_dots(const float *a, const float *x, const i64 *xo, const float *bias, float *y, i64 step, i64 inner, int rows,
                      int columns) {
    vector sums[DOTS][DOTS] = {{{0}}};
    mask rest = first_lanes(inner % LANES);
    i64 i = 0;
    for (; i + LANES <= inner; i += LANES) add_products(sums, a + i, x + i, xo, inner, rows, columns, 1, rest);
    if (i < inner) add_products(sums, a + i, x + i, xo, inner, rows, columns, 0, rest);
    if (columns == DOTS) {
        for (int r = 0; r < rows; r++) {
            __m128 found = sums_of(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
            if (bias) found += _mm_set1_ps(bias[r]);
            _mm_storeu_ps(y + r * step, found);
        }
        return;
    }
    __m128 found = sums_of(sums[0][0], sums[1][0], sums[2][0], sums[3][0]);
    for (int r = 0; r < rows; r++) y[r * step] = bias ? found[r] + bias[r] : found[r];
}

/* y[r][c] = sum_i a[r][i] x[xo[c] + i], and bias[r] if there is one: vectors of what is summed. */
static void dots(const float *a, const float *x, const i64 *xo, const float *bias, float *y, i64 rows, i64 columns, i64 inner) {
    for (i64 r = 0; r < rows; r += r + DOTS <= rows ? DOTS : 1)
        for (i64 c = 0; c < columns; c += c + DOTS <= columns ? DOTS : 1) {
            const float *row = a + r * inner, *of_row = bias ? bias + r : 0;
            float *to = y + r * columns + c;
            if (r + DOTS <= rows && c + DOTS <= columns) some_dots(row, x, xo + c, of_row, to, columns, inner, DOTS, DOTS);
            else if (r + DOTS <= rows) some_dots(row, x, xo + c, of_row, to, columns, inner, DOTS, 1);
            else if (c + DOTS <= columns) some_dots(row, x, xo + c, of_row, to, columns, inner, 1, DOTS);
            else some_dots(row, x, xo + c, of_row, to, columns, inner, 1, 1);
        }
}
