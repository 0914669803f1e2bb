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
