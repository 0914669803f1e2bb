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
