// Between values of Python and of C++.
#pragma once

#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "python.h"
#include "span_table.h"

// Call C++ and turn what it throws into a Python exception.
template <typename Result, typename Work>
Result guarded(Result failed, Work work) {
  try {
    return work();
  } catch (const PythonError&) {
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return failed;
}

// The numbers of bytes, or of an array of numbers of this kind.
template <typename Number = int32_t>
std::vector<Number> numbers_of(PyObject* buffer) {
  struct View {
    Py_buffer held{};  // which Python leaves as it is where there is no buffer
    ~View() { PyBuffer_Release(&held); }
  } view;
  if (PyObject_GetBuffer(buffer, &view.held, PyBUF_CONTIG_RO | PyBUF_FORMAT) < 0)
    throw PythonError();
  constexpr auto size = static_cast<Py_ssize_t>(sizeof(Number));
  const std::string format = view.held.format == nullptr ? "B" : view.held.format;
  const bool fractions = format.back() == 'd' || format.back() == 'f';
  const bool fits = view.held.itemsize == size && fractions == std::is_floating_point_v<Number>;
  if (!(fits || view.held.itemsize == 1) || view.held.len % size != 0)
    throw std::invalid_argument("numbers of another kind are expected");
  const Number* start = static_cast<const Number*>(view.held.buf);
  return std::vector<Number>(start, start + view.held.len / size);
}

// Call a function with each string of a list.
template <typename Take>
void for_each_string(PyObject* iterable, Take take) {
  const Owned list(PySequence_Fast(iterable, "a list of strings is expected"));
  if (!list) throw PythonError();
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    PyObject* string = PySequence_Fast_GET_ITEM(list.get(), i);
    if (!PyUnicode_Check(string)) {
      PyErr_SetString(PyExc_TypeError, "a list of strings is expected");
      throw PythonError();
    }
    take(string);
  }
}

// Call a function with the characters of a string, which must outlive it, in the width they have.
template <typename Use>
auto visit(PyObject* string, Use use) {
  const size_t size = static_cast<size_t>(PyUnicode_GET_LENGTH(string));
  switch (PyUnicode_KIND(string)) {
    case PyUnicode_1BYTE_KIND:
      return use(Span<Py_UCS1>{PyUnicode_1BYTE_DATA(string), size});
    case PyUnicode_2BYTE_KIND:
      return use(Span<Py_UCS2>{PyUnicode_2BYTE_DATA(string), size});
    default:
      return use(Span<Py_UCS4>{PyUnicode_4BYTE_DATA(string), size});
  }
}

inline Codes codes_of(PyObject* string) {
  return visit(string, [](auto text) { return Codes(text.start, text.start + text.size); });
}

// Append a character in UTF-8.
inline void append_utf8(uint32_t code, std::string& to) {
  const auto more = [&](int shift) {
    to.push_back(static_cast<char>(0x80 | ((code >> shift) & 0x3f)));
  };
  if (code < 0x80) {
    to.push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    to.push_back(static_cast<char>(0xc0 | (code >> 6)));
    more(0);
  } else if (code < 0x10000) {
    to.push_back(static_cast<char>(0xe0 | (code >> 12)));
    more(6), more(0);
  } else {
    to.push_back(static_cast<char>(0xf0 | (code >> 18)));
    more(12), more(6), more(0);
  }
}

template <typename Characters>
std::string utf8_of(const Characters& codes) {
  std::string bytes;
  bytes.reserve(2 * codes.size());
  for (size_t i = 0; i < codes.size(); ++i) append_utf8(codes[i], bytes);
  return bytes;
}

template <typename Number>
Owned bytes_of(const std::vector<Number>& numbers) {
  PyObject* bytes =
      PyBytes_FromStringAndSize(reinterpret_cast<const char*>(numbers.data()),
                                static_cast<Py_ssize_t>(numbers.size() * sizeof(Number)));
  if (bytes == nullptr) throw PythonError();
  return Owned(bytes);
}

inline Owned list_of(const std::vector<int32_t>& ids) {
  Owned list(PyList_New(static_cast<Py_ssize_t>(ids.size())));
  if (!list) throw PythonError();
  for (size_t i = 0; i < ids.size(); ++i) {
    PyObject* number = PyLong_FromLong(ids[i]);
    if (number == nullptr) throw PythonError();
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), number);
  }
  return list;
}
