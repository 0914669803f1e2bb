// Moses' rules for the usual pieces of text; xlmkit.text.moses has all rules, and decides the rest.
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "characters.h"
#include "span_table.h"
#include "word_coder.h"

enum class Apostrophes { ALONE, WITH_WHAT_FOLLOWS, WITH_WHAT_PRECEDES };

enum class Exchange { NOTHING, QUOTE_BEFORE_COMMA_OR_STOPS, COMMA_BEFORE_QUOTE };

enum class Follower { NOTHING, SMALL, DIGIT, OTHER };

struct Rules {
  Apostrophes apostrophes;
  Exchange exchange;                 // which punctuation changes its place with a quotation mark
  std::set<Codes> prefixes;          // keep their full stop
  std::set<Codes> numeric_prefixes;  // keep it before a number
};

// Splits one piece and appends the ids of its words.
class PieceSplitter {
 public:
  PieceSplitter(const Rules& rules, Characters& characters, WordCoder& coder)
      : rules_(rules), characters_(characters), coder_(coder) {}

  // Returns false, and appends nothing, where Python's rules must decide.
  template <typename Code>
  bool encode(Span<Code> piece, Follower follower, std::vector<int32_t>& ids) {
    if (!normalize(piece)) return false;
    ids_ = &ids;
    begin_word();
    if (seen_ == WORD) {
      for (const uint32_t code : text_) extend(code);
      end_word();
      return true;
    }
    if (!is_usual()) return false;
    for (size_t i = 0; i < text_.size(); ++i) {
      const uint32_t kind = kind_at(i);
      const bool joins =
          kind == WORD || (kind == COMMA && between(i, NUMBER)) ||
          (kind == STOP && (is_dotted(i) || between(i, WORD) ||
                            keeps_stop(i, last(i) ? follower : Follower::OTHER)));
      if (joins) {
        if (kind == STOP && is_dotted(i) && !is_stop(i, -1)) end_word();
        extend(text_[i]);
        if (kind == STOP && is_dotted(i) && !is_stop(i, +1)) end_word();
      } else if (kind == APOSTROPHE && rules_.apostrophes != Apostrophes::ALONE) {
        apostrophe(text_[i]);
      } else {
        end_word();
        if (kind != SEPARATES) extend(text_[i]);
        end_word();
      }
    }
    end_word();
    return true;
  }

 private:
  uint32_t flags_at(size_t place) { return characters_[text_[place]].flags; }
  uint32_t kind_at(size_t place) { return flags_at(place) & KINDS; }
  bool last(size_t place) const { return place + 1 == text_.size(); }

  // Whether the characters on both sides have a trait.
  bool between(size_t place, uint32_t trait) {
    return place > 0 && !last(place) && (flags_at(place - 1) & trait) &&
           (flags_at(place + 1) & trait);
  }

  bool is_stop(size_t place, int step) {
    const size_t other = place + static_cast<size_t>(step);  // wraps below 0, out of the text
    return other < text_.size() && kind_at(other) == STOP;
  }

  // Whether a full stop is one of several, which are a word of their own.
  bool is_dotted(size_t place) { return is_stop(place, -1) || is_stop(place, +1); }

  // Take a piece without what vanishes, and with exchanged quotation marks.
  template <typename Code>
  bool normalize(Span<Code> piece) {
    text_.clear();
    seen_ = 0;
    hides_ = false;
    for (size_t i = 0; i < piece.size; ++i) {
      const uint32_t code = piece.start[i];
      const Character& character = characters_[code];
      if (!(character.flags & EXPANDS)) {
        if (!take(code)) return false;
        continue;
      }
      expanded_.clear();
      characters_.append_folded(character, expanded_);
      for (const uint32_t part : expanded_) take(part);
    }
    while (!text_.empty() && kind_at(text_.size() - 1) == SEPARATES) text_.pop_back();
    if (has_marker()) return false;
    if (!(seen_ & QUOTE) || !(seen_ & (COMMA | STOP))) return true;
    if (rules_.exchange == Exchange::NOTHING) return true;
    if (hides_) return false;
    if (rules_.exchange == Exchange::QUOTE_BEFORE_COMMA_OR_STOPS) {
      quotes_before_commas_and_stops();
    } else {
      commas_before_quotes();
      stops_before_quotes();
    }
    return true;
  }

  // As Python's "([,.]+) is replaced.
  void quotes_before_commas_and_stops() {
    for (size_t i = 0; i + 1 < text_.size(); ++i) {
      if (kind_at(i) != QUOTE || !(kind_at(i + 1) & (COMMA | STOP))) continue;
      for (; !last(i) && (kind_at(i + 1) & (COMMA | STOP)); ++i)
        std::swap(text_[i], text_[i + 1]);
    }
  }

