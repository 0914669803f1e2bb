// What cleaning and finding duplicates ask of the characters of a text, in one language.
//
// Python describes each character once: its traits, and itself with its case folded.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "characters.h"

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

  explicit Survey(PyObject* describe) : characters_(describe) {}

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

  // The letters and marks of a text, their case folded.
  const Codes& letters(const Text& text) {
    fold(text);
    size_t kept = 0;
    for (const uint32_t code : folded_)
      if (characters_[code].flags & KEPT) folded_[kept++] = code;
    folded_.resize(kept);
    return folded_;
  }

  // Call a function with every two neighbouring words, joined by a space; return false, and call
  // nothing, where there are fewer words.
  template <typename Take>
  bool pairs(const Text& text, size_t least, Take take) {
    fold(text);
    std::vector<std::pair<size_t, size_t>> tokens;
    for (size_t i = 0; i < folded_.size();) {
      const size_t start = i;
      const uint32_t traits = characters_[folded_[i++]].flags;
      if (!(traits & TOKEN)) {
        if (!(traits & OF_WORDS)) continue;
        while (i < folded_.size() && (characters_[folded_[i]].flags & OF_WORDS)) ++i;
      }
      tokens.emplace_back(start, i);
    }
    if (tokens.size() < least) return false;
    const auto at = [this](size_t place) {
      return folded_.begin() + static_cast<std::ptrdiff_t>(place);
    };
    Codes pair;
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      pair.assign(at(tokens[i].first), at(tokens[i].second));
      pair.push_back(' ');
      pair.insert(pair.end(), at(tokens[i + 1].first), at(tokens[i + 1].second));
      take(pair);
    }
    return true;
  }

 private:
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
  Codes folded_;  // of the text at hand
};
