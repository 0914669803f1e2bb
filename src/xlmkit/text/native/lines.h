// The corpus' lines of JSON, as xlmkit.data.records writes them, taken apart by language.
//
// Only what that module writes is read here; of anything else, and of damage, Python decides.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "conversions.h"
#include "python.h"

class Lines {
 public:
  explicit Lines(std::string_view lines) : left_(lines) {}

  // Read all lines. Returns false where one is written otherwise.
  bool read() {
    for (; !left_.empty(); ++records_)
      if (!read_line()) return false;
    return true;
  }

  // Return the number of records, language -> (rows, texts), and the source of each record.
  Owned result() const {
    Owned languages(PyDict_New());
    if (!languages) throw PythonError();
    for (const Language& language : languages_) {
      const Owned value(PyTuple_Pack(2, bytes_of(language.rows).get(), language.texts.get()));
      if (!value || PyDict_SetItem(languages.get(), language.name.get(), value.get()) < 0)
        throw PythonError();
    }
    PyObject* all = Py_BuildValue("nOO", static_cast<Py_ssize_t>(records_), languages.get(),
                                  sources_.get());
    if (all == nullptr) throw PythonError();
    return Owned(all);
  }

 private:
  struct Language {
    std::string code;
    Owned name, texts;
    std::vector<int64_t> rows;
  };

  bool read_line() {
    if (!take("{\"texts\": {")) return false;
    do {
      if (!take_string()) return false;
      Language& language = language_of(string_);
      if (!language.name) return false;
      if (!language.rows.empty() && language.rows.back() == records_) return false;
      if (!take(": ") || !take_string()) return false;
      const Owned text = string_at_hand();
      if (!text) return false;
      append(language.texts, text.get());
      language.rows.push_back(records_);
    } while (take(", "));
    if (!take("}, \"source\": ") || !take_string()) return false;
    if (!source_ || source_bytes_ != string_) {
      source_bytes_ = string_;
      source_ = string_at_hand();
      if (!source_) return false;
    }
    append(sources_, source_.get());
    if (!take(", \"where\": ") || !take_string() || !string_at_hand()) return false;
    if (!take(", \"label\": ")) return false;
    return (take("null") || (take_string() && string_at_hand())) && take("}\n");
  }

  bool take(std::string_view expected) {
    if (left_.substr(0, expected.size()) != expected) return false;
    left_.remove_prefix(expected.size());
    return true;
  }

  // Take a string with its quotation marks; `string_` is what stands between, in UTF-8.
  bool take_string() {
    if (!take("\"")) return false;
    const size_t size = plain(left_);
    if (size < left_.size() && left_[size] == '"') {
      string_ = left_.substr(0, size);
      left_.remove_prefix(size + 1);
      return true;
    }
    unescaped_.clear();
    for (;;) {
      const size_t part = plain(left_);
      unescaped_.append(left_.substr(0, part));
      left_.remove_prefix(part);
      if (left_.size() < 2 || (left_[0] != '"' && left_[0] != '\\')) return false;
      if (take("\"")) break;
      static constexpr char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
      const char* found = std::strchr(escapes, left_[1]);
      if (found == nullptr || *found == '\0') return false;  // \u0000 and its like, which are rare
      unescaped_.push_back(meanings[found - escapes]);
      left_.remove_prefix(2);
    }
    string_ = unescaped_;
    return true;
  }

  // How many characters come before a quotation mark, a backslash or a control character.
  static size_t plain(std::string_view text) {
    size_t size = 0;
    while (size < text.size() && static_cast<unsigned char>(text[size]) >= ' ' &&
           text[size] != '"' && text[size] != '\\')
      ++size;
    return size;
  }

  Language& language_of(std::string_view code) {
    for (Language& language : languages_)
      if (language.code == code) return language;
    Owned name = string_at_hand(), texts(PyList_New(0));
    if (!texts) throw PythonError();
    languages_.push_back({std::string(code), std::move(name), std::move(texts), {}});
    return languages_.back();
  }

  // Return the string that was taken, nothing where it is no UTF-8.
  Owned string_at_hand() const {
    Owned string(PyUnicode_DecodeUTF8(string_.data(), static_cast<Py_ssize_t>(string_.size()),
                                      nullptr));
    if (!string) PyErr_Clear();
    return string;
  }

  static void append(const Owned& list, PyObject* value) {
    if (PyList_Append(list.get(), value) < 0) throw PythonError();
  }

  std::string_view left_, string_;
  std::string unescaped_, source_bytes_;
  int64_t records_ = 0;
  std::vector<Language> languages_;
  Owned source_;  // of the record at hand, the same string while it stays
  Owned sources_{PyList_New(0)};
};

// Read lines; None where they are not written as xlmkit.data.records writes them.
inline PyObject* read_lines(PyObject*, PyObject* bytes) {
  char* start;
  Py_ssize_t size;
  if (PyBytes_AsStringAndSize(bytes, &start, &size) < 0) return nullptr;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    Lines lines(std::string_view(start, static_cast<size_t>(size)));
    return lines.read() ? lines.result().release() : Py_NewRef(Py_None);
  });
}
