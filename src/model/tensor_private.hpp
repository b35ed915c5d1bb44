/**
 * tensor_private.hpp: what the files of the libtorch wrapper share. C++; nothing else includes it.
 */
#pragma once

#include "model/tensor.h"

#include <ATen/ATen.h>
#include <memory>
#include <stdexcept>
#include <vector>

struct _Tensor
{
  at::Tensor value;
};

struct _TensorScope
{
  TensorScope *parent; /* NULL for an outermost scope */
  TensorScope *root;   /* itself for an outermost one; the error of the whole family lies there */
  TensorDevice device;
  GCancellable *cancellable; /* (nullable) */
  GError *error;
  std::vector<std::unique_ptr<_Tensor> > owned;
};

namespace ctclip {

/** Poison the scope with the exception that is being handled. */
void fail (TensorScope *scope) noexcept;

/** Whether the scope still works; poisons it where its cancellable was cancelled. */
bool alive (TensorScope *scope) noexcept;

/** An outermost scope's numbers lie here. */
inline at::Device
device_of (const TensorScope *scope)
{
  return scope->device == TENSOR_CPU
             ? at::Device (at::kCPU)
             : at::Device (at::kCUDA, static_cast<c10::DeviceIndex> (scope->device));
}

inline const at::Tensor &
value (const Tensor *x)
{
  if (x == nullptr)
    throw std::invalid_argument ("an operand is missing");
  return x->value;
}

/** A nullable operand, as libtorch wants it. */
inline c10::optional<at::Tensor>
optional_value (const Tensor *x)
{
  return x != nullptr ? c10::optional<at::Tensor> (x->value) : c10::nullopt;
}

inline at::IntArrayRef
sizes (guint n_dims, const gint64 *shape)
{
  static_assert (sizeof (gint64) == sizeof (int64_t), "shapes are passed on as they are");
  return at::IntArrayRef (reinterpret_cast<const int64_t *> (shape), n_dims);
}

/** Run an operation that makes a tensor; the scope owns the result. */
template <typename Operation>
Tensor *
make (TensorScope *scope, Operation operation) noexcept
{
  if (!alive (scope))
    return nullptr;
  try
    {
      c10::InferenceMode no_gradients;

      scope->owned.push_back (std::make_unique<_Tensor> (_Tensor{ operation () }));
      return scope->owned.back ().get ();
  } catch (...)
    {
      fail (scope);
      return nullptr;
  }
}

/** Run an operation for what it does. */
template <typename Operation>
void
perform (TensorScope *scope, Operation operation) noexcept
{
  if (!alive (scope))
    return;
  try
    {
      c10::InferenceMode no_gradients;

      operation ();
  } catch (...)
    {
      fail (scope);
  }
}

}
