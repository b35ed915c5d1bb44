#include "model/tensor.h"
#include "model/tensor_private.hpp"

#include "base/error.h"
#include <algorithm>
#include <cstring>
#include <new>

using namespace ctclip;

/* ---- errors ---- */

namespace {

/** The first line of libtorch's message; what follows is a C++ stack. */
void
set_error (GError **error, CtclipError code, const char *what)
{
  const char *end = strchr (what, '\n');
  g_autofree char *line = end != nullptr ? g_strndup (what, end - what) : g_strdup (what);

  g_set_error (error, CTCLIP_ERROR, code, "libtorch: %s%s", line,
               code == CTCLIP_ERROR_MEMORY
                   ? "; free memory there, or choose another device with --device"
                   : "");
}

/** Some have no exception of their own for that: the processor's allocator, CUDA where a process
 * begins to use a device, cuBLAS and cuDNN for what they work in. */
bool
says_memory (const char *what)
{
  return strstr (what, "can't allocate memory") != nullptr
         || strstr (what, "CUDA error: out of memory") != nullptr
         || strstr (what, "_STATUS_ALLOC_FAILED") != nullptr;
}

}

void
ctclip::fail (TensorScope *scope) noexcept
{
  GError **error = &scope->root->error;

  if (*error != nullptr)
    return;
  try
    {
      throw;
  } catch (const c10::OutOfMemoryError &caught)
    {
      set_error (error, CTCLIP_ERROR_MEMORY, caught.what_without_backtrace ());
  } catch (const c10::Error &caught)
    {
      set_error (error, says_memory (caught.what ()) ? CTCLIP_ERROR_MEMORY : CTCLIP_ERROR_FAILED,
                 caught.what_without_backtrace ());
  } catch (const std::bad_alloc &)
    {
      set_error (error, CTCLIP_ERROR_MEMORY, "out of memory");
  } catch (const std::exception &caught)
    {
      set_error (error, CTCLIP_ERROR_FAILED, caught.what ());
  } catch (...)
    {
      set_error (error, CTCLIP_ERROR_FAILED, "failed without saying why");
  }
}

bool
ctclip::alive (TensorScope *scope) noexcept
{
  return scope->root->error == nullptr
         && !g_cancellable_set_error_if_cancelled (scope->cancellable, &scope->root->error);
}

/* ---- scopes ---- */

TensorScope *
tensor_scope_new (TensorDevice device, GCancellable *cancellable)
{
  TensorScope *scope = new _TensorScope{};

  scope->root = scope;
  scope->device = device;
  g_set_object (&scope->cancellable, cancellable);
  return scope;
}

TensorScope *
tensor_scope_push (TensorScope *parent)
{
  TensorScope *scope = tensor_scope_new (parent->device, parent->cancellable);

  scope->parent = parent;
  scope->root = parent->root;
  return scope;
}

static void
scope_free (TensorScope *scope)
{
  g_clear_object (&scope->cancellable);
  g_clear_error (&scope->error);
  delete scope;
}

Tensor *
tensor_scope_pop (TensorScope *scope, Tensor *keep)
{
  auto &owned = scope->owned;
  auto kept = std::find_if (owned.begin (), owned.end (),
                            [keep] (const auto &tensor) { return tensor.get () == keep; });

  if (scope->root->error != nullptr)
    keep = nullptr;
  else if (kept != owned.end ())
    scope->parent->owned.push_back (std::move (*kept));
  scope_free (scope);
  return keep;
}

gboolean
tensor_scope_ok (TensorScope *scope, GError **error)
{
  if (alive (scope))
    return TRUE;
  g_propagate_error (error, g_error_copy (scope->root->error));
  return FALSE;
}

gboolean
tensor_scope_end (TensorScope *scope, GError **error)
{
  gboolean ok = scope->error == nullptr;

  if (!ok)
    g_propagate_error (error, g_steal_pointer (&scope->error));
  scope_free (scope);
  return ok;
}

/* ---- in and out ---- */

