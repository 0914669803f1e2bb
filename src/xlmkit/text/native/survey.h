// What cleaning and finding duplicates ask of the characters of a text, in one language.
//
// Python describes each character once: its traits, and itself with its case folded.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "blake2b.h"
#include "characters.h"
#include "conversions.h"
#include "minhash.h"

class Survey {
 public:
  // Traits, beside KNOWN; xlmkit.data.survey has the same.
  enum : uint32_t {
    UNTIDY = 1 << 1,     // removed or replaced by normalisation
    SPACE = 1 << 2,
    OF_WORDS = 1 << 3,   // \w
    UNSPACED = 1 << 4,   // of a script without spaces, where two characters count as a word
    LETTER_HERE = 1 << 5,
    MARK = 1 << 6,
    OF_SCRIPT = 1 << 7,  // a letter that some script owns
    FOREIGN = 1 << 8,    // one of a script that the language is not written in
    KEPT = 1 << 9,       // a letter or mark, by which texts are compared
    TOKEN = 1 << 10,     // a token by itself when pairs of words are compared
  };
  struct Facts {
    size_t words;
    double letters, script;
  };
  // Of texts: fingerprints of all; the rows of the long ones, and their bands end to end.
  struct Prints {
    Keys exact, skeletons;
    std::vector<int64_t> rows;
    Keys bands;
  };

  // hash: gives fingerprints. words: from how many on a text is long and has bands.
  Survey(PyObject* describe, const Blake2b& hash, size_t words, MinHash minhash)
      : characters_(describe), hash_(hash), long_(words), minhash_(std::move(minhash)) {}

  // Whether normalisation leaves a composed text as it is.
  bool is_tidy(const Text& text) {
    uint32_t before = SPACE;
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t traits = characters_[text[i]].flags;
      if ((traits & UNTIDY) || (traits & before & SPACE)) return false;
      before = traits;
    }
    return text.size() == 0 || !(before & SPACE);
  }

  Facts facts(const Text& text) {
    size_t words = 0, run = 0, spaces = 0, others = 0, letters = 0, foreign = 0;
    bool counted = false;  // the word at hand
    for (size_t i = 0; i < text.size(); ++i) {
      const uint32_t code = text[i], traits = characters_[code].flags;
      if (traits & UNSPACED) {
        words += ++run % 2;
      } else {
        run = 0;
      }
      if (traits & (UNSPACED | SPACE)) {
        counted = false;
      } else if ((traits & OF_WORDS) && !counted) {
        counted = true;
        ++words;
      }
      spaces += code == ' ';
      others += code != ' ' && !(traits & (LETTER_HERE | MARK));
      letters += (traits & OF_SCRIPT) != 0;
      foreign += (traits & FOREIGN) != 0;
    }
    const size_t characters = text.size() - spaces;
    return {words, characters ? 1.0 - share(others, characters) : 0.0,
            letters ? 1.0 - share(foreign, letters) : 1.0};
  }

  // Append the fingerprints of a text, and its bands if they are wanted and it is long.
  void append_prints(const Text& text, bool with_bands, Prints& prints) {
    prints.exact.push_back(hash_(utf8_of(text)));
    fold(text);
    word_.clear();
    for (const uint32_t code : folded_)
      if (characters_[code].flags & KEPT) append_utf8(code, word_);
    prints.skeletons.push_back(hash_(word_));
    if (with_bands) append_bands(prints);
  }

 private:

  static constexpr uint64_t FNV_START = 0xcbf29ce484222325ULL, FNV_FACTOR = 0x100000001b3ULL;

  // Append the row of the last text and its bands, if it has enough words.
  void append_bands(Prints& prints) {
    words_.clear();
    for (size_t i = 0; i < folded_.size();) {
      const size_t start = i;
      const uint32_t traits = characters_[folded_[i++]].flags;
      if (!(traits & TOKEN)) {
        if (!(traits & OF_WORDS)) continue;
        while (i < folded_.size() && (characters_[folded_[i]].flags & OF_WORDS)) ++i;
      }
      uint64_t key = FNV_START;
      for (size_t place = start; place < i; ++place) key = (key ^ folded_[place]) * FNV_FACTOR;
      words_.push_back(key);
    }
    if (words_.size() < long_) return;
    prints.rows.push_back(static_cast<int64_t>(prints.exact.size()) - 1);
    minhash_.append_bands(words_, prints.bands);
  }

  static double share(size_t part, size_t of) {
    return static_cast<double>(part) / static_cast<double>(of);
  }

  void fold(const Text& text) {
    folded_.clear();
    for (size_t i = 0; i < text.size(); ++i) {
      const Character character = characters_[text[i]];
      characters_.append_folded(character, folded_);
    }
  }

  Characters characters_;
  Blake2b hash_;
  size_t long_;  // words
  MinHash minhash_;
  Codes folded_;  // of the text at hand
  Keys words_;    // of it
  std::string word_;
};
