// Palettes of a batch of frames: the algorithm of engine_numba.py, to the same bits.
//
// A block of threads works on one frame, or on one start of one frame. Frames that need
// fewer steps than others end earlier, and the next ones take their place.
//
// The same bits come from the same roundings. Sums over pixels are whole numbers, or
// whole multiples of a power of two, so float64 holds them exactly and their order does
// not matter; all other sums have an order that does not depend on the number of
// threads. Products and sums must not be fused: compile with --fmad=false.
//
// The names in capitals that are not defined here are constants of the modules of that engine.
//
// Kept to what CUDA and C++ have in common, but for the few names that
// tests/gpu/kernels_on_cpu.h explains to a compiler of C++: so it is tested without a
// GPU.
//
// Every kernel's frames lie in arrays of these shapes. A frame has three histograms:
// fine, middle and coarse, each with room for `capacity` points.
//
// keys     (n, 3, capacity)      Morton numbers, ascending
// moments  (n, 3, capacity, 4)   weight and weight times color
// points   (n, 3, 4, capacity)   mean colors and weight
// counts   (n, 3)                points of each histogram; 0: it is not needed
// scatter  (n,)                  of the coarse points

#define FINE 0
#define MIDDLE 1
#define COARSE 2

// Bins of 6 bits a channel: a bit each, and a running sum for every four words.
#define BIN_WORDS (N_BINS / 32)
#define BIN_GROUPS (BIN_WORDS / 4)

#define FAR_AWAY 1e9f
#define GOLDEN 0x9E3779B97F4A7C15ULL
#define SEGMENTS 9
#define MOST_TRIALS 8

typedef unsigned int word;
typedef unsigned long long state;

extern __shared__ double shared_memory[];

struct Histogram {
    word* keys;
    double* moments;
    float* reds;
    float* greens;
    float* blues;
    float* weights;
    int n;
};

// What the search of one block writes to. In the device's memory:
struct Room {
    float* nearest;      // (capacity,) squared distance of each point to its center
    int* labels;         // (capacity,) center of each point, in the step before
    double* cumulative;  // (most_coarse,) running sums of potentials
    float* potentials;   // (1 + trials, most_coarse) now, and after each trial
    int stride;          // most_coarse
    // In the block's own:
    double* sums;        // (k, 4) moments of each cluster
    double* terms;       // (k, 3)
    double* segments;    // (9,)
    double* inertia;     // (1,)
    float* values;       // (threads,)
    int* indices;        // (threads,)
    int* members;        // (k,) points of each cluster
    int* drawn;          // (8,)
    int* moved;          // (1,)
};

__device__ Histogram find_histogram(
    word* keys, double* moments, float* points, const int* counts, int capacity,
    int frame, int level)
{
    long long at = (frame * 3LL + level) * capacity;
    Histogram found;
    found.keys = keys + at;
    found.moments = moments + 4 * at;
    found.reds = points + 4 * at;
    found.greens = found.reds + capacity;
    found.blues = found.greens + capacity;
    found.weights = found.blues + capacity;
    found.n = counts[frame * 3 + level];
    return found;
}

// Sum `own` of all threads before this one; the last value of room is the sum of all.
__device__ int scan(int own, int* room)
{
    room[threadIdx.x] = own;
    __syncthreads();
    if (threadIdx.x == 0) {
        int total = 0;
        for (int i = 0; i < blockDim.x; i++) {
            int value = room[i];
            room[i] = total;
            total += value;
        }
        room[blockDim.x] = total;
    }
    __syncthreads();
    return room[threadIdx.x];
}

// Where this thread's part of n neighbors begins; the next thread's is where it ends.
__device__ int find_part(int n, int thread)
{
    return (int)((long long)n * thread / blockDim.x);
}

// Move bit i of a byte to bit 3 i.
__device__ word spread_bits(word value)
{
    value = (value | (value << 8)) & 0x00F00Fu;
    value = (value | (value << 4)) & 0x0C30C3u;
    return (value | (value << 2)) & 0x249249u;
}

__device__ word find_key(const unsigned char* pixel)
{
    return (spread_bits(pixel[0]) << 2) | (spread_bits(pixel[1]) << 1)
        | spread_bits(pixel[2]);
}

