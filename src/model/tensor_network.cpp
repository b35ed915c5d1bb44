/*
 * The operations of tensor.h that networks are made of, each by the quickest way that libtorch has
 * on the tensor's device.
 */
#include "model/tensor.h"
#include "model/tensor_private.hpp"

#include "config.h"
#ifdef HAVE_CUDA
#include "model/kernels.h"
#endif
#include <ATen/Parallel.h>

using namespace ctclip;

/** A product's operand on a processor: two numbers of bfloat16 have a product that float32 holds
 * without any error, so float32's quicker code does what tensor cores do. */
static at::Tensor
widen (const at::Tensor &x)
{
  return x.to (at::kFloat);
}

/**
 * rows Wᵀ + b, the product that nearly all the time goes into.
 *
 * On a processor oneDNN is 1.5 to 4 times as quick as the BLAS below at::linear, and it shares
 * libtorch's threads. libtorch reaches it for plain float32 tensors through convolutions only, so
 * rows become the pixels of one image and the layer a 1×1 convolution; laid out "channels last"
 * that moves no numbers.
 */
static at::Tensor
product_with_rows (const at::Tensor &rows, const at::Tensor &weight,
                   const c10::optional<at::Tensor> &bias)
{
  constexpr int64_t few = 128; /* below, setting up outweighs the gain */
  int64_t n = rows.size (0), in = weight.size (1), out = weight.size (0);

  if (rows.is_cpu () && rows.scalar_type () == at::kBFloat16)
    return product_with_rows (widen (rows), widen (weight),
                              bias ? c10::make_optional (widen (*bias)) : bias)
        .to (at::kBFloat16);
  if (!rows.is_cpu () || !at::hasMKLDNN () || n < few)
    return at::linear (rows, weight, bias);

  at::Tensor image = rows.contiguous ().view ({ 1, n, 1, in }).permute ({ 0, 3, 1, 2 });
  at::Tensor result = at::mkldnn_convolution (image, weight.view ({ out, in, 1, 1 }), bias,
                                              { 0, 0 }, { 1, 1 }, { 1, 1 }, 1);

  return result.permute ({ 0, 2, 3, 1 }).reshape ({ n, out });
}

Tensor *
t_linear (TensorScope *scope, const Tensor *x, const Tensor *weight, const Tensor *bias)
{
  return make (scope, [=] {
    const at::Tensor &w = value (weight);
    std::vector<int64_t> shape = value (x).sizes ().vec ();
    at::Tensor rows = value (x).to (w.scalar_type ()).reshape ({ -1, w.size (1) });

    shape.back () = w.size (0);
    return product_with_rows (rows, w, optional_value (bias)).view (shape);
  });
}

Tensor *
t_layer_norm (TensorScope *scope, const Tensor *x, const Tensor *gamma, const Tensor *beta)
{
  return make (scope, [=] {
    return at::layer_norm (value (x).to (at::kFloat), { value (x).size (-1) },
                           optional_value (gamma), optional_value (beta), 1e-5);
  });
}

Tensor *
t_l2_normalize (TensorScope *scope, const Tensor *x)
{
  return make (scope, [=] {
    at::Tensor wide = value (x).to (at::kFloat);

    return at::div (wide, at::norm (wide, 2, { -1 }, true).clamp_min_ (1e-12));
  });
}

/**
 * One head of one sequence after the other, spread over the threads: its scores (n × n) stay in the
 * cache, where all of them would need 255 MB at full size.
 */
static at::Tensor
attention_on_processor (const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, double scale,
                        const c10::optional<at::Tensor> &bias)
{
  int64_t sequences = q.size (0), heads = q.size (1), n = q.size (2), d = q.size (3);
  /* Laid out so that the heads of a token lie side by side, as the layer after it wants them. */
  at::Tensor out = at::empty ({ sequences, n, heads, d }, q.options ()).transpose (1, 2);

  at::parallel_for (0, sequences * heads, 1, [&] (int64_t first, int64_t last) {
    c10::InferenceMode no_gradients; /* a property of the thread */
    at::Tensor scores = at::empty ({ n, n }, q.options ()), weights = at::empty_like (scores);

    for (int64_t i = first; i < last; i++)
      {
        int64_t sequence = i / heads, head = i % heads;
        at::Tensor q_i = q[sequence][head], k_i = k[sequence][head], v_i = v[sequence][head];
        at::Tensor out_i = out[sequence][head];

        if (bias)
          at::addmm_out (scores, (*bias)[head], q_i, k_i.t (), 1, scale);
        else
          at::mm_out (scores, q_i, k_i.t ()).mul_ (scale);
        at::_softmax_out (weights, scores, -1, false);
        at::mm_out (out_i, weights, v_i);
      }
  });
  return out;
}