template <typename Number>
static Tensor *
from_numbers (TensorScope *scope, const Number *data, at::ScalarType type, guint n_dims,
              const gint64 *shape)
{
  return make (scope, [=] {
    at::Tensor there =
        at::empty (sizes (n_dims, shape), at::dtype (type).device (device_of (scope)));

    /* copy_ reads only; from_blob has no const form. */
    return there.copy_ (at::from_blob (const_cast<Number *> (data), there.sizes (), type));
  });
}

Tensor *
tensor_from_floats (TensorScope *scope, const float *data, guint n_dims, const gint64 *shape)
{
  return from_numbers (scope, data, at::kFloat, n_dims, shape);
}

Tensor *
tensor_from_int64 (TensorScope *scope, const gint64 *data, guint n_dims, const gint64 *shape)
{
  return from_numbers (scope, data, at::kLong, n_dims, shape);
}

Tensor *
tensor_borrow_floats (TensorScope *scope, const float *data, guint n_dims, const gint64 *shape)
{
  return make (scope, [=] {
    return at::from_blob (const_cast<float *> (data), sizes (n_dims, shape), at::kFloat)
        .to (device_of (scope));
  });
}

Tensor *
tensor_adopt_floats (TensorScope *scope, float *data, guint n_dims, const gint64 *shape)
{
  Tensor *adopted = nullptr;
  bool owned = false;

  adopted = make (scope, [&] {
    at::Tensor here = at::from_blob (data, sizes (n_dims, shape), g_free, at::kFloat);

    owned = true;
    return here.to (device_of (scope));
  });
  if (!owned)
    g_free (data);
  return adopted;
}

Tensor *
tensor_empty (TensorScope *scope, guint n_dims, const gint64 *shape)
{
  return make (scope, [=] {
    return at::empty (sizes (n_dims, shape), at::dtype (at::kFloat).device (device_of (scope)));
  });
}

Tensor *
tensor_zeros (TensorScope *scope, guint n_dims, const gint64 *shape)
{
  return make (scope, [=] {
    return at::zeros (sizes (n_dims, shape), at::dtype (at::kFloat).device (device_of (scope)));
  });
}

Tensor *
t_empty_like (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return at::empty_like (value (x)); });
}

Tensor *
t_zeros_like (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return at::zeros_like (value (x)); });
}

template <typename Number>
static void
read_numbers (TensorScope *scope, const Tensor *x, at::ScalarType type, Number *data, gsize n)
{
  perform (scope, [=] {
    if (value (x).scalar_type () != type || static_cast<gsize> (value (x).numel ()) != n)
      throw std::invalid_argument ("a tensor is not of the size or type that is read");
    at::from_blob (data, value (x).sizes (), type).copy_ (value (x));
  });
}

void
t_read_floats (TensorScope *scope, const Tensor *x, float *data, gsize n)
{
  read_numbers (scope, x, at::kFloat, data, n);
}

void
t_read_int64 (TensorScope *scope, const Tensor *x, gint64 *data, gsize n)
{
  read_numbers (scope, x, at::kLong, data, n);
}

guint
tensor_shape (const Tensor *x, gint64 shape[TENSOR_MAX_DIMS])
{
  guint n_dims = x != nullptr ? static_cast<guint> (x->value.dim ()) : 0;

  for (guint i = 0; i < n_dims; i++)
    shape[i] = x->value.size (i);
  return n_dims;
}

gboolean
tensor_is_int64 (const Tensor *x)
{
  return x != nullptr && x->value.scalar_type () == at::kLong;
}

/* ---- shape ---- */

Tensor *
tensor_view (TensorScope *scope, const Tensor *x, guint n_dims, const gint64 *shape)
{
  return make (scope, [=] { return value (x).view (sizes (n_dims, shape)); });
}

Tensor *
tensor_permute (TensorScope *scope, const Tensor *x, guint n_dims, const gint64 *order)
{
  return make (scope, [=] { return value (x).permute (sizes (n_dims, order)); });
}

Tensor *
t_transpose (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return value (x).t (); });
}

Tensor *
t_narrow (TensorScope *scope, const Tensor *x, gint64 dim, gint64 start, gint64 length)
{
  return make (scope, [=] { return value (x).narrow (dim, start, length); });
}