__device__ void set_bit(word* bits, word key)
{
    word bit = 1u << (key & 31);
    // Most are set already, and looking costs less than setting.
    if (!(bits[key >> 5] & bit)) atomicOr(&bits[key >> 5], bit);
}

// Count the bits before this one that are set.
__device__ int find_rank(const word* bits, const int* before, word key)
{
    int place = key >> 5;
    int rank = before[place >> 2];
    for (int i = place & ~3; i < place; i++) rank += __popc(bits[i]);
    return rank + __popc(bits[place] & ((1u << (key & 31)) - 1));
}

// Fill `before` with the bits set before each four words; returns how many are set.
__device__ int count_bits(const word* bits, int* before, int n_groups, int* room)
{
    int first = find_part(n_groups, threadIdx.x);
    int last = find_part(n_groups, threadIdx.x + 1);
    int own = 0;
    for (int i = 4 * first; i < 4 * last; i++) own += __popc(bits[i]);
    int rank = scan(own, room);
    for (int group = first; group < last; group++) {
        before[group] = rank;
        for (int i = 4 * group; i < 4 * group + 4; i++) rank += __popc(bits[i]);
    }
    __syncthreads();
    return room[blockDim.x];
}

__device__ void add_moments(double* to, int count, int red, int green, int blue)
{
    atomicAdd(to, (double)count);
    atomicAdd(to + 1, (double)red);
    atomicAdd(to + 2, (double)green);
    atomicAdd(to + 3, (double)blue);
}

__device__ void clear(double* values, long long n)
{
    for (long long i = threadIdx.x; i < n; i += blockDim.x) values[i] = 0.0;
    __syncthreads();
}

__device__ void place_points(Histogram to)
{
    for (int i = threadIdx.x; i < to.n; i += blockDim.x) {
        const double* moment = to.moments + 4LL * i;
        to.reds[i] = (float)(moment[1] / moment[0]);
        to.greens[i] = (float)(moment[2] / moment[0]);
        to.blues[i] = (float)(moment[3] / moment[0]);
        to.weights[i] = (float)moment[0];
    }
    __syncthreads();
}

// Count pixels in bins of 6 bits a channel; if they are few, every color in its own.
// Sets the histogram's n, keys and moments; returns the bits of a channel.
__device__ int count_pixels(
    const unsigned char* pixels, int n_pixels, int few_bins, Histogram* fine)
{
    word* bins = (word*)shared_memory;
    int* bins_before = (int*)(bins + BIN_WORDS);
    word* colors = (word*)(bins_before + BIN_GROUPS);
    int* colors_before = (int*)(colors + 2 * few_bins);
    int* room = colors_before + few_bins / 2;

    for (int i = threadIdx.x; i < BIN_WORDS; i += blockDim.x) bins[i] = 0;
    for (int i = threadIdx.x; i < 2 * few_bins; i += blockDim.x) colors[i] = 0;
    __syncthreads();
    for (int p = threadIdx.x; p < n_pixels; p += blockDim.x)
        set_bit(bins, find_key(pixels + 3LL * p) >> 6);
    __syncthreads();
    int n_bins = count_bits(bins, bins_before, BIN_GROUPS, room);
    bool exact = n_bins < few_bins;
    fine->n = n_bins;
    if (exact) {
        for (int p = threadIdx.x; p < n_pixels; p += blockDim.x) {
            word key = find_key(pixels + 3LL * p);
            int bin = find_rank(bins, bins_before, key >> 6);
            set_bit(colors, bin * 64 + (key & 63));
        }
        __syncthreads();
        fine->n = count_bits(colors, colors_before, few_bins / 2, room);
    }
    clear(fine->moments, 4LL * fine->n);

    // Neighbors are often in one bin, and are added to it together.
    int place = -1, count = 0, red = 0, green = 0, blue = 0;
    for (int p = threadIdx.x; p < n_pixels; p += blockDim.x) {
        const unsigned char* pixel = pixels + 3LL * p;
        word key = find_key(pixel);
        int bin = find_rank(bins, bins_before, key >> 6);
        int own = bin;
        if (exact) own = find_rank(colors, colors_before, bin * 64 + (key & 63));
        if (own != place || count == (1 << 22)) {
            if (count) add_moments(fine->moments + 4LL * place, count, red, green, blue);
            place = own;
            fine->keys[place] = exact ? key : key >> 6;
            count = red = green = blue = 0;
        }
        count += 1;
        red += pixel[0];
        green += pixel[1];
        blue += pixel[2];
    }
    if (count) add_moments(fine->moments + 4LL * place, count, red, green, blue);
    __syncthreads();
    return exact ? 8 : 6;
}

