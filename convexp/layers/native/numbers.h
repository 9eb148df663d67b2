/* Vectors of floats, and the types that operands have: floats, and two of 16 bits, which are widened before they are used. */

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

typedef int64_t i64;
typedef uint16_t u16;
#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline)) /* a function whose loops have all registers, whoever calls it */

INLINE i64 least(i64 a, i64 b) { return a < b ? a : b; }

/* Vectors, and those of less than LANES values, which are read and written alone: the rest of the vector is 0. */
#if defined(__AVX512F__)
enum { LANES = 16, ROWS = 4, VECTORS = 4 };
typedef __mmask16 mask;
INLINE mask first_lanes(i64 count) { return (mask)((1u << count) - 1); }
#define LOAD_SOME(from, some) _mm512_maskz_loadu_ps(some, from)
#define STORE_SOME(to, some, values) _mm512_mask_storeu_ps(to, some, values)
typedef __m256i halves; /* as many values of 16 bits as a vector has */
#define LOAD_HALVES(from) _mm256_loadu_si256((const __m256i *)(from))
#define LOAD_SOME_HALVES(from, some) _mm256_maskz_loadu_epi16(some, from)
#define STORE_HALVES(to, bits) _mm256_storeu_si256(to, bits)
#define FROM_FLOAT16(bits) _mm512_cvtph_ps(bits)
#define TO_FLOAT16(values) _mm512_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT)
#define STREAM(to, values) _mm512_stream_ps(to, values)
#define STREAM_HALVES(to, bits) _mm256_stream_si256(to, bits)
#define TO_WORDS(bits) _mm512_cvtepu16_epi32(bits)
#define FROM_WORDS(words) _mm512_cvtepi32_epi16((__m512i)(words))
#define WITH_FOUR(values) _mm512_castps128_ps512(values)
#define PAIRS(name, a, b) ((vector)_mm512_##name##_ps(a, b))
#define PAIRS_OF_TWO(name, a, b) ((vector)_mm512_##name##_pd((__m512d)(a), (__m512d)(b)))
#define FIRST_FOUR(bits) _mm256_castsi256_si128(bits)
enum { SUBNORMAL = 0x20 }; /* of fpclass; the processor's own instruction takes such numbers for 0 */
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
enum { LANES = 8, ROWS = 4, VECTORS = 2 };
typedef __m256i mask;
INLINE mask first_lanes(i64 count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#define LOAD_SOME(from, some) _mm256_maskload_ps(from, some)
#define STORE_SOME(to, some, values) _mm256_maskstore_ps(to, some, values)
typedef __m128i halves;
#define LOAD_HALVES(from) _mm_loadu_si128((const __m128i *)(from))
INLINE halves LOAD_SOME_HALVES(const u16 *from, mask some) {
    u16 bits[LANES] = {0};
    memcpy(bits, from, sizeof(u16) * (size_t)__builtin_popcount((unsigned)_mm256_movemask_ps((__m256)some)));
    return LOAD_HALVES(bits);
}
#define STORE_HALVES(to, bits) _mm_storeu_si128(to, bits)
#define FROM_FLOAT16(bits) _mm256_cvtph_ps(bits)
#define TO_FLOAT16(values) _mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT)
#define STREAM(to, values) _mm256_stream_ps(to, values)
#define STREAM_HALVES(to, bits) _mm_stream_si128(to, bits)
#define TO_WORDS(bits) _mm256_cvtepu16_epi32(bits)
#define FROM_WORDS(words) \
    _mm_packus_epi32(_mm256_castsi256_si128((__m256i)(words)), _mm256_extracti128_si256((__m256i)(words), 1))
#define WITH_FOUR(values) _mm256_castps128_ps256(values)
#define PAIRS(name, a, b) ((vector)_mm256_##name##_ps(a, b))
#define PAIRS_OF_TWO(name, a, b) ((vector)_mm256_##name##_pd((__m256d)(a), (__m256d)(b)))
#define FIRST_FOUR(bits) (bits)
#else
#error "written for processors with AVX2 or AVX-512; others use the algorithms in Python"
#endif

typedef float vector __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef uint32_t words __attribute__((vector_size(4 * LANES)));

INLINE vector load(const float *from, int whole, mask some) {
    return whole ? *(const vector *)from : (vector)LOAD_SOME(from, some);
}

INLINE void store(float *to, vector from, int whole, mask some) {
    if (whole) *(vector *)to = from;
    else STORE_SOME(to, some, from);
}

enum { FLOAT32, BFLOAT16, FLOAT16 };
enum { LINE = 16 }; /* floats of a line of a cache */

/* Where the value number `at` lies. */
INLINE void *place_of(const void *values, i64 at, int type) { return (char *)values + at * (type == FLOAT32 ? 4 : 2); }

INLINE vector widened(halves bits, int type) {
    if (type == FLOAT16) return (vector)FROM_FLOAT16(bits);
    return (vector)((words)TO_WORDS(bits) << 16);
}

/* Rounded to the nearest, of two to the even one; what is no number stays none. */
INLINE halves narrowed(vector values, int type) {
    if (type == FLOAT16) return TO_FLOAT16(values);
#if defined(__AVX512BF16__)
    if (__builtin_expect(!_mm512_fpclass_ps_mask((__m512)values, SUBNORMAL), 1))
        return (halves)_mm512_cvtneps_pbh((__m512)values);
#endif
    words bits = (words)values, none = (words)(values != values);
    words rounded = bits + 0x7fff + (bits >> 16 & 1), quiet = bits | 0x400000, made = ((none & quiet) | (~none & rounded)) >> 16;
    return FROM_WORDS(made);
}

INLINE __m128 load_four(const void *from, int type) {
    if (type == FLOAT32) return _mm_loadu_ps(from);
    __m128i bits = _mm_loadl_epi64(from);
    return type == FLOAT16 ? _mm_cvtph_ps(bits) : _mm_castsi128_ps(_mm_slli_epi32(_mm_cvtepu16_epi32(bits), 16));
}

INLINE void store_four(void *to, __m128 values, int type) {
    if (type == FLOAT32) _mm_storeu_ps(to, values);
    else _mm_storel_epi64(to, FIRST_FOUR(narrowed((vector)WITH_FOUR(values), type)));
}

INLINE float get(const void *from, i64 at, int type) {
    const u16 *bits = (const u16 *)from + at;
    if (type == FLOAT32) return ((const float *)from)[at];
    return type == FLOAT16 ? _cvtsh_ss(*bits) : _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128((int)((uint32_t)*bits << 16))));
}

