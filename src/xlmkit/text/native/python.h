// The little that is needed of Python's C API: owned references, and reading a string.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <vector>

// Thrown where Python has set an exception already.
struct PythonError : std::exception {};

struct Release {
  void operator()(PyObject* object) const { Py_DECREF(object); }
};
using Owned = std::unique_ptr<PyObject, Release>;

// The characters of a Python string, which must outlive it.
class Text {
 public:
  explicit Text(PyObject* string)
      : kind_(PyUnicode_KIND(string)),
        data_(PyUnicode_DATA(string)),
        size_(static_cast<size_t>(PyUnicode_GET_LENGTH(string))) {}
  size_t size() const { return size_; }
  uint32_t operator[](size_t place) const {
    return PyUnicode_READ(kind_, data_, static_cast<Py_ssize_t>(place));
  }

 private:
  int kind_;
  const void* data_;
  size_t size_;
};

using Codes = std::vector<uint32_t>;

inline Owned string_of(const Codes& codes) {
  PyObject* string = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, codes.data(),
                                               static_cast<Py_ssize_t>(codes.size()));
  if (string == nullptr) throw PythonError();
  return Owned(string);
}