__device__ double take_cube_root(double value)
{
    long long above = __double_as_longlong(value) - ONE_BITS;
    // Rounded down, also below 0.
    long long third = above / 3 - (above % 3 < 0);
    double root = __longlong_as_double(third + ONE_BITS);
    for (int step = 0; step < ROOT_STEPS; step++) {
        double power = root * root * root;
        root = root * ((2.0 * power + 4.0 * value) / (4.0 * power + 2.0 * value));
    }
    return root;
}

__device__ double multiply(const double* row, const double* by)
{
    return row[0] * by[0] + row[1] * by[1] + row[2] * by[2];
}

// Move the points to the color space, each with its weight.
//
// space (26,): whether there are roots, parts of 1 that moments are rounded to; from
// linear (9,); epsilon, slope, offset; from roots (9,); origin (3,)
__device__ void leave_srgb(
    Histogram to, const double* curve, int n_curve, const double* space)
{
    double parts = space[1];
    for (int i = threadIdx.x; i < to.n; i += blockDim.x) {
        double* moment = to.moments + 4LL * i;
        double color[3], roots[3];
        for (int channel = 0; channel < 3; channel++) {
            double at = moment[channel + 1] / moment[0] * CURVE_STEPS;
            int below = (int)at;
            if (below > n_curve - 2) below = n_curve - 2;
            double low = curve[below];
            color[channel] = low + (at - below) * (curve[below + 1] - low);
        }
        if (space[0] != 0.0) {
            for (int j = 0; j < 3; j++) {
                double value = multiply(space + 2 + 3 * j, color);
                roots[j] = value > space[11] ? take_cube_root(value)
                                             : value * space[12] + space[13];
            }
            for (int j = 0; j < 3; j++)
                color[j] = multiply(space + 14 + 3 * j, roots) + space[23 + j];
        }
        for (int j = 0; j < 3; j++)
            moment[j + 1] = rint(moment[0] * color[j] * parts) / parts;
    }
    __syncthreads();
}

// Whether a point begins a run of points that are one in a coarser histogram.
__device__ bool begins(const word* keys, int i, int shift)
{
    return i == 0 || keys[i] >> shift != keys[i - 1] >> shift;
}

// Count the points of a coarser histogram.
__device__ int count_runs(Histogram fine, int shift, int* room)
{
    int own = 0;
    for (int i = threadIdx.x; i < fine.n; i += blockDim.x)
        own += begins(fine.keys, i, shift);
    scan(own, room);
    int total = room[blockDim.x];
    __syncthreads();
    return total;
}

// Make a coarser histogram, of as many points as were counted.
__device__ void coarsen(Histogram fine, int shift, Histogram coarse, int* room)
{
    clear(coarse.moments, 4LL * coarse.n);
    int first = find_part(fine.n, threadIdx.x);
    int last = find_part(fine.n, threadIdx.x + 1);
    int own = 0;
    for (int i = first; i < last; i++) own += begins(fine.keys, i, shift);
    int place = scan(own, room) - 1;
    for (int i = first; i < last; i++) {
        if (begins(fine.keys, i, shift)) {
            place++;
            coarse.keys[place] = fine.keys[i] >> shift;
        }
        for (int channel = 0; channel < 4; channel++)
            atomicAdd(coarse.moments + 4LL * place + channel,
                      fine.moments[4LL * i + channel]);
    }
    __syncthreads();
    place_points(coarse);
}

