// The Python module xlmkit.text._native: two types, `BytePairs` and `Pieces`.

#include <new>

#include "byte_pairs.h"
#include "pieces.h"
#include "python.h"

namespace {

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

template <typename Value>
struct Holder {
  PyObject_HEAD Value* value;
};

template <typename Value>
void release(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  delete reinterpret_cast<Holder<Value>*>(self)->value;
  type->tp_free(self);
  Py_DECREF(type);
}

template <typename Value>
PyObject* hold(PyTypeObject* type, std::unique_ptr<Value> value) {
  PyObject* self = type->tp_alloc(type, 0);
  if (self != nullptr) reinterpret_cast<Holder<Value>*>(self)->value = value.release();
  return self;
}

std::vector<int32_t> numbers_of(PyObject* buffer) {
  Py_buffer view;
  if (PyObject_GetBuffer(buffer, &view, PyBUF_SIMPLE) < 0) throw PythonError();
  const int32_t* start = static_cast<const int32_t*>(view.buf);
  std::vector<int32_t> numbers(start, start + view.len / static_cast<Py_ssize_t>(sizeof(int32_t)));
  PyBuffer_Release(&view);
  return numbers;
}

std::set<Codes> words_of(PyObject* iterable) {
  std::set<Codes> words;
  const Owned list(PySequence_Fast(iterable, "a list of words is expected"));
  if (!list) throw PythonError();
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    const Text text(PySequence_Fast_GET_ITEM(list.get(), i));
    Codes word;
    for (size_t j = 0; j < text.size(); ++j) word.push_back(text[j]);
    words.insert(word);
  }
  return words;
}

PyTypeObject* byte_pairs_type = nullptr;

PyObject* new_byte_pairs(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *symbols, *merges, *characters;
  int unknown;
  if (!PyArg_ParseTuple(arguments, "OOOi", &symbols, &merges, &characters, &unknown))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    return hold(type, std::make_unique<BytePairs>(numbers_of(symbols), numbers_of(merges),
                                                  numbers_of(characters), unknown));
  });
}

PyObject* new_pieces(PyTypeObject* type, PyObject* arguments, PyObject*) {
  PyObject *describe, *words, *split, *prefixes, *numeric_prefixes, *pairs;
  int apostrophes, exchange;
  Py_ssize_t maximum;
  if (!PyArg_ParseTuple(arguments, "OOOiiOOO!n", &describe, &words, &split, &apostrophes, &exchange,
                        &prefixes, &numeric_prefixes, byte_pairs_type, &pairs, &maximum))
    return nullptr;
  return guarded<PyObject*>(nullptr, [&] {
    Rules rules{static_cast<Apostrophes>(apostrophes), static_cast<Exchange>(exchange),
                words_of(prefixes), words_of(numeric_prefixes)};
    BytePairs& byte_pairs = *reinterpret_cast<Holder<BytePairs>*>(pairs)->value;
    return hold(type, std::make_unique<Pieces>(describe, words, split, std::move(rules), pairs,
                                               byte_pairs, static_cast<size_t>(maximum)));
  });
}

Owned list_of(const std::vector<int32_t>& ids) {
  Owned list(PyList_New(static_cast<Py_ssize_t>(ids.size())));
  if (!list) throw PythonError();
  for (size_t i = 0; i < ids.size(); ++i) {
    PyObject* number = PyLong_FromLong(ids[i]);
    if (number == nullptr) throw PythonError();
    PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), number);
  }
  return list;
}

PyObject* encode(PyObject* self, PyObject* texts) {
  Pieces& pieces = *reinterpret_cast<Holder<Pieces>*>(self)->value;
  return guarded<PyObject*>(nullptr, [&]() -> PyObject* {
    const Owned fast(PySequence_Fast(texts, "a list of texts is expected"));
    if (!fast) throw PythonError();
    Owned rows(PyList_New(0));
    if (!rows) throw PythonError();
    std::vector<int32_t> ids;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
      PyObject* text = PySequence_Fast_GET_ITEM(fast.get(), i);
      if (!PyUnicode_Check(text)) {
        PyErr_SetString(PyExc_TypeError, "a text is expected to be a string");
        throw PythonError();
      }
      ids.clear();
      pieces.encode(text, ids);
      if (PyList_Append(rows.get(), list_of(ids).get()) < 0) throw PythonError();
    }
    return rows.release();
  });
}

PyObject* forget(PyObject* self, PyObject*) {
  reinterpret_cast<Holder<Pieces>*>(self)->value->forget();
  Py_RETURN_NONE;
}

PyMethodDef pieces_methods[] = {
    {"encode", encode, METH_O, "Return the ids of each text."},
    {"forget", forget, METH_NOARGS, "Forget all pieces."},
    {nullptr, nullptr, 0, nullptr}};

PyType_Slot byte_pairs_slots[] = {
    {Py_tp_doc, const_cast<char*>("Byte-pair encoding of words.")},
    {Py_tp_new, reinterpret_cast<void*>(new_byte_pairs)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<BytePairs>)},
    {0, nullptr}};
PyType_Slot pieces_slots[] = {
    {Py_tp_doc, const_cast<char*>("Encodes the texts of one language.")},
    {Py_tp_new, reinterpret_cast<void*>(new_pieces)},
    {Py_tp_dealloc, reinterpret_cast<void*>(release<Pieces>)},
    {Py_tp_methods, pieces_methods},
    {0, nullptr}};
PyType_Spec byte_pairs_spec = {"xlmkit.text._native.BytePairs", sizeof(Holder<BytePairs>), 0,
                               Py_TPFLAGS_DEFAULT, byte_pairs_slots};
PyType_Spec pieces_spec = {"xlmkit.text._native.Pieces", sizeof(Holder<Pieces>), 0,
                           Py_TPFLAGS_DEFAULT, pieces_slots};

PyModuleDef definition = {PyModuleDef_HEAD_INIT,
                          "_native",
                          "Texts to ids, piece by piece, compiled.",
                          -1,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr,
                          nullptr};

}  // namespace

PyMODINIT_FUNC PyInit__native() {
  Owned module(PyModule_Create(&definition));
  if (!module) return nullptr;
  byte_pairs_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&byte_pairs_spec));
  if (byte_pairs_type == nullptr || PyModule_AddType(module.get(), byte_pairs_type) < 0)
    return nullptr;
  const Owned pieces(PyType_FromSpec(&pieces_spec));
  if (!pieces || PyModule_AddType(module.get(), reinterpret_cast<PyTypeObject*>(pieces.get())) < 0)
    return nullptr;
  return module.release();
}
