// Eight bytes of BLAKE2b (RFC 7693) with a personalisation, as hashlib.blake2b gives them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>

#if defined(__GNUC__) && !defined(__clang__)
#define UNROLLED _Pragma("GCC unroll 12")
#else
#define UNROLLED
#endif

class Blake2b {
 public:
  // person: at most 16 bytes.
  explicit Blake2b(const std::string& person) {
    unsigned char padded[16] = {0};
    std::memcpy(padded, person.data(), person.size() < 16 ? person.size() : 16);
    std::memcpy(start_, INITIAL, sizeof start_);
    start_[0] ^= 0x01010000ULL ^ 8;  // one leaf, no key, eight bytes
    start_[6] ^= word(padded);
    start_[7] ^= word(padded + 8);
  }

  uint64_t operator()(const char* bytes, size_t size) const {
    uint64_t state[8];
    std::memcpy(state, start_, sizeof state);
    const unsigned char* data = reinterpret_cast<const unsigned char*>(bytes);
    size_t done = 0;
    for (; size - done > BLOCK; done += BLOCK) compress(state, data + done, done + BLOCK, 0);
    unsigned char last[BLOCK] = {0};
    std::memcpy(last, data + done, size - done);
    compress(state, last, size, ~0ULL);
    return state[0];
  }

 private:
  static constexpr size_t BLOCK = 128;
  static constexpr uint64_t INITIAL[8] = {
      0x6a09e667f3bcc908ULL, 0xbb67ae8584caa73bULL, 0x3c6ef372fe94f82bULL, 0xa54ff53a5f1d36f1ULL,
      0x510e527fade682d1ULL, 0x9b05688c2b3e6c1fULL, 0x1f83d9abfb41bd6bULL, 0x5be0cd19137e2179ULL};
  static constexpr uint8_t ORDER[10][16] = {
      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
      {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
      {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
      {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
      {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
      {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
      {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
      {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
      {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
      {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

  static uint64_t word(const unsigned char* bytes) {  // little-endian on any machine
    uint64_t value = 0;
    for (int i = 7; i >= 0; --i) value = (value << 8) | bytes[i];
    return value;
  }

  static uint64_t rotated(uint64_t value, int by) { return (value >> by) | (value << (64 - by)); }

  static void stir(uint64_t* v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = rotated(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = rotated(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = rotated(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = rotated(v[b] ^ v[c], 63);
  }

  static void compress(uint64_t* state, const unsigned char* block, uint64_t total, uint64_t last) {
    uint64_t words[16], v[16];
    for (int i = 0; i < 16; ++i) words[i] = word(block + 8 * i);
    std::memcpy(v, state, 64);
    std::memcpy(v + 8, INITIAL, 64);
    v[12] ^= total;
    v[14] ^= last;
    UNROLLED  // so that the compiler knows the order
    for (int round = 0; round < 12; ++round) {
      const uint8_t* s = ORDER[round % 10];
      UNROLLED for (int i = 0; i < 4; ++i)
        stir(v, i, 4 + i, 8 + i, 12 + i, words[s[2 * i]], words[s[2 * i + 1]]);
      UNROLLED for (int i = 0; i < 4; ++i)
        stir(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, words[s[8 + 2 * i]],
             words[s[9 + 2 * i]]);
    }
    for (int i = 0; i < 8; ++i) state[i] ^= v[i] ^ v[i + 8];
  }

  uint64_t start_[8];
};
