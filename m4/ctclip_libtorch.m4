# CTCLIP_LIBTORCH: find libtorch and say how to compile and link against it.
#
# --with-libtorch=DIR takes the official archive or a pip-installed `torch` folder; without it the
# compiler's own search path and Debian's layout are tried.
#
# Sets TORCH_CPPFLAGS, TORCH_CXXFLAGS (language standard, string ABI), TORCH_LIBS, torch_place,
# torch_cuda (yes where the library holds CUDA code) and have_torch.
AC_DEFUN([CTCLIP_LIBTORCH], [
  AC_LANG_PUSH([C++])
  AC_ARG_WITH([libtorch],
    [AS_HELP_STRING([--with-libtorch=DIR],
      [libtorch to build against: the unpacked archive or a pip-installed torch folder (default: Debian's libtorch-dev)])],
    [], [with_libtorch=auto])

  torch_found=no
  AS_CASE([$with_libtorch],
    [no], [AC_MSG_ERROR([libtorch is needed for the encoder; drop --without-libtorch])],
    [auto|yes],
      [torch_place=system
       TORCH_CPPFLAGS="-isystem /usr/include/torch/csrc/api/include"
       torch_ldflags=""
       torch_libdir=`dirname "$(${CXX} -print-file-name=libtorch_cpu.so)"`],
    [AS_IF([test -f "$with_libtorch/include/ATen/ATen.h"], [torch_dir="$with_libtorch"],
           [test -f "$with_libtorch/libtorch/include/ATen/ATen.h"], [torch_dir="$with_libtorch/libtorch"],
           [test -f "$with_libtorch/torch/include/ATen/ATen.h"], [torch_dir="$with_libtorch/torch"],
           [AC_MSG_ERROR([no libtorch in $with_libtorch: include/ATen/ATen.h is not there; name the folder that holds include/ and lib/])])
     torch_dir=`cd "$torch_dir" && pwd`
     torch_place="$torch_dir"
     torch_libdir="$torch_dir/lib"
     TORCH_CPPFLAGS="-isystem $torch_dir/include -isystem $torch_dir/include/torch/csrc/api/include"
     torch_ldflags="-L$torch_libdir -Wl,-rpath,$torch_libdir"])

  torch_save_CPPFLAGS="$CPPFLAGS"; torch_save_CXXFLAGS="$CXXFLAGS"
  torch_save_LIBS="$LIBS"; torch_save_LDFLAGS="$LDFLAGS"
  LDFLAGS="$LDFLAGS $torch_ldflags"
  LIBS="$LIBS -ltorch_cpu -lc10"

  # The headers of 1.13 and early 2.x want C++14/17, the newest C++20; the archive and the wheels up to 2.5
  # use libstdc++'s old string ABI. at::show_config returns a std::string, so linking it tells the ABI.
  AC_MSG_CHECKING([for libtorch ($torch_place)])
  for torch_std in gnu++17 gnu++20; do
    # Preprocessing alone takes no CXXFLAGS.
    CPPFLAGS="$torch_save_CPPFLAGS $TORCH_CPPFLAGS -std=$torch_std"
    AC_PREPROC_IFELSE([AC_LANG_SOURCE([[#include <ATen/ATen.h>]])], [], [continue])
    for torch_abi in 1 0; do
      TORCH_CXXFLAGS="-std=$torch_std -D_GLIBCXX_USE_CXX11_ABI=$torch_abi"
      CXXFLAGS="$torch_save_CXXFLAGS $TORCH_CXXFLAGS"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <ATen/Version.h>]], [[return at::show_config ().empty ();]])],
                     [torch_found=yes; break 2])
    done
  done
  CPPFLAGS="$torch_save_CPPFLAGS"; CXXFLAGS="$torch_save_CXXFLAGS"
  LIBS="$torch_save_LIBS"; LDFLAGS="$torch_save_LDFLAGS"
  AS_IF([test "$torch_found" = yes],
    [AC_MSG_RESULT([yes, -std=$torch_std, string ABI $torch_abi])],
    [AC_MSG_RESULT([no])
     ctclip_missing="$ctclip_missing libtorch-dev"])

  torch_cuda=no
  TORCH_LIBS="$torch_ldflags -ltorch -ltorch_cpu -lc10"
  AS_IF([test "$torch_found" = yes && test -f "$torch_libdir/libtorch_cuda.so"],
    [torch_cuda=yes
     # Nothing calls into libtorch_cuda by name, yet it must be loaded: it registers the CUDA operators. One
     # argument, since libtool moves the linker's flags away from the libraries.
     TORCH_LIBS="$TORCH_LIBS -Wl,--push-state,--no-as-needed,-ltorch_cuda,--pop-state"])
  AC_SUBST([TORCH_CPPFLAGS])
  AC_SUBST([TORCH_CXXFLAGS])
  AC_SUBST([TORCH_LIBS])
  AC_LANG_POP([C++])
])
