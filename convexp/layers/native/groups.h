/* Small units of many groups: the groups of a location fill the vectors, from images with the groups innermost.

   In memory all numbers of a group follow each other. So a block, which is LANES groups of a location or the last ones of it, is
   turned where it is read or written: a vector has one number of each of its groups. */

/* Of each thread, in as many floats: what a block has, turned, and its numbers as they lie in memory. */
typedef struct {
    float *weights, *outputs, *biases, *plain;
} block_room;

static block_room block_room_of(const layer *l, float *room) {
    i64 weights = LINE * l->outputs * l->taps, outputs = LINE * l->outputs * l->input.batch, biases = LINE * l->outputs;
    memset(room, 0, (weights + outputs + biases) * sizeof(float)); /* lanes without a group are computed, too */
    return (block_room){room, room + weights, room + weights + outputs, room + weights + outputs + biases};
}

INLINE void turn_four(const float *from, i64 from_row, float *to, i64 to_row) {
    __m128 four[4];
    for (int k = 0; k < 4; k++) four[k] = _mm_loadu_ps(from + k * from_row);
    _MM_TRANSPOSE4_PS(four[0], four[1], four[2], four[3]);
    for (int k = 0; k < 4; k++) _mm_storeu_ps(to + k * to_row, four[k]);
}

/* to[j][i] = from[i][j], for rows i and columns j. The last four of either begin within those before them. */
static void turn_block(const float *from, i64 from_row, float *to, i64 to_row, i64 rows, i64 columns) {
    if (rows < 4 || columns < 4) {
        for (i64 j = 0; j < columns; j++)
            for (i64 i = 0; i < rows; i++) to[j * to_row + i] = from[i * from_row + j];
        return;
    }
    for (i64 i = 0; i < rows; i += 4) {
        if (i + 4 > rows) i = rows - 4;
        for (i64 j = 0; j < columns; j += 4) {
            if (j + 4 > columns) j = columns - 4;
            turn_four(from + i * from_row + j, from_row, to + j * to_row + i, to_row);
        }
    }
}

/* From number `at` on, `each` numbers of each group. */
INLINE void read_block(values from, i64 at, i64 groups, i64 each, float *plain, float *turned) {
    turn_block(floats(from, at, groups * each, plain), each, turned, LANES, groups, each);
}

INLINE void write_block(const float *turned, void *to, i64 type, i64 at, i64 groups, i64 each, float *plain, int past) {
    void *target = place_of(to, at, type);
    float *made = type == FLOAT32 && !past ? target : plain;
    turn_block(turned, LANES, made, each, each, groups);
    if (past) write_past(made, target, type, groups * each);
    else if (type != FLOAT32) convert(made, FLOAT32, target, type, groups * each);
}

/* A block of one location. Input k of the windows of image b is at window + group_tap[k] + b*groups, for its groups in turn. */
typedef struct {
    i64 count, first, window; /* groups, the first of their outputs, and where their windows begin in the image */
    int whole;
    mask some;
} block;

/* The block from `group` on, of the groups up to `last` of the location of which `unit` is the first unit. */
INLINE block block_of(const layer *l, i64 unit, i64 group, i64 last) {
    i64 count = least(LANES, last - group);
    return (block){count, (unit + group) * l->outputs, l->at[unit] + group, count == LANES, first_lanes(count % LANES)};
}

enum { IMAGES = 4 }; /* whose sums are made together, as far as there are so many */

INLINE void forward_of_images(const layer *l, const float *window, block at, block_room r, i64 o, i64 b, int images) {
    vector sums[IMAGES];
    const float *weights = r.weights + o * l->taps * LANES;
    float *outputs = r.outputs + (o * l->input.batch + b) * LANES;
    i64 groups = l->input.groups;
    for (int i = 0; i < images; i++) sums[i] = load(r.biases + o * LANES, 1, at.some);
    for (i64 k = 0; k < l->taps; k++) {
        vector weight = load(weights + k * LANES, 1, at.some);
        const float *x = window + l->group_tap[k] + b * groups;
        for (int i = 0; i < images; i++) sums[i] += weight * load(x + i * groups, at.whole, at.some);
    }
    for (int i = 0; i < images; i++) store(outputs + i * LANES, sums[i], 1, at.some);
}

