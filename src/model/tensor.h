/**
 * tensor.h: libtorch for C.
 *
 * A scope owns every tensor that is made in it. The first operation that fails poisons the scope:
 * it and all that follow do nothing and return %NULL, so that code can be written like the formula
 * and ask once at the end whether it went well:
 *
 *     TensorScope *s = tensor_scope_new (device, cancellable);
 *     Tensor *x = t_layer_norm (s, tokens, gamma, beta);
 *     Tensor *y = t_gelu (s, t_linear (s, x, weight, NULL));
 *     t_read_floats (s, y, numbers, n);
 *     return tensor_scope_end (s, error);
 *
 * Cancelling is such a failure too. Scopes nest: an inner one frees a step's intermediates early,
 * and its failure is the outer one's. Tensors of an older scope may be read (and changed by
 * operations whose name ends in `_`, which return nothing) as long as that scope lives. Numbers are
 * float32 unless said otherwise; they lie on the scope's device. No gradients are recorded. One
 * scope belongs to one thread at a time.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _Tensor Tensor;
typedef struct _TensorScope TensorScope;

/** A device: TENSOR_CPU, or the number of a CUDA device. */
typedef int TensorDevice;
#define TENSOR_CPU (-1)

#define TENSOR_MAX_DIMS 8

/* ---- scopes ---- */

TensorScope *tensor_scope_new (TensorDevice device, GCancellable *cancellable);

/** tensor_scope_push: a scope inside @parent, on its device; close it with tensor_scope_pop(). */
TensorScope *tensor_scope_push (TensorScope *parent);

/** tensor_scope_pop: free an inner scope and all it owns but @keep (nullable), which passes to its
 * parent. */
Tensor *tensor_scope_pop (TensorScope *scope, Tensor *keep);

/**
 * tensor_scope_ok: whether all went well so far; needed only where a number that was read decides
 * what comes next. @error: set where it did not.
 */
gboolean tensor_scope_ok (TensorScope *scope, GError **error);

/** tensor_scope_end: free an outermost scope and all it owns; %FALSE and @error where something in
 * it failed. */
gboolean tensor_scope_end (TensorScope *scope, GError **error);

/* ---- in and out ---- */

/** t_from_floats: copy numbers of C order to the device. */
Tensor *tensor_from_floats (TensorScope *scope, const float *data, guint n_dims,
                            const gint64 *shape);
Tensor *tensor_from_int64 (TensorScope *scope, const gint64 *data, guint n_dims,
                           const gint64 *shape);

/** t_borrow_floats: as t_from_floats, but on the processor @data itself, which must outlive the
 * scope. */
Tensor *tensor_borrow_floats (TensorScope *scope, const float *data, guint n_dims,
                              const gint64 *shape);

/** t_adopt_floats: as t_borrow_floats, but @data now is the scope's; it is freed with g_free(). */
Tensor *tensor_adopt_floats (TensorScope *scope, float *data, guint n_dims, const gint64 *shape);

/** t_empty: numbers undefined. */
Tensor *tensor_empty (TensorScope *scope, guint n_dims, const gint64 *shape);
Tensor *tensor_zeros (TensorScope *scope, guint n_dims, const gint64 *shape);
Tensor *t_empty_like (TensorScope *scope, const Tensor *x);
Tensor *t_zeros_like (TensorScope *scope, const Tensor *x);

/** t_read_floats: wait for the device and copy to @data, C order; @n must be the number of
 * elements. */
void t_read_floats (TensorScope *scope, const Tensor *x, float *data, gsize n);
void t_read_int64 (TensorScope *scope, const Tensor *x, gint64 *data, gsize n);

/** tensor_shape: number of dimensions, sizes into @shape; 0 for %NULL. */
guint tensor_shape (const Tensor *x, gint64 shape[TENSOR_MAX_DIMS]);
gboolean tensor_is_int64 (const Tensor *x);

/* ---- shape; none of these copies numbers but t_contiguous and t_index_rows ---- */

Tensor *tensor_view (TensorScope *scope, const Tensor *x, guint n_dims, const gint64 *shape);
Tensor *tensor_permute (TensorScope *scope, const Tensor *x, guint n_dims, const gint64 *order);
Tensor *t_transpose (TensorScope *scope, const Tensor *x); /* of a matrix */
Tensor *t_narrow (TensorScope *scope, const Tensor *x, gint64 dim, gint64 start, gint64 length);
Tensor *t_select (TensorScope *scope, const Tensor *x, gint64 dim, gint64 index);
Tensor *t_contiguous (TensorScope *scope, const Tensor *x);

/** t_index_rows: rows of a matrix; @rows: int64, one dimension. */
Tensor *t_index_rows (TensorScope *scope, const Tensor *x, const Tensor *rows);

/* Shapes written in place: t_view (s, x, batch, n, dim). */
#define TENSOR_SIZES(...)                                                                          \
  G_N_ELEMENTS (((const gint64[]){ __VA_ARGS__ })), (const gint64[])                               \
  {                                                                                                \
    __VA_ARGS__                                                                                    \
  }
#define t_from_floats(scope, data, ...) tensor_from_floats (scope, data, TENSOR_SIZES (__VA_ARGS__))
#define t_from_int64(scope, data, ...) tensor_from_int64 (scope, data, TENSOR_SIZES (__VA_ARGS__))
#define t_borrow_floats(scope, data, ...)                                                          \
  tensor_borrow_floats (scope, data, TENSOR_SIZES (__VA_ARGS__))
