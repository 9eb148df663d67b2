/* Matrix products of a unit, of which one matrix is addressed by a table of offsets, so that windows are read where they lie.

   They are done in tiles of ROWS x VECTORS vectors that stay in registers. */

/* y[yo[r] + c] = start + sum_i a[r ar + i ai] x[xo[i] + c], where start is bias[r], 0, or what y holds. */
typedef struct {
    const float *a;
    values x;
    const float *bias;
    float *y;
    const i64 *xo, *yo;
    i64 ar, ai, inner;
    int adds;
} product;

/* Rows from `row` on, and `vectors` vectors of columns from `column` on, of which the last begins `back` columns earlier, within
   the one before it: all are read before one is written. With less than LANES columns there is one vector, of `some` lanes. */
INLINE void tile(product p, int transposed, i64 row, i64 column, int rows, int vectors, i64 back, int whole, mask some) {
    vector sums[2 * ROWS][VECTORS];
    const float *a = p.a + row * p.ar;
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
        vector read[VECTORS];
        if (transposed) __builtin_prefetch(a + (p.inner + i) * p.ai);
        for (int v = 0; v < vectors; v++) read[v] = load_from(p.x, column + p.xo[i] + place[v], whole, some);
        for (int r = 0; r < rows; r++) {
            float factor = a[r * p.ar + i * p.ai];
            for (int v = 0; v < vectors; v++) sums[r][v] += factor * read[v];
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

/* All rows, and the columns from `first` up to `last`, of an x of floats. */
APART void multiply(product p, i64 rows, i64 first, i64 last) {
    p.x.type = FLOAT32;
    multiply_either(p, 0, rows, first, last);
}

/* The same where `a` is transposed. A tile reads a little of it here and there, which a processor does not foresee, so that what
   has the same place in the next unit is fetched from memory meanwhile. */
APART void multiply_transposed(product p, i64 rows, i64 first, i64 last) {
    p.x.type = FLOAT32;
    multiply_either(p, 1, rows, first, last);
}

APART void multiply_bfloat16(product p, i64 rows, i64 first, i64 last) {
    p.x.type = BFLOAT16;
    multiply_either(p, 0, rows, first, last);
}

APART void multiply_float16(product p, i64 rows, i64 first, i64 last) {
    p.x.type = FLOAT16;
    multiply_either(p, 0, rows, first, last);
}

/* As `multiply`, of an x of any type, which is widened where it is read. */
INLINE void multiply_widened(product p, i64 rows, i64 first, i64 last) {
    if (p.x.type == BFLOAT16) multiply_bfloat16(p, rows, first, last);
    else if (p.x.type == FLOAT16) multiply_float16(p, rows, first, last);
    else multiply(p, rows, first, last);
}

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

INLINE void add_products(vector sums[DOTS][DOTS], values a, const float *x, const i64 *xo, i64 inner, int rows, int columns,
                         int whole, mask some) {
    vector factors[DOTS];
    for (int r = 0; r < rows; r++) {
        __builtin_prefetch(from(a, (rows + r) * inner).first); /* where the next rows begin in memory */
        factors[r] = load_from(a, r * inner, whole, some);
    }
    for (int c = 0; c < columns; c++) {
        vector others = load(x + xo[c], whole, some);
        for (int r = 0; r < rows; r++) sums[r][c] += factors[r] * others;
    }
}

/* A column of four sums, `step` apart. */
INLINE void store_column(void *to, __m128 sums, i64 step, int type) {
    float four[4];
    if (step == 1) {
        store_four(to, sums, type);
        return;
    }
    store_four(four, sums, type);
    for (int k = 0; k < 4; k++)
        if (type == FLOAT32) ((float *)to)[k * step] = four[k];
        else ((u16 *)to)[k * step] = ((const u16 *)four)[k];
}

INLINE void some_dots(values a, const float *x, const i64 *xo, const float *bias, void *y, i64 step, i64 inner, int rows,
                      int columns) {
    vector sums[DOTS][DOTS] = {{{0}}};
    mask rest = first_lanes(inner % LANES);
    i64 i = 0;
    for (; i + LANES <= inner; i += LANES) add_products(sums, from(a, i), x + i, xo, inner, rows, columns, 1, rest);
    if (i < inner) add_products(sums, from(a, i), x + i, xo, inner, rows, columns, 0, rest);
    if (columns == DOTS)
        for (int r = 0; r < rows; r++) {
            __m128 found = sums_of(sums[r][0], sums[r][1], sums[r][2], sums[r][3]);
            if (bias) found += _mm_set1_ps(bias[r]);
            store_four(place_of(y, r * step, a.type), found, a.type);
        }
    else if (rows == DOTS)
        for (int c = 0; c < columns; c++) {
            __m128 found = sums_of(sums[0][c], sums[1][c], sums[2][c], sums[3][c]);
            if (bias) found += _mm_loadu_ps(bias);
            store_column(place_of(y, c, a.type), found, step, a.type);
        }
    else {
        float found = sums_of(sums[0][0], sums[0][0], sums[0][0], sums[0][0])[0];
        put(y, 0, bias ? found + *bias : found, a.type);
    }
}

INLINE void dots_of_rows(values a, const float *x, const i64 *xo, const float *bias, void *y, int rows, i64 columns, i64 inner) {
    i64 c = 0;
    for (; c + DOTS <= columns; c += DOTS) some_dots(a, x, xo + c, bias, place_of(y, c, a.type), columns, inner, rows, DOTS);
    if (rows == DOTS)
        for (; c + 2 <= columns; c += 2) some_dots(a, x, xo + c, bias, place_of(y, c, a.type), columns, inner, rows, 2);
    for (; c < columns; c++) some_dots(a, x, xo + c, bias, place_of(y, c, a.type), columns, inner, rows, 1);
}

INLINE void dots_of_all(values a, const float *x, const i64 *xo, const float *bias, void *y, i64 rows, i64 columns, i64 inner) {
    i64 r = 0;
    for (; r + DOTS <= rows; r += DOTS)
        dots_of_rows(from(a, r * inner), x, xo, bias ? bias + r : 0, place_of(y, r * columns, a.type), DOTS, columns, inner);
    for (; r < rows; r++)
        dots_of_rows(from(a, r * inner), x, xo, bias ? bias + r : 0, place_of(y, r * columns, a.type), 1, columns, inner);
}

#define DOTS_OF_TYPE(type) \
    APART void dots_of_##type(const void *a, const float *x, const i64 *xo, const float *bias, void *y, i64 rows, i64 columns, \
                              i64 inner) { \
        dots_of_all((values){a, type}, x, xo, bias, y, rows, columns, inner); \
    }
DOTS_OF_TYPE(FLOAT32)
DOTS_OF_TYPE(BFLOAT16)
DOTS_OF_TYPE(FLOAT16)

/* y[r][c] = sum_i a[r][i] x[xo[c] + i], and bias[r] if there is one: vectors of what is summed. `y` is of the type of `a`. */
INLINE void dots(values a, const float *x, const i64 *xo, const float *bias, void *y, i64 rows, i64 columns, i64 inner) {
    if (a.type == BFLOAT16) dots_of_BFLOAT16(a.first, x, xo, bias, y, rows, columns, inner);
    else if (a.type == FLOAT16) dots_of_FLOAT16(a.first, x, xo, bias, y, rows, columns, inner);
    else dots_of_FLOAT32(a.first, x, xo, bias, y, rows, columns, inner);
}