INLINE void add_input_gradient(const layer *l, float *x, block at, block_room r, i64 k, i64 b, int images) {
    vector sums[IMAGES];
    i64 groups = l->input.groups, batch = l->input.batch;
    for (int i = 0; i < images; i++) sums[i] = load(x + i * groups, at.whole, at.some);
    for (i64 o = 0; o < l->outputs; o++) {
        vector weight = load(r.weights + (o * l->taps + k) * LANES, 1, at.some);
        for (int i = 0; i < images; i++) sums[i] += weight * load(r.outputs + (o * batch + b + i) * LANES, 1, at.some);
    }
    for (int i = 0; i < images; i++) store(x + i * groups, sums[i], at.whole, at.some);
}

/* The locations from `begin` up to `end`; so in the gradient of the weights. */
static void forward_of_groups(const layer *l, i64 type, const float *image, const void *weight, const void *bias, i64 of_location,
                              i64 of_channel, void *out, float *room, i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs, each = outputs * l->taps;
    block_room r = block_room_of(l, room);
    for (i64 unit = begin * groups; unit < end * groups; unit += groups)
        for (i64 group = 0; group < groups; group += LANES) {
            block at = block_of(l, unit, group, groups);
            read_block((values){weight, type}, at.first * l->taps, at.count, each, r.plain, r.weights);
            if (biases_of(l, unit + group, 0, at.count * outputs, (values){bias, type}, of_location, of_channel, r.plain))
                turn_block(r.plain, outputs, r.biases, LANES, at.count, outputs);
            for (i64 o = 0; o < outputs; o++)
                for (i64 b = 0; b < batch; b += b + IMAGES <= batch ? IMAGES : 1)
                    if (b + IMAGES <= batch) forward_of_images(l, image + at.window, at, r, o, b, IMAGES);
                    else forward_of_images(l, image + at.window, at, r, o, b, 1);
            write_block(r.outputs, out, type, at.first * batch, at.count, outputs * batch, r.plain, 0);
        }
}

static void weight_gradient_of_groups(const layer *l, i64 type, values upstream, const float *image, void *made, float *room,
                                      int past, i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs, each = outputs * l->taps;
    block_room r = block_room_of(l, room);
    for (i64 unit = begin * groups; unit < end * groups; unit += groups)
        for (i64 group = 0; group < groups; group += LANES) {
            block at = block_of(l, unit, group, groups);
            read_block(upstream, at.first * batch, at.count, outputs * batch, r.plain, r.outputs);
            for (i64 o = 0; o < outputs; o++)
                for (i64 k = 0; k < l->taps; k++) {
                    vector sum = {0};
                    const float *x = image + at.window + l->group_tap[k], *above = r.outputs + o * batch * LANES;
                    for (i64 b = 0; b < batch; b++)
                        sum += load(above + b * LANES, 1, at.some) * load(x + b * groups, at.whole, at.some);
                    store(r.weights + (o * l->taps + k) * LANES, sum, 1, at.some);
                }
            write_block(r.weights, made, type, at.first * l->taps, at.count, each, r.plain, past);
        }
}

/* The groups from `begin` up to `end`, at all locations: these share pixels. */
static void input_gradient_of_groups(const layer *l, i64 type, values upstream, const void *weight, float *image, float *room,
                                     i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs, each = outputs * l->taps;
    block_room r = block_room_of(l, room);
    for (i64 unit = 0; unit < l->units; unit += groups)
        for (i64 group = begin; group < end; group += LANES) {
            block at = block_of(l, unit, group, end);
            read_block(upstream, at.first * batch, at.count, outputs * batch, r.plain, r.outputs);
            read_block((values){weight, type}, at.first * l->taps, at.count, each, r.plain, r.weights);
            for (i64 k = 0; k < l->taps; k++) {
                float *x = image + at.window + l->group_tap[k];
                for (i64 b = 0; b < batch; b += b + IMAGES <= batch ? IMAGES : 1)
                    if (b + IMAGES <= batch) add_input_gradient(l, x + b * groups, at, r, k, b, IMAGES);
                    else add_input_gradient(l, x + b * groups, at, r, k, b, 1);
            }
        }
}
