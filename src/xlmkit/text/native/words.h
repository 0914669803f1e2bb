// Moses' rules for the usual pieces of text; xlmkit.text.moses has all rules, and decides the rest.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "byte_pairs.h"
#include "characters.h"

enum class Apostrophes { ALONE, WITH_WHAT_FOLLOWS, WITH_WHAT_PRECEDES };

enum class Follower { NOTHING, SMALL, DIGIT, OTHER };

struct Rules {
  Apostrophes apostrophes;
  std::set<Codes> prefixes;          // keep their full stop
  std::set<Codes> numeric_prefixes;  // keep it before a number
};

// Splits one piece and appends the ids of its words.
class PieceSplitter {
 public:
  PieceSplitter(const Rules& rules, Characters& characters, BytePairs& pairs)
      : rules_(rules), characters_(characters), pairs_(pairs) {}

  // Returns false, and appends nothing, where Python's rules must decide.
  bool encode(const Codes& piece, Follower follower, std::vector<int32_t>& ids) {
    if (!is_usual(piece)) return false;
    ids_ = &ids;
    begin_word();
    for (size_t i = 0; i < piece.size(); ++i) {
      const uint16_t kind = flags(piece[i]) & KINDS;
      if (kind == WORD) {
        extend(piece[i]);
      } else if (kind == COMMA && between(piece, i, NUMBER)) {
        extend(piece[i]);
      } else if (kind == STOP && (i + 1 < piece.size() || keeps_stop(follower))) {
        extend(piece[i]);
      } else if (kind == APOSTROPHE && rules_.apostrophes != Apostrophes::ALONE) {
        apostrophe(piece[i]);
      } else {
        end_word();
        extend(piece[i]);
        end_word();
      }
    }
    end_word();
    return true;
  }

 private:
  uint16_t flags(uint32_t code) { return characters_[code].flags; }

  // Whether the characters on both sides have a trait.
  bool between(const Codes& piece, size_t place, uint16_t trait) {
    return place > 0 && place + 1 < piece.size() && (flags(piece[place - 1]) & trait) &&
           (flags(piece[place + 1]) & trait);
  }

  // Whether the rules below suffice: at most one apostrophe, single commas and full stops.
  bool is_usual(const Codes& piece) {
    uint16_t seen = 0;
    for (size_t i = 0; i < piece.size(); ++i) {
      const uint16_t kind = flags(piece[i]) & KINDS;
      if (kind == 0 || (kind == APOSTROPHE && (seen & APOSTROPHE))) return false;
      if (kind == COMMA && (i == 0 || (flags(piece[i - 1]) & COMMA))) return false;
      if (kind == STOP && !(i + 1 == piece.size() ? i > 0 && (flags(piece[i - 1]) & WORD)
                                                   : between(piece, i, WORD)))
        return false;
      if (kind == APOSTROPHE && rules_.apostrophes != Apostrophes::ALONE &&
          !between(piece, i, LETTER))
        return false;
      seen |= kind;
    }
    if ((seen & QUOTE) && (seen & (COMMA | STOP))) return false;  // they change places
    return !has_marker(piece);
  }

  // Whether a text holds what stands for several full stops while Moses' rules work.
  static bool has_marker(const Codes& piece) {
    static const Codes marker = {'M', 'U', 'L', 'T', 'I'};
    return std::search(piece.begin(), piece.end(), marker.begin(), marker.end()) != piece.end();
  }

  // Whether the full stop at the end of a piece belongs to the word before it.
  bool keeps_stop(Follower follower) {
    if (has_stop_ && has_letter_) return true;
    if (rules_.prefixes.count(word_)) return true;
    if (follower == Follower::SMALL) return true;
    return follower == Follower::DIGIT && rules_.numeric_prefixes.count(word_);
  }

  void apostrophe(uint32_t code) {
    const bool follows = rules_.apostrophes == Apostrophes::WITH_WHAT_FOLLOWS;
    if (follows) end_word();
    extend(code);
    if (!follows) end_word();
  }

  void extend(uint32_t code) {
    const Character& character = characters_[code];
    word_.push_back(code == 0x2019 ? '\'' : code);  // only prefixes are compared with it
    has_letter_ |= (character.flags & LETTER) != 0;
    has_stop_ |= (character.flags & STOP) != 0;
    characters_.append_folded(character, folded_);
  }

  void begin_word() {
    word_.clear();
    folded_.clear();
    has_letter_ = has_stop_ = false;
  }

  void end_word() {
    pairs_.encode(folded_, *ids_);
    begin_word();
  }

  const Rules& rules_;
  Characters& characters_;
  BytePairs& pairs_;
  std::vector<int32_t>* ids_ = nullptr;
  Codes word_, folded_;
  bool has_letter_ = false, has_stop_ = false;
};
