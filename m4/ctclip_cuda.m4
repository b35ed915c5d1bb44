# CTCLIP_CUDA: find nvcc. --with-cuda=auto|yes|no|DIR
#
# Sets NVCC, CUDA_LIBS, cuda_place and the automake conditional CUDA.
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
        cuda_place="$cuda_top"
        AC_DEFINE([HAVE_CUDA], [1], [CUDA kernels are compiled in])],
       [AS_IF([test "$with_cuda" != auto],
          [AC_MSG_ERROR([nvcc is there, libcudart_static.a is not: the toolkit in $cuda_top is incomplete])])
        NVCC=])])
  AM_CONDITIONAL([CUDA], [test -n "$NVCC"])
  AC_SUBST([NVCC])
  AC_SUBST([CUDA_LIBS])
])