// Sum the weighted squared distances of the points to their common mean.
// terms (n, 3) is room for it.
__device__ double measure_scatter(Histogram of, double* terms, double* room)
{
    clear(room, 5);
    double own[4] = {0.0, 0.0, 0.0, 0.0};
    for (int i = threadIdx.x; i < of.n; i += blockDim.x) {
        const double* moment = of.moments + 4LL * i;
        own[0] += moment[0];
        for (int channel = 1; channel < 4; channel++) {
            own[channel] += moment[channel];
            terms[3LL * i + channel - 1] = moment[channel] * moment[channel] / moment[0];
        }
    }
    for (int channel = 0; channel < 4; channel++) atomicAdd(room + channel, own[channel]);
    __syncthreads();
    if (threadIdx.x == 0) {
        double squares = 0.0;
        for (long long i = 0; i < 3LL * of.n; i++) squares += terms[i];
        double mean = (room[1] * room[1] + room[2] * room[2] + room[3] * room[3]) / room[0];
        room[4] = squares > mean ? squares - mean : 0.0;
    }
    __syncthreads();
    return room[4];
}

// A block a frame: pixels (n, p, 3) become the three histograms.
extern "C" __global__ void make_histograms(
    const unsigned char* pixels, int n_pixels, int capacity, int few_bins,
    int min_coarse, int min_exact_coarse, int n_colors, const double* curve, int n_curve,
    const double* space, word* keys, double* moments, float* points, int* counts,
    double* scatter)
{
    int frame = blockIdx.x;
    Histogram fine = find_histogram(keys, moments, points, counts, capacity, frame, FINE);
    Histogram middle =
        find_histogram(keys, moments, points, counts, capacity, frame, MIDDLE);
    Histogram coarse =
        find_histogram(keys, moments, points, counts, capacity, frame, COARSE);
    const unsigned char* own = pixels + 3LL * n_pixels * frame;
    int bits = count_pixels(own, n_pixels, few_bins, &fine);
    middle.n = coarse.n = 0;
    double spread = 0.0;
    if (n_curve > 0) leave_srgb(fine, curve, n_curve, space);
    place_points(fine);
    if (fine.n > n_colors) {
        // From here on the block's own memory is free again.
        double* sums = shared_memory;
        int* room = (int*)(shared_memory + 5);
        int enough = bits == 8 ? min_exact_coarse : min_coarse;
        if (enough < MIN_COARSE_PER_COLOR * n_colors)
            enough = MIN_COARSE_PER_COLOR * n_colors;
        // From 4 bits a channel on, one bit more until there are enough points.
        int shift = 3 * bits - 12;
        coarse.n = count_runs(fine, shift, room);
        while (coarse.n < enough && shift > 0) {
            shift -= 3;
            coarse.n = count_runs(fine, shift, room);
        }
        coarsen(fine, shift, coarse, room);
        // What is to be the middle histogram is not in use yet.
        spread = measure_scatter(coarse, middle.moments, sums);
        if (shift > 0) {
            middle.n = count_runs(fine, shift - 3, room);
            coarsen(fine, shift - 3, middle, room);
        }
    }
    if (threadIdx.x == 0) {
        counts[3 * frame + FINE] = fine.n;
        counts[3 * frame + MIDDLE] = middle.n;
        counts[3 * frame + COARSE] = coarse.n;
        scatter[frame] = spread;
    }
}

// Lay out what the search of this block writes to.
__device__ Room find_room(
    unsigned char* scratch, long long scratch_bytes, int capacity, int most_coarse,
    int n_colors)
{
    Room room;
    unsigned char* own = scratch + scratch_bytes * blockIdx.x;
    room.cumulative = (double*)own;
    room.nearest = (float*)(room.cumulative + most_coarse);
    room.labels = (int*)(room.nearest + capacity);
    room.potentials = (float*)(room.labels + capacity);
    room.stride = most_coarse;
    room.sums = shared_memory;
    room.terms = room.sums + 4 * n_colors;
    room.segments = room.terms + 3 * n_colors;
    room.inertia = room.segments + SEGMENTS;
    room.values = (float*)(room.inertia + 1);
    room.indices = (int*)(room.values + blockDim.x);
    room.members = room.indices + blockDim.x;
    room.drawn = room.members + n_colors;
    room.moved = room.drawn + MOST_TRIALS;
    return room;
}

__device__ float measure(
    float red, float green, float blue, float center_red, float center_green,
    float center_blue)
{
    float by_red = red - center_red;
    float by_green = green - center_green;
    float by_blue = blue - center_blue;
    return by_red * by_red + by_green * by_green + by_blue * by_blue;
}

