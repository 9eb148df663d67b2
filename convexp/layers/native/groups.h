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

/* The blocks of some locations, or of some groups of them: `count` groups from `group` on. */
#define EACH_BLOCK_OF(first, last) \
    for (i64 group = first, count; count = least(LANES, (last) - group), group < (last); group += LANES)

/* Inputs of a window are number k of each group of a block at window + group_tap[k] + b*groups, for image b. */

enum { IMAGES = 4 }; /* whose sums are made together, as far as there are so many */

INLINE void forward_of_images(const layer *l, const float *window, block_room r, i64 o, i64 b, int images, int whole, mask some) {
    vector sums[IMAGES];
    const float *weights = r.weights + o * l->taps * LANES;
    float *outputs = r.outputs + (o * l->input.batch + b) * LANES;
    i64 groups = l->input.groups;
    for (int i = 0; i < images; i++) sums[i] = load(r.biases + o * LANES, 1, some);
    for (i64 k = 0; k < l->taps; k++) {
        vector weight = load(weights + k * LANES, 1, some);
        const float *x = window + l->group_tap[k] + b * groups;
        for (int i = 0; i < images; i++) sums[i] += weight * load(x + i * groups, whole, some);
    }
    for (int i = 0; i < images; i++) store(outputs + i * LANES, sums[i], 1, some);
}

INLINE void add_input_gradient(const layer *l, float *x, block_room r, i64 k, i64 b, int images, int whole, mask some) {
    vector sums[IMAGES];
    i64 groups = l->input.groups, batch = l->input.batch;
    for (int i = 0; i < images; i++) sums[i] = load(x + i * groups, whole, some);
    for (i64 o = 0; o < l->outputs; o++) {
        vector weight = load(r.weights + (o * l->taps + k) * LANES, 1, some);
        for (int i = 0; i < images; i++) sums[i] += weight * load(r.outputs + (o * batch + b + i) * LANES, 1, some);
    }
    for (int i = 0; i < images; i++) store(x + i * groups, sums[i], whole, some);
}

static void forward_of_groups(const layer *l, i64 type, const float *image, const void *weight, const void *bias, i64 of_location,
                              i64 of_channel, void *out, float *room, i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs;
    block_room r = block_room_of(l, room);
    for (i64 unit = begin * groups; unit < end * groups; unit += groups)
        EACH_BLOCK_OF(0, groups) {
            int whole = count == LANES;
            mask some = first_lanes(count % LANES);
            i64 first = (unit + group) * outputs;
            const float *window = image + l->at[unit] + group;
            read_block((values){weight, type}, first * l->taps, count, outputs * l->taps, r.plain, r.weights);
            if (biases_of(l, unit + group, 0, count * outputs, (values){bias, type}, of_location, of_channel, r.plain))
                turn_block(r.plain, outputs, r.biases, LANES, count, outputs);
            for (i64 o = 0; o < outputs; o++)
                for (i64 b = 0; b < batch; b += b + IMAGES <= batch ? IMAGES : 1)
                    if (b + IMAGES <= batch) forward_of_images(l, window, r, o, b, IMAGES, whole, some);
                    else forward_of_images(l, window, r, o, b, 1, whole, some);
            write_block(r.outputs, out, type, first * batch, count, outputs * batch, r.plain, 0);
        }
}

static void weight_gradient_of_groups(const layer *l, i64 type, values upstream, const float *image, void *made, float *room,
                                      int past, i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs;
    block_room r = block_room_of(l, room);
    for (i64 unit = begin * groups; unit < end * groups; unit += groups)
        EACH_BLOCK_OF(0, groups) {
            int whole = count == LANES;
            mask some = first_lanes(count % LANES);
            i64 first = (unit + group) * outputs;
            const float *window = image + l->at[unit] + group;
            read_block(upstream, first * batch, count, outputs * batch, r.plain, r.outputs);
            for (i64 o = 0; o < outputs; o++)
                for (i64 k = 0; k < l->taps; k++) {
                    vector sum = {0};
                    const float *x = window + l->group_tap[k], *above = r.outputs + o * batch * LANES;
                    for (i64 b = 0; b < batch; b++) sum += load(above + b * LANES, 1, some) * load(x + b * groups, whole, some);
                    store(r.weights + (o * l->taps + k) * LANES, sum, 1, some);
                }
            write_block(r.weights, made, type, first * l->taps, count, outputs * l->taps, r.plain, past);
        }
}

static void input_gradient_of_groups(const layer *l, i64 type, values upstream, const void *weight, float *image, float *room,
                                     i64 begin, i64 end) {
    i64 groups = l->input.groups, batch = l->input.batch, outputs = l->outputs;
    block_room r = block_room_of(l, room);
    for (i64 unit = 0; unit < l->units; unit += groups)
        EACH_BLOCK_OF(begin, end) {
            int whole = count == LANES;
            mask some = first_lanes(count % LANES);
            i64 first = (unit + group) * outputs;
            read_block(upstream, first * batch, count, outputs * batch, r.plain, r.outputs);
            read_block((values){weight, type}, first * l->taps, count, outputs * l->taps, r.plain, r.weights);
            for (i64 k = 0; k < l->taps; k++) {
                float *x = image + l->at[unit] + group + l->group_tap[k];
                for (i64 b = 0; b < batch; b += b + IMAGES <= batch ? IMAGES : 1)
                    if (b + IMAGES <= batch) add_input_gradient(l, x + b * groups, r, k, b, IMAGES, whole, some);
                    else add_input_gradient(l, x + b * groups, r, k, b, 1, whole, some);
            }
        }
}
