// Objects of Python that hold a value of C++.
#pragma once

#include <memory>

#include "python.h"

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

// Make a type whose objects hold a value, and add it to a module; `name` begins with the module's.
template <typename Value>
PyTypeObject* add_type(PyObject* module, const char* name, const char* doc, newfunc make,
                       PyMethodDef* methods) {
  PyType_Slot slots[] = {{Py_tp_doc, const_cast<char*>(doc)},
                         {Py_tp_new, reinterpret_cast<void*>(make)},
                         {Py_tp_dealloc, reinterpret_cast<void*>(release<Value>)},
                         {Py_tp_methods, methods},
                         {0, nullptr}};
  PyType_Spec spec = {name, sizeof(Holder<Value>), 0, Py_TPFLAGS_DEFAULT, slots};
  const Owned type(PyType_FromSpec(&spec));
  if (!type || PyModule_AddType(module, reinterpret_cast<PyTypeObject*>(type.get())) < 0)
    return nullptr;
  return reinterpret_cast<PyTypeObject*>(type.get());  // which the module keeps
}
