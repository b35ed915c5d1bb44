/*
 * kernels.h's CUDA kernels. What they compute stands in kernels_reference.c, line by line in the
 * same order.
 */
#include "model/kernels.h"

#include <cuda_runtime.h>

/** What the runtime says about the launch before; errors of the kernel's run show at libtorch's
 * next wait. */
static const char *
launch_error (void)
{
  cudaError_t status = cudaGetLastError ();

  return status == cudaSuccess ? NULL : cudaGetErrorString (status);
}

/* ---- nearest code ---- */

/*
 * A matrix product in tiles that ends in a maximum instead of a store. A block has 16 × 16 threads
 * and owns TILE_ROWS rows of x; it goes over all codes, TILE_CODES at a time, and over the
 * dimensions, TILE_DEPTH at a time. Thread (tx, ty) computes the products of rows ty, ty + 16, ...
 * with codes tx, tx + 16, ...
 */
#define SIDE 16
#define ROWS_PER_THREAD 4
#define CODES_PER_THREAD 8
#define TILE_ROWS (SIDE * ROWS_PER_THREAD)
#define TILE_CODES (SIDE * CODES_PER_THREAD)
#define TILE_DEPTH 16

/** Copy a tile of a row-major matrix, transposed; zeros outside the matrix add nothing to a
 * product. */
template <int TILE>
static __device__ void
load_tile (float tile[TILE_DEPTH][TILE + 1], const float *matrix, size_t n, size_t dim,
           size_t first_row, size_t first_d)
{
  for (int i = threadIdx.y * SIDE + threadIdx.x; i < TILE * TILE_DEPTH; i += SIDE * SIDE)
    {
      size_t row = first_row + i / TILE_DEPTH, d = first_d + i % TILE_DEPTH;

      tile[i % TILE_DEPTH][i / TILE_DEPTH] = row < n && d < dim ? matrix[row * dim + d] : 0.0f;
    }
}

static __global__ void
__launch_bounds__ (SIDE *SIDE) nearest_code (const float *x, size_t n, const float *codes,
                                             size_t n_codes, size_t dim, int64_t *nearest)
{
  __shared__ float x_tile[TILE_DEPTH][TILE_ROWS + 1], code_tile[TILE_DEPTH][TILE_CODES + 1];
  const size_t first_row = (size_t) blockIdx.x * TILE_ROWS;
  float largest[ROWS_PER_THREAD];
  int64_t code_of_largest[ROWS_PER_THREAD];

  for (int r = 0; r < ROWS_PER_THREAD; r++)
    {
      largest[r] = -INFINITY;
      code_of_largest[r] = 0;
    }

  for (size_t first_code = 0; first_code < n_codes; first_code += TILE_CODES)
    {
      float product[ROWS_PER_THREAD][CODES_PER_THREAD] = {};

      for (size_t first_d = 0; first_d < dim; first_d += TILE_DEPTH)
        {
          load_tile<TILE_ROWS> (x_tile, x, n, dim, first_row, first_d);
          load_tile<TILE_CODES> (code_tile, codes, n_codes, dim, first_code, first_d);
          __syncthreads ();
#pragma unroll
          for (int d = 0; d < TILE_DEPTH; d++)
#pragma unroll
            for (int r = 0; r < ROWS_PER_THREAD; r++)
#pragma unroll
              for (int c = 0; c < CODES_PER_THREAD; c++)
                product[r][c] +=
                    x_tile[d][threadIdx.y + SIDE * r] * code_tile[d][threadIdx.x + SIDE * c];
          __syncthreads ();
        }

        /* A thread meets its codes in rising order, so "larger" keeps the first of equals. */
#pragma unroll
      for (int c = 0; c < CODES_PER_THREAD; c++)
#pragma unroll
        for (int r = 0; r < ROWS_PER_THREAD; r++)
          {
            size_t code = first_code + threadIdx.x + SIDE * c;

            if (code < n_codes && product[r][c] > largest[r])
              {
                largest[r] = product[r][c];
                code_of_largest[r] = (int64_t) code;
              }
          }
    }

  /* The 16 threads of a row lie side by side in a warp; of their equals the first code wins. */
  for (int r = 0; r < ROWS_PER_THREAD; r++)
    {
      size_t row = first_row + threadIdx.y + SIDE * r;

      for (int step = SIDE / 2; step > 0; step /= 2)
        {
          float other = __shfl_xor_sync (0xffffffffu, largest[r], step, SIDE);
          int64_t other_code =
              __shfl_xor_sync (0xffffffffu, (long long) code_of_largest[r], step, SIDE);

          if (other > largest[r] || (other == largest[r] && other_code < code_of_largest[r]))
            {
              largest[r] = other;
              code_of_largest[r] = other_code;
            }
        }
      if (threadIdx.x == 0 && row < n)
        nearest[row] = code_of_largest[r];
    }
}

const char *
kernel_nearest_code (int device, const float *x, size_t n, const float *codes, size_t n_codes,
                     size_t dim, int64_t *nearest)
{
  cudaError_t status = cudaSetDevice (device);
  unsigned blocks;

  if (status != cudaSuccess)
    return cudaGetErrorString (status);
  if (n == 0)
    return NULL;
  blocks = (unsigned) ((n + TILE_ROWS - 1) / TILE_ROWS);
  /* clang-format off */
  nearest_code<<<blocks, dim3 (SIDE, SIDE)>>> (x, n, codes, n_codes, dim, nearest);
  /* clang-format on */
  return launch_error ();
}

/* ---- focal loss ---- */

static __global__ void
focal_loss (const float *logits, const float *labels, const float *positive_weight,
            const float *negative_weight, size_t n, size_t classes, float gamma, float *loss,
            float *gradient)
{
  size_t i = (size_t) blockIdx.x * blockDim.x + threadIdx.x;

  if (i >= n * classes)
    return;

  size_t c = i % classes;
  float sign = labels[i] > 0 ? 1 : -1;
  float w = labels[i] > 0 ? positive_weight[c] : negative_weight[c];
  float u = sign * logits[i];
  float q = 1 / (1 + expf (u));
  float softplus = fmaxf (-u, 0) + log1pf (expf (-fabsf (u)));
  float q_gamma = powf (q, gamma);

  loss[i] = w * q_gamma * softplus;
  gradient[i] =
      sign * w * (-gamma * q_gamma * (1 - q) * softplus - q_gamma * q) / (float) (n * classes);
}

const char *
kernel_focal_loss (int device, const float *logits, const float *labels,
                   const float *positive_weight, const float *negative_weight, size_t n,
                   size_t classes, float gamma, float *loss, float *gradient)
{
  const unsigned threads = 256;
  cudaError_t status = cudaSetDevice (device);
  unsigned blocks;

  if (status != cudaSuccess)
    return cudaGetErrorString (status);
  if (n * classes == 0)
    return NULL;
  blocks = (unsigned) ((n * classes + threads - 1) / threads);
  /* clang-format off */
  focal_loss<<<blocks, threads>>> (logits, labels, positive_weight, negative_weight, n, classes, gamma, loss,
                                   gradient);
  /* clang-format on */
  return launch_error ();
}
