// Words to ids, their case and accents taken away first; what a word has become is remembered.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "folds.h"
#include "memory.h"
#include "python.h"
#include "span_table.h"
#include "word_coder.h"

class KnownWords {
 public:
  // describe: as of Folds. fold: a word -> what Python folds it to, a list of words. maximum: words
  // that are remembered. longest: characters of the longest of them.
  KnownWords(PyObject* describe, PyObject* fold, std::shared_ptr<WordCoder> coder, size_t maximum,
             size_t longest)
      : folds_(describe), fold_(Py_NewRef(fold)), coder_(std::move(coder)),
        memory_(maximum, longest) {}

  // Append the ids of a word.
  void encode(Span<uint32_t> word, std::vector<int32_t>& ids) {
    const uint32_t hash = hash_of(word);
    if (memory_.recall(hash, word, 0, ids)) return;
    const size_t before = ids.size();
    folded_.clear();
    if (folds_.fold(word, folded_)) {
      coder_->encode(folded_, ids);
    } else {
      const Codes whole(word.start, word.start + word.size);
      encode_words_of(fold_.get(), string_of(whole).get(), *coder_, ids);
    }
    memory_.remember(hash, word, 0, ids.data() + before, ids.size() - before);
  }

  void forget() { memory_.clear(); }

 private:
  Folds folds_;
  Owned fold_;
  std::shared_ptr<WordCoder> coder_;
  Memory memory_;
  Codes folded_;  // the word at hand
};

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