// Draw from [0, 1): splitmix64, the n-th number after the state.
__device__ double draw_random(state seed, int n)
{
    state z = seed + (n + 1) * GOLDEN;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z = z ^ (z >> 31);
    return (double)(z >> 11) * 1.1102230246251565e-16;
}

// Make running sums of eight equal segments and the few values left over.
__device__ double add_up(const float* values, int n, Room room)
{
    int part = n >> 3;
    for (int segment = threadIdx.x; segment < SEGMENTS; segment += blockDim.x) {
        int first = segment * part;
        int last = segment == SEGMENTS - 1 ? n : first + part;
        double sum = 0.0;
        for (int i = first; i < last; i++) {
            sum += values[i];
            room.cumulative[i] = sum;
        }
        room.segments[segment] = sum;
    }
    __syncthreads();
    double total = 0.0;
    for (int segment = 0; segment < SEGMENTS; segment++) total += room.segments[segment];
    return total;
}

// Draw one of n points with the chance of its part in the running sums.
__device__ int draw_point(double random, double total, int n, Room room)
{
    double at = random * total;
    int segment = 0;
    while (segment < 8 && at >= room.segments[segment]) {
        at -= room.segments[segment];
        segment++;
    }
    int part = n >> 3;
    int low = segment * part;
    int high = segment == 8 ? n - 1 : low + part - 1;
    // Rounding may lead past the end of an empty rest.
    if (low > high) low = high;
    while (low < high) {
        int half = (low + high) >> 1;
        if (room.cumulative[half] > at)
            high = half;
        else
            low = half + 1;
    }
    return low;
}

// Choose points as first centers: greedy k-means++.
__device__ void seed_centers(
    Histogram of, float* centers, int n_colors, int trials, state seed, Room room)
{
    int n = of.n;
    float* potential = room.potentials;
    for (int i = threadIdx.x; i < 3 * n_colors; i += blockDim.x) centers[i] = FAR_AWAY;
    for (int i = threadIdx.x; i < n; i += blockDim.x) {
        room.nearest[i] = __int_as_float(0x7f800000);
        potential[i] = of.weights[i];
    }
    __syncthreads();
    int n_drawn = 0;
    for (int j = 0; j < n_colors; j++) {
        double total = add_up(potential, n, room);
        // Every point is a center: the rest stay far away, empty, for good.
        if (total <= 0.0) return;
        int tried = j > 0 ? trials : 1;
        for (int i = threadIdx.x; i < tried; i += blockDim.x)
            room.drawn[i] = draw_point(draw_random(seed, n_drawn + i), total, n, room);
        n_drawn += tried;
        __syncthreads();
        for (int trial = 0; trial < tried; trial++) {
            int drawn = room.drawn[trial];
            float* after = potential + (trial + 1LL) * room.stride;
            float red = of.reds[drawn], green = of.greens[drawn], blue = of.blues[drawn];
            for (int i = threadIdx.x; i < n; i += blockDim.x) {
                float distance =
                    measure(of.reds[i], of.greens[i], of.blues[i], red, green, blue);
                float nearer = distance < room.nearest[i] ? distance : room.nearest[i];
                after[i] = nearer * of.weights[i];
            }
        }
        __syncthreads();
        // Add up each trial's potentials: the upper half to the lower.
        for (int left = n; left > 1; left -= left >> 1) {
            int half = left >> 1, upper = left - half;
            for (int i = threadIdx.x; i < tried * half; i += blockDim.x) {
                float* after = potential + (1LL + i / half) * room.stride;
                after[i % half] += after[upper + i % half];
            }
            __syncthreads();
        }
        int chosen = 0;
        float least = __int_as_float(0x7f800000);
        for (int trial = 0; trial < tried; trial++) {
            float left = potential[(trial + 1LL) * room.stride];
            if (left < least) {
                least = left;
                chosen = room.drawn[trial];
            }
        }
        float red = of.reds[chosen], green = of.greens[chosen], blue = of.blues[chosen];
        if (threadIdx.x == 0) {
            centers[3 * j] = red;
            centers[3 * j + 1] = green;
            centers[3 * j + 2] = blue;
        }
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            float distance =
                measure(of.reds[i], of.greens[i], of.blues[i], red, green, blue);
            if (distance < room.nearest[i]) room.nearest[i] = distance;
            potential[i] = room.nearest[i] * of.weights[i];
        }
        __syncthreads();
    }
}