  // As Python's ," is replaced.
  void commas_before_quotes() {
    for (size_t i = 0; i + 1 < text_.size(); ++i)
      if (kind_at(i) == COMMA && kind_at(i + 1) == QUOTE) std::swap(text_[i], text_[i + 1]), ++i;
  }

  // As Python's (\.+)"(\s*[^<]) is replaced, whose last character is that of no other match.
  void stops_before_quotes() {
    for (size_t i = 0; i < text_.size(); ++i) {
      if (kind_at(i) != STOP) continue;
      const size_t stops = i;
      while (!last(i) && kind_at(i) == STOP) ++i;
      if (kind_at(i) != QUOTE || last(i)) continue;
      size_t behind = i + 1;
      while (!last(behind) && kind_at(behind) == SEPARATES) ++behind;
      if (is_less_than(behind) && --behind == i) continue;
      uint32_t* const codes = text_.data();
      std::rotate(codes + stops, codes + i, codes + i + 1);
      i = behind;
    }
  }

  bool is_less_than(size_t place) {
    const Character& character = characters_[text_[place]];
    return character.folded_length == 1 && character.folded == '<';
  }

  // Take a character; returns false where it needs Python's rules.
  bool take(uint32_t code) {
    const uint32_t kind = characters_[code].flags & KINDS;
    if (kind == 0 || (kind == APOSTROPHE && (seen_ & APOSTROPHE))) return false;
    seen_ |= kind;
    hides_ |= kind == VANISHES || (kind == SEPARATES && code != ' ');
    const bool leads = text_.empty() && kind == SEPARATES;
    if (kind != VANISHES && !leads) text_.push_back(code);
    return true;
  }

  // Whether the rules above suffice, for each comma, full stop, apostrophe and space.
  bool is_usual() {
    for (size_t i = 0; i < text_.size(); ++i) {
      const uint32_t kind = kind_at(i);
      if (!(kind & (COMMA | STOP | APOSTROPHE | SEPARATES))) continue;
      const uint32_t before = i > 0 ? kind_at(i - 1) : 0;
      const uint32_t after = last(i) ? 0 : kind_at(i + 1);
      if (kind == COMMA && (before == 0 || before == COMMA)) return false;
      const bool ends_word =
          before == WORD && (last(i) || (after & (WORD | ALONE | QUOTE | COMMA)));
      const bool stands_alone = last(i) && (i == 0 || (before & (ALONE | QUOTE)));
      if (kind == STOP && !is_dotted(i) && !ends_word && !stands_alone) return false;
      if (kind == APOSTROPHE && rules_.apostrophes != Apostrophes::ALONE && !between(i, LETTER))
        return false;
      if (kind == SEPARATES && text_[i] != ' ' &&
          !((i > 0 && (flags_at(i - 1) & LETTER)) || (!last(i) && (flags_at(i + 1) & LETTER))))
        return false;  // it may join digits
    }
    return true;
  }

  // Whether a text holds what stands for several full stops while Moses' rules work.
  bool has_marker() const {
    static const Codes marker = {'M', 'U', 'L', 'T', 'I'};
    return std::search(text_.begin(), text_.end(), marker.begin(), marker.end()) != text_.end();
  }

  // Whether the full stop in this place belongs to the word at hand, which it follows.
  bool keeps_stop(size_t place, Follower follower) {
    if (word_size_ == 0) return false;
    if ((has_stop_ && has_letter_) || follower == Follower::SMALL) return true;
    const auto end = text_.begin() + static_cast<std::ptrdiff_t>(place);
    word_.assign(end - static_cast<std::ptrdiff_t>(word_size_), end);
    std::replace(word_.begin(), word_.end(), uint32_t{0x2019}, uint32_t{'\''});
    if (rules_.prefixes.count(word_)) return true;
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
    ++word_size_;
    has_letter_ |= (character.flags & LETTER) != 0;
    has_stop_ |= (character.flags & STOP) != 0;
    characters_.append_folded(character, folded_);
  }

  void begin_word() {
    word_size_ = 0;
    folded_.clear();
    has_letter_ = has_stop_ = false;
  }

  void end_word() {
    coder_.encode(folded_, *ids_);
    begin_word();
  }

  const Rules& rules_;
  Characters& characters_;
  WordCoder& coder_;
  std::vector<int32_t>* ids_ = nullptr;
  uint32_t seen_ = 0;  // kinds in the piece
  bool hides_ = false;  // it has characters that vanish, as joiners, or spaces of another kind
  Codes text_;         // the piece, normalised
  Codes expanded_;     // what the character at hand stands for
  Codes folded_;       // the word at hand, as far as it goes, without case and accents
  size_t word_size_ = 0;
  Codes word_;  // as it is compared with prefixes
  bool has_letter_ = false, has_stop_ = false;
};
