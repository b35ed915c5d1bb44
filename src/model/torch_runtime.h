/**
 * torch_runtime.h: what is one for the whole process: libtorch's version, devices, threads, and the
 * libraries that its products end in.
 */
#pragma once

#include "model/tensor.h"

G_BEGIN_DECLS

/** torch_runtime_version: "1.13.1" */
const char *torch_runtime_version (void);

/**
 * torch_runtime_set_threads: @n threads for matrix work that the calling thread asks for; OpenMP
 * keeps this number per thread, so every entry into the engine sets it.
 *
 * libtorch and oneDNN share one pool of threads; a BLAS library may bring a second, and two pools
 * that spin for work take the processor from each other. So BLAS gets one thread where oneDNN does
 * the large products.
 */
void torch_runtime_set_threads (guint n);

/** torch_runtime_warm_up: a small product, so that BLAS takes its buffers while there is room for
 * them: OpenBLAS does not come back from a refusal. */
gboolean torch_runtime_warm_up (GError **error);

/**
 * torch_runtime_device: "cpu" or "cuda:N" to a device that is there.
 *
 * @device: (out)
 */
gboolean torch_runtime_device (const char *name, TensorDevice *device, GError **error);

guint torch_runtime_cuda_devices (void);

/** torch_runtime_device_name: "NVIDIA H100 80GB HBM3", or the processor's model. Free with g_free.
 */
char *torch_runtime_device_name (TensorDevice device);

/**
 * torch_runtime_blas: the library that BLAS calls end in, for a person to read. Free with g_free.
 *
 * @slow: (out) it is the reference library, which takes minutes for what others do in seconds
 */
char *torch_runtime_blas (gboolean *slow);

/** torch_runtime_onednn: whether the large products go through oneDNN. */
gboolean torch_runtime_onednn (void);

G_END_DECLS
