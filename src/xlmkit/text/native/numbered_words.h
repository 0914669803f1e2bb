// Texts as words by number; the counterpart of xlmkit.text.numbered_words.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <vector>

// Append the ids of texts that are given as numbers of words, and how many ids each has.
// ids: of all words, end to end. sizes: how many each word has. numbers: the words of all texts.
// counts: how many words each text has.
inline void join_words(const std::vector<int32_t>& ids, const std::vector<int32_t>& sizes,
                       const std::vector<int32_t>& numbers, const std::vector<int32_t>& counts,
                       std::vector<int32_t>& joined, std::vector<int32_t>& lengths) {
  struct Word {
    size_t start, size;
  };
  std::vector<Word> words;
  words.reserve(sizes.size());
  size_t end = 0;
  for (const int32_t size : sizes) {
    words.push_back({end, static_cast<size_t>(size)});
    if (size < 0 || (end += words.back().size) > ids.size())
      throw std::invalid_argument("the lengths of words do not add up");
  }
  size_t next = 0;
  for (const int32_t count : counts) {
    if (count < 0) throw std::invalid_argument("the lengths of texts do not add up");
    const size_t before = joined.size();
    for (int32_t i = 0; i < count; ++i, ++next) {
      if (next >= numbers.size() || static_cast<size_t>(numbers[next]) >= words.size())
        throw std::invalid_argument("there is no such word");
      const Word word = words[static_cast<size_t>(numbers[next])];
      joined.insert(joined.end(), ids.begin() + static_cast<std::ptrdiff_t>(word.start),
                    ids.begin() + static_cast<std::ptrdiff_t>(word.start + word.size));
    }
    lengths.push_back(static_cast<int32_t>(joined.size() - before));
  }
  if (next != numbers.size()) throw std::invalid_argument("the lengths of texts do not add up");
}