// Put the center of an empty cluster on the point of most potential, if any.
__device__ bool reseed(Histogram of, int j, float* centers, Room room)
{
    float most = 0.0f;
    int farthest = 0;
    for (int i = threadIdx.x; i < of.n; i += blockDim.x) {
        float potential = room.nearest[i] * of.weights[i];
        if (potential > most) {
            most = potential;
            farthest = i;
        }
    }
    room.values[threadIdx.x] = most;
    room.indices[threadIdx.x] = farthest;
    __syncthreads();
    if (threadIdx.x == 0) {
        for (int i = 1; i < blockDim.x; i++) {
            float value = room.values[i];
            // Of equal ones the first.
            if (value > most || (value == most && room.indices[i] < farthest)) {
                most = value;
                farthest = room.indices[i];
            }
        }
        room.values[0] = most;
        if (most > 0.0f) {
            // Not again for the next empty cluster.
            room.nearest[farthest] = 0.0f;
            centers[3 * j] = of.reds[farthest];
            centers[3 * j + 1] = of.greens[farthest];
            centers[3 * j + 2] = of.blues[farthest];
        }
    }
    __syncthreads();
    bool found = room.values[0] > 0.0f;
    __syncthreads();
    return found;
}

// Give each point to its nearest center; the clusters' moments follow.
__device__ void label_points(Histogram of, const float* centers, int n_colors, Room room)
{
    for (int i = threadIdx.x; i < of.n; i += blockDim.x) {
        float red = of.reds[i], green = of.greens[i], blue = of.blues[i];
        float least = measure(red, green, blue, centers[0], centers[1], centers[2]);
        int label = 0;
        for (int j = 1; j < n_colors; j++) {
            const float* center = centers + 3 * j;
            float distance =
                measure(red, green, blue, center[0], center[1], center[2]);
            if (distance < least) {
                least = distance;
                label = j;
            }
        }
        room.nearest[i] = least;
        int old = room.labels[i];
        if (label == old) continue;
        room.labels[i] = label;
        const double* moment = of.moments + 4LL * i;
        atomicAdd(&room.members[label], 1);
        for (int channel = 0; channel < 4; channel++)
            atomicAdd(&room.sums[4 * label + channel], moment[channel]);
        if (old < 0) continue;
        atomicAdd(&room.members[old], -1);
        for (int channel = 0; channel < 4; channel++)
            atomicAdd(&room.sums[4 * old + channel], -moment[channel]);
    }
}

// Move centers to the means of their points until it gains no more: Lloyd.
//
// Leaves the clusters in room.members and room.sums; returns their inertia, less what is
// the same for all clusterings of these points.
__device__ double move_centers(
    Histogram of, float* centers, int n_colors, double tolerance, Room room)
{
    for (int i = threadIdx.x; i < of.n; i += blockDim.x) room.labels[i] = -1;
    for (int j = threadIdx.x; j < n_colors; j += blockDim.x) room.members[j] = 0;
    clear(room.sums, 4 * n_colors);
    double last_inertia = __longlong_as_double(0x7ff0000000000000LL);
    double inertia = last_inertia;
    for (int step = 0; step < MAX_ITERATIONS; step++) {
        label_points(of, centers, n_colors, room);
        if (threadIdx.x == 0) *room.moved = 0;
        __syncthreads();
        for (int i = threadIdx.x; i < 3 * n_colors; i += blockDim.x) {
            int j = i / 3;
            if (room.members[j] == 0) continue;
            double moment = room.sums[4 * j + 1 + i % 3];
            double mean = moment / room.sums[4 * j];
            room.terms[i] = moment * mean;
            float rounded = (float)mean;
            if (rounded != centers[i]) {
                centers[i] = rounded;
                atomicOr(room.moved, 1);
            }
        }
        __syncthreads();
        if (threadIdx.x == 0) {
            double total = 0.0;
            for (int i = 0; i < 3 * n_colors; i++)
                if (room.members[i / 3] > 0) total -= room.terms[i];
            *room.inertia = total;
        }
        __syncthreads();
        inertia = *room.inertia;
        bool moved = *room.moved;
        bool reseeded = false;
        for (int j = 0; j < n_colors; j++)
            if (room.members[j] == 0 && reseed(of, j, centers, room)) reseeded = true;
        bool settled = !moved || last_inertia - inertia <= tolerance;
        if (settled && !reseeded) break;
        last_inertia = inertia;
        __syncthreads();
    }
    __syncthreads();
    return inertia;
}

