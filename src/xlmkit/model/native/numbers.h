// Numbers in the two precisions of training, and what depends on a place alone.
//
// Everything here is inlined into functions that are compiled for several processors.
#pragma once

#include <algorithm>
#include <cstdint>

#define INLINED inline __attribute__((always_inline))

constexpr int64_t AT_ONCE = 1024;  // numbers that are worked on while the cache holds them

struct BFloat16 {
  uint16_t bits;
};

INLINED float to_float(float value) { return value; }
INLINED float to_float(BFloat16 value) {
  return __builtin_bit_cast(float, static_cast<uint32_t>(value.bits) << 16);
}

INLINED void round_to(float value, float& place) { place = value; }
// To the nearest, of two to the even one; what is not a number stays so.
INLINED void round_to(float value, BFloat16& place) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
  place.bits = static_cast<uint16_t>(value == value ? rounded : 0x7FC0);
}

// A loop for each kind of number is what compilers make the widest instructions of.
template <typename Value>
INLINED void read(const Value* values, int64_t count, float* floats) {
  for (int64_t i = 0; i < count; ++i) floats[i] = to_float(values[i]);
}

template <typename Value>
INLINED void write(const float* floats, int64_t count, Value* values) {
  for (int64_t i = 0; i < count; ++i) round_to(floats[i], values[i]);
}

template <typename Value>
INLINED float rounded(float value) {
  Value place;
  round_to(value, place);
  return to_float(place);
}

// The exponential of a number that is not above zero, to two units in the last place; below -87,
// where it has no whole precision, nought, as is a weight of what is masked.
INLINED float exponential(float given) {
  const float value = given < -87.0f ? -87.0f : given;
  // What is added and taken away again leaves the nearest whole number.
  const float shift = 12582912.0f;  // 1.5 * 2^23
  const float whole = (value * 1.44269504f + shift) - shift;
  float rest = value - whole * 0.693359375f;  // the logarithm of 2 in two parts
  rest = rest + whole * 2.12194440e-4f;
  // The minimax polynomial of Cephes' expf.
  float power = 1.9875691500e-4f;
  power = power * rest + 1.3981999507e-3f;
  power = power * rest + 8.3334519073e-3f;
  power = power * rest + 4.1665795894e-2f;
  power = power * rest + 1.6666665459e-1f;
  power = power * rest + 5.0000001201e-1f;
  power = power * rest * rest + rest + 1.0f;
  const uint32_t exponent = (static_cast<uint32_t>(static_cast<int32_t>(whole)) + 127) << 23;
  return given < -87.0f ? 0.0f : power * __builtin_bit_cast(float, exponent);
}

// What dropout does: the levels of xlmkit.model.dropout, and those below the least are dropped.
struct Dropout {
  int64_t key;
  int32_t least;  // of the levels that are kept, -128 to 127
  float scale;
};

// Writes the levels of elements from `begin` on, eight in a number, and returns where they start.
INLINED const int8_t* levels_of(const Dropout& dropout, int64_t begin, int64_t count,
                                int64_t* numbers) {
  const int64_t first = begin / 8, end = (begin + count + 7) / 8;
  for (int64_t place = first; place < end; ++place) {
    uint64_t state = static_cast<uint64_t>(place) * static_cast<uint64_t>(-0x61C8864680B583EBLL) +
                     static_cast<uint64_t>(dropout.key);
    state = (state ^ static_cast<uint64_t>(static_cast<int64_t>(state) >> 30)) *
            static_cast<uint64_t>(-0x40A7B892E31B1A47LL);
    state = (state ^ static_cast<uint64_t>(static_cast<int64_t>(state) >> 27)) *
            static_cast<uint64_t>(-0x6B2FB644ECCEEE15LL);
    numbers[place - first] = static_cast<int64_t>(state);
  }
  return reinterpret_cast<const int8_t*>(numbers) + begin % 8;
}