#define t_adopt_floats(scope, data, ...)                                                           \
  tensor_adopt_floats (scope, data, TENSOR_SIZES (__VA_ARGS__))
#define t_empty(scope, ...) tensor_empty (scope, TENSOR_SIZES (__VA_ARGS__))
#define t_zeros(scope, ...) tensor_zeros (scope, TENSOR_SIZES (__VA_ARGS__))
#define t_view(scope, x, ...) tensor_view (scope, x, TENSOR_SIZES (__VA_ARGS__))
#define t_permute(scope, x, ...) tensor_permute (scope, x, TENSOR_SIZES (__VA_ARGS__))

/* ---- element by element ---- */

void t_copy_ (TensorScope *scope, Tensor *x, const Tensor *from);
void t_add_ (TensorScope *scope, Tensor *x, const Tensor *y);
void t_mul_ (TensorScope *scope, Tensor *x, const Tensor *y);
void t_scale_ (TensorScope *scope, Tensor *x, double factor);
void t_offset_ (TensorScope *scope, Tensor *x, double offset); /* x += offset */
void t_round_ (TensorScope *scope, Tensor *x); /* to bfloat16, which it is from then on */
void t_lerp_ (TensorScope *scope, Tensor *x, const Tensor *y,
              double weight); /* x += weight (y - x) */
void t_addcmul_ (TensorScope *scope, Tensor *x, const Tensor *a, const Tensor *b,
                 double factor); /* x += factor a b */
void t_addcdiv_ (TensorScope *scope, Tensor *x, const Tensor *a, const Tensor *b,
                 double factor); /* x += factor a / b */

Tensor *t_sub (TensorScope *scope, const Tensor *x, const Tensor *y);
Tensor *t_mul (TensorScope *scope, const Tensor *x, const Tensor *y);
Tensor *t_sqrt (TensorScope *scope, const Tensor *x);
Tensor *t_relu (TensorScope *scope, const Tensor *x);
Tensor *t_where_positive (TensorScope *scope, const Tensor *x,
                          const Tensor *y); /* y where x > 0, else 0 */
Tensor *t_leaky_relu (TensorScope *scope, const Tensor *x, double slope);
Tensor *t_gelu (TensorScope *scope, const Tensor *x); /* exact: x Phi(x) */

/* ---- sums and products ---- */

Tensor *t_sum (TensorScope *scope, const Tensor *x, gint64 dim);
Tensor *t_mean (TensorScope *scope, const Tensor *x, gint64 dim);
Tensor *t_matmul (TensorScope *scope, const Tensor *a, const Tensor *b); /* matrices */

/** t_matvec: matrix times vector, summed in parts so that rounding does not grow with the length.
 */
Tensor *t_matvec (TensorScope *scope, const Tensor *a, const Tensor *x);

/* ---- what networks are made of; all work on the last dimension ---- */

/**
 * t_linear: x Wᵀ + b; @weight: out × in; @bias: (nullable).
 *
 * Where @weight and @bias are bfloat16, x is rounded to it, float32 holds the sums, and the result
 * is bfloat16. What is made of such numbers alone is bfloat16 too, unless said otherwise.
 */
Tensor *t_linear (TensorScope *scope, const Tensor *x, const Tensor *weight, const Tensor *bias);

/** t_layer_norm: (x − mean) / √(variance + 1e-5) · γ + β, biased variance; @gamma and @beta:
 * (nullable). float32 whatever x is. */
Tensor *t_layer_norm (TensorScope *scope, const Tensor *x, const Tensor *gamma, const Tensor *beta);

/** t_l2_normalize: x / max(‖x‖, 1e-12); float32 whatever x is. */
Tensor *t_l2_normalize (TensorScope *scope, const Tensor *x);

/**
 * t_attention: softmax(scale · q kᵀ + bias) v.
 *
 * @q, @k, @v: sequences × heads × n × d; q and k are rounded where v is
 * @bias: (nullable) heads × n × n, added to every sequence's scores
 */
Tensor *t_attention (TensorScope *scope, const Tensor *q, const Tensor *k, const Tensor *v,
                     double scale, const Tensor *bias);

/**
 * t_depthwise_conv2d: every channel's image convolved with its own kernel, zeros around the image.
 *
 * @images: n × height × width × channels
 * @kernel: channels × 1 × kh × kw, odd sizes; @bias: (nullable) channels
 */
Tensor *t_depthwise_conv2d (TensorScope *scope, const Tensor *images, const Tensor *kernel,
                            const Tensor *bias);

/**
 * t_nearest_code: for each row of @x the number of the code with the largest cosine; the first on
 * ties.
 *
 * @x: n × dim; @codes: codes × dim. Both are rows of norm 1.
 * Returns: n int64
 */
Tensor *t_nearest_code (TensorScope *scope, const Tensor *x, const Tensor *codes);

/**
 * t_focal_loss: focal_loss() of head.h on the device: the mean, and its gradient by the closed
 * form.
 *
 * @logits, @labels: n × classes, contiguous; labels are 0 or 1
 * @positive_weight, @negative_weight: per class, what an element's loss is multiplied with
 * @gradient: (out, nullable) n × classes
 */
Tensor *t_focal_loss (TensorScope *scope, const Tensor *logits, const Tensor *labels,
                      const Tensor *positive_weight, const Tensor *negative_weight, double gamma,
                      Tensor **gradient);

G_END_DECLS