/** Matrices of all heads and sequences, of either type. */
static at::Tensor
products (const at::Tensor &a, const at::Tensor &b)
{
  if (a.is_cpu () && a.scalar_type () == at::kBFloat16)
    return at::matmul (widen (a), widen (b)).to (at::kBFloat16);
  return at::matmul (a, b);
}

static at::Tensor
attention_at_once (const at::Tensor &q, const at::Tensor &k, const at::Tensor &v, double scale,
                   const c10::optional<at::Tensor> &bias)
{
  at::Tensor scores = products (q * scale, k.transpose (-2, -1));

  if (bias)
    scores.add_ (*bias);
  return products (at::softmax (scores, -1), v);
}

Tensor *
t_attention (TensorScope *scope, const Tensor *q, const Tensor *k, const Tensor *v, double scale,
             const Tensor *bias)
{
  return make (scope, [=] {
    const at::Tensor &v_value = value (v);
    auto type = v_value.scalar_type ();
    auto attention =
        v_value.is_cpu () && type == at::kFloat ? attention_on_processor : attention_at_once;

    return attention (value (q).to (type), value (k).to (type), v_value, scale,
                      optional_value (bias));
  });
}

Tensor *
t_depthwise_conv2d (TensorScope *scope, const Tensor *images, const Tensor *kernel,
                    const Tensor *bias)
{
  return make (scope, [=] {
    const at::Tensor &w = value (kernel);
    at::Tensor channels_first = value (images).permute ({ 0, 3, 1, 2 });

    return at::conv2d (channels_first, w, optional_value (bias), 1,
                       { w.size (2) / 2, w.size (3) / 2 }, 1, w.size (0))
        .permute ({ 0, 2, 3, 1 });
  });
}

/* ---- operations that have a CUDA kernel of their own ---- */

#ifdef HAVE_CUDA
/** Launchers return NULL, or what CUDA says. */
static void
check_launch (const char *what)
{
  if (what != nullptr)
    throw std::runtime_error (what);
}
#endif

Tensor *
t_nearest_code (TensorScope *scope, const Tensor *x, const Tensor *codes)
{
  return make (scope, [=] {
    const at::Tensor &rows = value (x), &code_rows = value (codes);
#ifdef HAVE_CUDA
    if (rows.is_cuda ())
      {
        at::Tensor a = rows.contiguous (), b = code_rows.contiguous ();
        at::Tensor nearest = at::empty ({ a.size (0) }, a.options ().dtype (at::kLong));

        check_launch (kernel_nearest_code (a.get_device (), a.data_ptr<float> (), a.size (0),
                                           b.data_ptr<float> (), b.size (0), b.size (1),
                                           nearest.data_ptr<int64_t> ()));
        return nearest;
      }
#endif
    /* A part at a time: the similarities of all tokens of a volume would need 453 MB. */
    constexpr int64_t part = 512;
    at::Tensor nearest = at::empty ({ rows.size (0) }, rows.options ().dtype (at::kLong));

    for (int64_t first = 0; first < rows.size (0); first += part)
      {
        int64_t n = std::min (part, rows.size (0) - first);
        at::Tensor similarity = product_with_rows (rows.narrow (0, first, n), code_rows, {});

        nearest.narrow (0, first, n).copy_ (std::get<1> (at::max (similarity, 1)));
      }
    return nearest;
  });
}

Tensor *
t_focal_loss (TensorScope *scope, const Tensor *logits, const Tensor *labels,
              const Tensor *positive_weight, const Tensor *negative_weight, double gamma,
              Tensor **gradient)
{
  Tensor *slope = t_empty_like (scope, logits);
  Tensor *loss = make (scope, [=] {
    const at::Tensor &z = value (logits), &y = value (labels);
    double share = 1.0 / static_cast<double> (z.numel ());
#ifdef HAVE_CUDA
    if (z.is_cuda ())
      {
        at::Tensor terms = at::empty_like (z);

        check_launch (kernel_focal_loss (
            z.get_device (), z.data_ptr<float> (), y.data_ptr<float> (),
            value (positive_weight).data_ptr<float> (), value (negative_weight).data_ptr<float> (),
            z.size (0), z.size (1), static_cast<float> (gamma), terms.data_ptr<float> (),
            value (slope).data_ptr<float> ()));
        return terms.sum ().mul_ (share);
      }
#endif
    at::Tensor sign = 2 * y - 1, u = sign * z;
    at::Tensor w = at::where (y > 0, value (positive_weight), value (negative_weight));
    at::Tensor q = at::sigmoid (-u), q_gamma = at::pow (q, gamma), softplus = at::softplus (-u);

    value (slope).copy_ (share * sign * w * (-gamma * q_gamma * (1 - q) * softplus - q_gamma * q));
    return at::sum (w * q_gamma * softplus).mul_ (share);
  });

  if (gradient != nullptr)
    *gradient = slope;
  return loss;
}