INLINE void put(void *to, i64 at, float value, int type) {
    if (type == FLOAT32) ((float *)to)[at] = value;
    else ((u16 *)to)[at] = (u16)_mm_extract_epi16(FIRST_FOUR(narrowed((vector)WITH_FOUR(_mm_set_ss(value)), type)), 0);
}

INLINE void convert_as(const void *from, int from_type, void *to, int to_type, i64 count) {
    i64 alone = count < 4 ? count : 0, fours = count < LANES ? count : 0;
#pragma GCC unroll 1
    for (i64 i = 0; i < alone; i++) put(to, i, get(from, i, from_type), to_type);
    for (i64 i = alone; i < fours; i += 4) {
        if (i + 4 > count) i = count - 4; /* the last ones begin within those before them; so below */
        store_four(place_of(to, i, to_type), load_four(place_of(from, i, from_type), from_type), to_type);
    }
    for (i64 i = fours; i < count; i += LANES) {
        if (i + LANES > count) i = count - LANES;
        const void *source = place_of(from, i, from_type);
        void *target = place_of(to, i, to_type);
        vector values = from_type == FLOAT32 ? *(const vector *)source : widened(LOAD_HALVES(source), from_type);
        if (to_type == FLOAT32) *(vector *)target = values;
        else STORE_HALVES(target, narrowed(values, to_type));
    }
}

/* One after the other, from one type to another, of which one is float32. */
static void convert(const void *from, int from_type, void *to, int to_type, i64 count) {
    if (from_type == BFLOAT16) convert_as(from, BFLOAT16, to, FLOAT32, count);
    else if (from_type == FLOAT16) convert_as(from, FLOAT16, to, FLOAT32, count);
    else if (to_type == BFLOAT16) convert_as(from, FLOAT32, to, BFLOAT16, count);
    else if (to_type == FLOAT16) convert_as(from, FLOAT32, to, FLOAT16, count);
    else convert_as(from, FLOAT32, to, FLOAT32, count);
}

/* As `convert`, of floats: whole lines of memory are written past the caches, which would read them first. The parts of lines
   before and after them are not: what writes the rest of such a line next would wait for memory. */
static void write_past(const float *from, void *to, int type, i64 count) {
    i64 width = type == FLOAT32 ? 4 : 2, line = LINE * 4 / width, i = least(count, -(uintptr_t)to % (LINE * 4) / width);
    i64 end = i + (count - i) / line * line;
    convert(from, FLOAT32, to, type, i);
    for (; i < end; i += LANES) {
        vector values = *(const vector *)(from + i);
        void *target = place_of(to, i, type);
        if (type == FLOAT32) STREAM(target, values);
        else STREAM_HALVES(target, narrowed(values, type));
    }
    convert(from + i, FLOAT32, place_of(to, i, type), type, count - i);
}

/* Values of a type. */
typedef struct {
    const void *first;
    int type;
} values;

/* Those from value number `at` on. */
INLINE values from(values all, i64 at) { return (values){place_of(all.first, at, all.type), all.type}; }

/* A vector of them, from value number `at` on, as `load`. */
INLINE vector load_from(values from, i64 at, int whole, mask some) {
    if (from.type == FLOAT32) return load((const float *)from.first + at, whole, some);
    const u16 *first = (const u16 *)from.first + at;
    return widened(whole ? LOAD_HALVES(first) : LOAD_SOME_HALVES(first, some), from.type);
}

/* Some of them as floats: where they lie, or in `room`. */
INLINE const float *floats(values from, i64 at, i64 count, float *room) {
    const void *first = place_of(from.first, at, from.type);
    if (from.type == FLOAT32) return first;
    convert(first, from.type, room, FLOAT32, count);
    return room;
}