Tensor *
t_select (TensorScope *scope, const Tensor *x, gint64 dim, gint64 index)
{
  return make (scope, [=] { return value (x).select (dim, index); });
}

Tensor *
t_contiguous (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return value (x).contiguous (); });
}

Tensor *
t_index_rows (TensorScope *scope, const Tensor *x, const Tensor *rows)
{
  return make (scope, [=] { return at::index_select (value (x), 0, value (rows)); });
}

/* ---- element by element ---- */

void
t_copy_ (TensorScope *scope, Tensor *x, const Tensor *from)
{
  perform (scope, [=] { value (x).copy_ (value (from)); });
}

void
t_add_ (TensorScope *scope, Tensor *x, const Tensor *y)
{
  perform (scope, [=] { value (x).add_ (value (y)); });
}

void
t_mul_ (TensorScope *scope, Tensor *x, const Tensor *y)
{
  perform (scope, [=] { value (x).mul_ (value (y)); });
}

void
t_scale_ (TensorScope *scope, Tensor *x, double factor)
{
  perform (scope, [=] { value (x).mul_ (factor); });
}

void
t_offset_ (TensorScope *scope, Tensor *x, double offset)
{
  perform (scope, [=] { value (x).add_ (offset); });
}

void
t_round_ (TensorScope *scope, Tensor *x)
{
  perform (scope, [=] { x->value = value (x).to (at::kBFloat16); });
}

void
t_lerp_ (TensorScope *scope, Tensor *x, const Tensor *y, double weight)
{
  perform (scope, [=] { value (x).lerp_ (value (y), weight); });
}

void
t_addcmul_ (TensorScope *scope, Tensor *x, const Tensor *a, const Tensor *b, double factor)
{
  perform (scope, [=] { value (x).addcmul_ (value (a), value (b), factor); });
}

void
t_addcdiv_ (TensorScope *scope, Tensor *x, const Tensor *a, const Tensor *b, double factor)
{
  perform (scope, [=] { value (x).addcdiv_ (value (a), value (b), factor); });
}

Tensor *
t_sub (TensorScope *scope, const Tensor *x, const Tensor *y)
{
  return make (scope, [=] { return at::sub (value (x), value (y)); });
}

Tensor *
t_mul (TensorScope *scope, const Tensor *x, const Tensor *y)
{
  return make (scope, [=] { return at::mul (value (x), value (y)); });
}

Tensor *
t_sqrt (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return at::sqrt (value (x)); });
}

Tensor *
t_relu (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return at::relu (value (x)); });
}

Tensor *
t_where_positive (TensorScope *scope, const Tensor *x, const Tensor *y)
{
  return make (scope, [=] { return at::threshold_backward (value (y), value (x), 0); });
}

Tensor *
t_leaky_relu (TensorScope *scope, const Tensor *x, double slope)
{
  return make (scope, [=] { return at::leaky_relu (value (x), slope); });
}

Tensor *
t_gelu (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] { return at::gelu (value (x)); });
}

/* ---- sums and products ---- */

Tensor *
t_sum (TensorScope *scope, const Tensor *x, gint64 dim)
{
  return make (scope, [=] { return at::sum (value (x), at::IntArrayRef (dim)); });
}

Tensor *
t_mean (TensorScope *scope, const Tensor *x, gint64 dim)
{
  return make (scope, [=] { return at::mean (value (x), at::IntArrayRef (dim)); });
}

Tensor *
t_matmul (TensorScope *scope, const Tensor *a, const Tensor *b)
{
  return make (scope, [=] { return at::mm (value (a), value (b)); });
}

Tensor *
t_matvec (TensorScope *scope, const Tensor *a, const Tensor *x)
{
  return make (scope, [=] {
    constexpr int64_t part = 4096;
    int64_t n = value (x).size (0);
    at::Tensor y = at::zeros ({ value (a).size (0) }, value (x).options ());

    for (int64_t first = 0; first < n; first += part)
      {
        int64_t length = std::min (part, n - first);

        y.addmv_ (value (a).narrow (1, first, length), value (x).narrow (0, first, length));
      }
    return y;
  });
}
