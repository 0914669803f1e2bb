// Records as lines of JSON in UTF-8, as xlmkit.data.records writes them one by one.
#pragma once

#include <string>

#include "python.h"

// The items of a list or tuple.
class Items {
 public:
  Items(PyObject* sequence) : items_(PySequence_Fast(sequence, "a list is expected")) {
    if (!items_) throw PythonError();
  }
  Py_ssize_t size() const { return PySequence_Fast_GET_SIZE(items_.get()); }
  PyObject* operator[](Py_ssize_t place) const {
    if (place < size()) return PySequence_Fast_GET_ITEM(items_.get(), place);
    PyErr_SetString(PyExc_IndexError, "lists of records differ in length");
    throw PythonError();
  }

 private:
  Owned items_;
};

// Append a string in quotes, with what JSON asks to be escaped: what json.encoder.encode_basestring
// gives.
inline void append_quoted(PyObject* string, std::string& to) {
  Py_ssize_t size;
  const char* bytes = PyUnicode_AsUTF8AndSize(string, &size);
  if (bytes == nullptr) throw PythonError();
  to.push_back('"');
  const char* done = bytes;
  for (const char* at = bytes; at < bytes + size; ++at) {
    const unsigned char byte = static_cast<unsigned char>(*at);
    if (byte >= 0x20 && byte != '"' && byte != '\\') continue;
    to.append(done, at);
    done = at + 1;
    to.push_back('\\');
    switch (byte) {
      case '\b': to.push_back('b'); break;
      case '\f': to.push_back('f'); break;
      case '\n': to.push_back('n'); break;
      case '\r': to.push_back('r'); break;
      case '\t': to.push_back('t'); break;
      case '"': case '\\': to.push_back(static_cast<char>(byte)); break;
      default:
        to += "u00";
        to.push_back("0123456789abcdef"[byte >> 4]);
        to.push_back("0123456789abcdef"[byte & 15]);
    }
  }
  to.append(done, bytes + size);
  to.push_back('"');
}

// sizes: how many texts each record has.
inline std::string json_lines_of(const Items& languages, const Items& texts, const Items& sizes,
                                 const Items& sources, const Items& places, const Items& labels) {
  std::string lines;
  Py_ssize_t text = 0;
  for (Py_ssize_t i = 0; i < sizes.size(); ++i) {
    const Py_ssize_t count = PyLong_AsSsize_t(sizes[i]);
    if (count < 0 && PyErr_Occurred()) throw PythonError();
    lines += "{\"texts\": {";
    for (Py_ssize_t nth = 0; nth < count; ++nth, ++text) {
      if (nth) lines += ", ";
      append_quoted(languages[text], lines);
      lines += ": ";
      append_quoted(texts[text], lines);
    }
    lines += "}, \"source\": ";
    append_quoted(sources[i], lines);
    lines += ", \"where\": ";
    append_quoted(places[i], lines);
    lines += ", \"label\": ";
    if (labels[i] == Py_None) {
      lines += "null";
    } else {
      append_quoted(labels[i], lines);
    }
    lines += "}\n";
  }
  return lines;
}
