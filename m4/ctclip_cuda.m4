# CTCLIP_CUDA: find nvcc. --with-cuda=auto|yes|no|DIR
#
# Sets NVCC, NVCC_FLAGS (which GPUs to compile for), CUDA_CPPFLAGS, CUDA_LIBS, cuda_place and the automake
# conditional CUDA.
AC_DEFUN([CTCLIP_CUDA], [
  AC_ARG_WITH([cuda],
    [AS_HELP_STRING([--with-cuda=auto|yes|no|DIR], [compile the CUDA kernels; DIR is the toolkit (default: auto)])],
    [], [with_cuda=auto])
  NVCC=; cuda_place=no
  AS_CASE([$with_cuda],
    [no], [],
    [auto|yes],
      [AC_PATH_PROG([NVCC], [nvcc], [], [$PATH:/usr/local/cuda/bin])],
    [AC_PATH_PROG([NVCC], [nvcc], [], [$with_cuda/bin])
     AS_IF([test -z "$NVCC"], [AC_MSG_ERROR([no nvcc in $with_cuda/bin])])])
  AS_IF([test "$with_cuda" = yes && test -z "$NVCC"],
    [AC_MSG_ERROR([--with-cuda=yes, but nvcc is not there: install nvidia-cuda-toolkit or name the toolkit's folder])])
  AS_IF([test -n "$NVCC"],
    [# A wrapper script may hide where the toolkit lies; nvcc itself knows.
     cuda_top=`echo 'int main(){}' > conftest.cu; "$NVCC" --dryrun conftest.cu 2>&1 | sed -n 's/^#\\$ TOP=//p'; rm -f conftest.cu`
     cuda_libdir=
     for d in "$cuda_top/lib64" "$cuda_top/targets/x86_64-linux/lib" "/usr/lib/x86_64-linux-gnu"; do
       AS_IF([test -f "$d/libcudart_static.a"], [cuda_libdir="$d"; break])
     done
     AS_IF([test -n "$cuda_libdir"],
       [CUDA_LIBS="-L$cuda_libdir -lcudart_static -lpthread -ldl -lrt"
        CUDA_CPPFLAGS=
        AS_IF([test -f "$cuda_top/include/cuda_runtime.h"], [CUDA_CPPFLAGS="-isystem $cuda_top/include"])
        # Machine code for the GPUs that this nvcc knows of Volta to Hopper, and PTX for those to come.
        NVCC_FLAGS=; cuda_newest=
        cuda_known=`"$NVCC" --list-gpu-arch 2>/dev/null | tr '\n' ' '`
        for arch in 70 75 80 86 89 90; do
          AS_CASE([" $cuda_known"], [*" compute_$arch "*],
            [NVCC_FLAGS="$NVCC_FLAGS -gencode arch=compute_$arch,code=sm_$arch"; cuda_newest="$arch"])
        done
        AS_IF([test -n "$cuda_newest"],
          [NVCC_FLAGS="$NVCC_FLAGS -gencode arch=compute_$cuda_newest,code=compute_$cuda_newest"])
        cuda_place="$cuda_top"
        AC_DEFINE([HAVE_CUDA], [1], [CUDA kernels are compiled in])],
       [AS_IF([test "$with_cuda" != auto],
          [AC_MSG_ERROR([nvcc is there, libcudart_static.a is not: the toolkit in $cuda_top is incomplete])])
        NVCC=])])
  AM_CONDITIONAL([CUDA], [test -n "$NVCC"])
  AC_SUBST([NVCC])
  AC_SUBST([NVCC_FLAGS])
  AC_SUBST([CUDA_CPPFLAGS])
  AC_SUBST([CUDA_LIBS])
])
