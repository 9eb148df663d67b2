/* The sizes of a layer, and tables of offsets (native/places.py); outputs and inputs are those of a unit. */
typedef struct {
    picture input, output;
    i64 units, outputs, taps, runs; /* of channels in a window */
    i64 rows;                       /* of weights that are widened at a time, of one unit or of several */
    const i64 *at, *tap, *run, *image, *output_row, *weight_row, *group_tap;
} layer;

/* Some biases of a unit, or of several of one location, from output `o` on; null where there are none. The bias of an output is at
   `location` times its location plus `channel` times its channel. */
INLINE const float *biases_of(const layer *l, i64 unit, i64 o, i64 count, values bias, i64 location, i64 channel, float *to) {
    if (!bias.first) return 0;
    i64 groups = l->input.groups, at = groups == 1 ? unit : unit / groups;
    i64 first = at * location + ((unit - at * groups) * l->outputs + o) * channel;
    for (i64 k = 0; k < count; k++) to[k] = get(bias.first, first + k * channel, bias.type);
    return to;
}
