// Work on parts of a range, by the threads that torch has already.
//
// A second pool of threads would wait for cores on which those of torch wait busily for work.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

// GNU OpenMP's entry for code outlined by a compiler: function, its data, threads, flags.
using Fork = void (*)(void (*)(void*), void*, unsigned, unsigned);

template <typename Work>
struct Shared {
  const Work& work;
  int64_t count, part;
  std::atomic<int64_t> next{0};

  static void run(void* data) {
    auto& shared = *static_cast<Shared*>(data);
    for (;;) {
      const int64_t begin = shared.next.fetch_add(shared.part);
      if (begin >= shared.count) return;
      shared.work(begin, std::min(begin + shared.part, shared.count));
    }
  }
};

// Calls work(begin, end) for all parts of 0 to count.
template <typename Work>
void for_parts(Fork fork, unsigned threads, int64_t count, int64_t part, const Work& work) {
  Shared<Work> shared{work, count, part};
  if (fork == nullptr || threads < 2 || count <= part)
    Shared<Work>::run(&shared);
  else
    fork(Shared<Work>::run, &shared, threads, 0);
}
