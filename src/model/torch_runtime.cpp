#include "model/torch_runtime.h"

#include "base/error.h"
#include "model/processor.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <link.h>
#include <cstring>
#include <torch/version.h>

const char *
torch_runtime_version (void)
{
  return TORCH_VERSION;
}

gboolean
torch_runtime_onednn (void)
{
  return at::hasMKLDNN ();
}

/* ---- threads ---- */

/** A function of a library that came along with libtorch, or nullptr. */
template <typename Function>
static Function *
find_function (const char *name)
{
  return reinterpret_cast<Function *> (dlsym (RTLD_DEFAULT, name));
}

void
torch_runtime_set_threads (guint n)
{
  auto openblas_set_num_threads = find_function<void (int)> ("openblas_set_num_threads");

  at::set_num_threads (static_cast<int> (n));
  if (openblas_set_num_threads != nullptr)
    openblas_set_num_threads (torch_runtime_onednn () ? 1 : static_cast<int> (n));
}

gboolean
torch_runtime_warm_up (GError **error)
{
  try
    {
      at::Tensor square = at::ones ({ 256, 256 });

      at::mm (square, square);
      return TRUE;
  } catch (const std::exception &fault)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_MEMORY, "a first matrix product fails: %s",
                   fault.what ());
  } catch (...)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_FAILED, "a first matrix product fails");
  }
  return FALSE;
}

/* ---- devices ---- */

guint
torch_runtime_cuda_devices (void)
{
  try
    {
      return static_cast<guint> (at::getNumGPUs ());
  } catch (...)
    {
      return 0; /* a driver that does not fit is as good as none */
  }
}

static gboolean
cuda_device (const char *name, TensorDevice *device, GError **error)
{
  guint count = torch_runtime_cuda_devices ();
  guint64 number;

  if (!g_ascii_string_to_unsigned (name + strlen ("cuda:"), 10, 0, G_MAXINT8, &number, NULL))
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_USAGE,
                   "%s: not a device; cuda: is followed by a number, cuda:0 for example", name);
      return FALSE;
    }
  if (count == 0)
    {
      g_set_error (
          error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
          "%s: libtorch %s sees no CUDA device; use --device cpu, or install NVIDIA's driver "
          "and build against a libtorch with CUDA (--with-libtorch)",
          name, TORCH_VERSION);
      return FALSE;
    }
  if (number >= count)
    {
      g_set_error (error, CTCLIP_ERROR, CTCLIP_ERROR_NOT_FOUND,
                   "%s: the last CUDA device here is cuda:%u", name, count - 1);
      return FALSE;
    }
  *device = static_cast<TensorDevice> (number);
  return TRUE;
}

gboolean
torch_runtime_device (const char *name, TensorDevice *device, GError **error)
{
  if (strcmp (name, "cpu") == 0)
    *device = TENSOR_CPU;
  else if (!cuda_device (name, device, error))
    return FALSE;

  /* The golden numbers are float32's; TensorFloat-32 keeps 10 bits of the fraction. */
  at::globalContext ().setAllowTF32CuBLAS (false);
  at::globalContext ().setAllowTF32CuDNN (false);
#if TORCH_VERSION_MAJOR >= 2
  /* Sums of bfloat16's products are float32's, also where a product is split among blocks. */
  at::globalContext ().setAllowBF16ReductionCuBLAS (false);
#endif
  return TRUE;
}

/** From the driver's own library, since ATen's properties need CUDA's headers to compile. */
static char *
cuda_device_name (TensorDevice device)
{
  void *driver = dlopen ("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  char name[128] = "";
  int handle;

  if (driver == NULL)
    return g_strdup ("CUDA device");
  auto init = reinterpret_cast<int (*) (unsigned)> (dlsym (driver, "cuInit"));
  auto get = reinterpret_cast<int (*) (int *, int)> (dlsym (driver, "cuDeviceGet"));
  auto get_name = reinterpret_cast<int (*) (char *, int, int)> (dlsym (driver, "cuDeviceGetName"));
  if (init == NULL || get == NULL || get_name == NULL || init (0) != 0 || get (&handle, device) != 0
      || get_name (name, sizeof name, handle) != 0)
    g_strlcpy (name, "CUDA device", sizeof name);
  dlclose (driver);
  return g_strdup (name);
}

char *
torch_runtime_device_name (TensorDevice device)
{
  return device == TENSOR_CPU ? processor_name () : cuda_device_name (device);
}

/* ---- BLAS ---- */

static int
find_blas (struct dl_phdr_info *library, size_t size, void *found)
{
  static const char *const names[] = { "libopenblas", "libmkl_rt", "libblis", "libblas" };
  char **path = static_cast<char **> (found);
  const char *base = strrchr (library->dlpi_name, '/');

  for (const char *name : names)
    if (base != NULL && g_str_has_prefix (base + 1, name))
      {
        /* Debian's libblas.so.3 is a chain of links whose end says which library it is. */
        char *end = realpath (library->dlpi_name, NULL);

        *path = g_strdup (end != NULL ? end : library->dlpi_name);
        free (end);
        return 1;
      }
  return 0;
}

char *
torch_runtime_blas (gboolean *slow)
{
  auto openblas_get_config = find_function<char *(void)> ("openblas_get_config");
  g_autofree char *path = NULL;

  *slow = FALSE;
  if (at::hasMKL ())
    return g_strdup ("MKL");
  if (openblas_get_config != nullptr)
    {
      /* "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": name and version will do. */
      const char *config = openblas_get_config ();
      size_t name = strcspn (config, " ");

      return g_strndup (config, name + strcspn (config + name + (config[name] != 0), " ") + 1);
    }
  dl_iterate_phdr (find_blas, &path);
  *slow = path != NULL && strstr (path, "/blas/libblas") != NULL;
  if (*slow)
    return g_strdup_printf ("reference BLAS (%s)", path);
  return g_strdup (path != NULL ? path : "unknown");
}