// Blocks take turns at the starts of all frames: (n, n_init, k, 3) centers, and the
// inertia of each start (n, n_init).
extern "C" __global__ void try_starts(
    word* keys, double* moments, float* points, const int* counts, const double* scatter,
    int n_frames, int capacity, int most_coarse, int n_colors, int n_init, int trials,
    state seed, double tolerance, unsigned char* scratch, long long scratch_bytes,
    float* starts, double* inertias)
{
    Room room = find_room(scratch, scratch_bytes, capacity, most_coarse, n_colors);
    float* centers = (float*)(room.moved + 1);
    float* best = centers + 3 * n_colors;
    // Numbers that one seeding draws.
    int n_drawn = 1 + (n_colors - 1) * trials;
    for (int task = blockIdx.x; task < n_frames * n_init; task += gridDim.x) {
        int frame = task / n_init, start = task % n_init;
        Histogram middle =
            find_histogram(keys, moments, points, counts, capacity, frame, MIDDLE);
        Histogram coarse =
            find_histogram(keys, moments, points, counts, capacity, frame, COARSE);
        // The frame has no more colors than asked for.
        if (coarse.n == 0) continue;
        double enough = tolerance * scatter[frame];
        double least = __longlong_as_double(0x7ff0000000000000LL);
        for (int seeding = 0; seeding < SEEDINGS; seeding++) {
            state own = seed + ((state)start * SEEDINGS + seeding) * n_drawn * GOLDEN;
            seed_centers(coarse, centers, n_colors, trials, own, room);
            __syncthreads();
            double inertia = move_centers(coarse, centers, n_colors, enough, room);
            if (inertia < least) {
                least = inertia;
                for (int i = threadIdx.x; i < 3 * n_colors; i += blockDim.x)
                    best[i] = centers[i];
            }
            __syncthreads();
        }
        if (middle.n > 0) least = move_centers(middle, best, n_colors, enough, room);
        for (int i = threadIdx.x; i < 3 * n_colors; i += blockDim.x)
            starts[3LL * n_colors * task + i] = best[i];
        if (threadIdx.x == 0) inertias[task] = least;
        __syncthreads();
    }
}

// Blocks take turns at the frames: the best start of each is finished on all points.
// clusters (n, k, 4) are moments; 0 where missing.
extern "C" __global__ void finish_palettes(
    word* keys, double* moments, float* points, const int* counts, int n_frames,
    int capacity, int most_coarse, int n_colors, int n_init, unsigned char* scratch,
    long long scratch_bytes, const float* starts, const double* inertias,
    double* clusters)
{
    Room room = find_room(scratch, scratch_bytes, capacity, most_coarse, n_colors);
    float* centers = (float*)(room.moved + 1);
    for (int frame = blockIdx.x; frame < n_frames; frame += gridDim.x) {
        Histogram fine =
            find_histogram(keys, moments, points, counts, capacity, frame, FINE);
        double* found = clusters + 4LL * n_colors * frame;
        if (fine.n <= n_colors) {
            for (int i = threadIdx.x; i < 4 * n_colors; i += blockDim.x)
                found[i] = i < 4 * fine.n ? fine.moments[i] : 0.0;
            continue;
        }
        const double* own = inertias + (long long)n_init * frame;
        int best = 0;
        for (int start = 1; start < n_init; start++)
            if (own[start] < own[best]) best = start;
        const float* start = starts + 3LL * n_colors * ((long long)n_init * frame + best);
        for (int i = threadIdx.x; i < 3 * n_colors; i += blockDim.x)
            centers[i] = start[i];
        __syncthreads();
        move_centers(fine, centers, n_colors, 0.0, room);
        for (int i = threadIdx.x; i < 4 * n_colors; i += blockDim.x)
            found[i] = room.members[i / 4] > 0 ? room.sums[i] : 0.0;
        __syncthreads();
    }
}
