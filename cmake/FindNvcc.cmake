# Finds the compiler of the GPU part and sets CMAKE_CUDA_COMPILER, or DNNFAST_NVCC_REASON: why there is none that will do.

set(DNNFAST_NVCC_REASON "")
if(NOT CMAKE_CUDA_COMPILER)
  if(DEFINED ENV{CUDACXX})
    set(CMAKE_CUDA_COMPILER $ENV{CUDACXX})
  else()
    set(hints /usr/local/cuda/bin)
    if(Python_SITELIB)
      list(APPEND hints ${Python_SITELIB}/nvidia/cu13/bin)
    endif()
    find_program(DNNFAST_NVCC nvcc HINTS ${hints})
    if(DNNFAST_NVCC)
      set(CMAKE_CUDA_COMPILER ${DNNFAST_NVCC})
    endif()
  endif()
endif()

if(NOT CMAKE_CUDA_COMPILER)
  set(DNNFAST_NVCC_REASON "nvcc was not found")
else()
  execute_process(
    COMMAND ${CMAKE_CUDA_COMPILER} --version
    OUTPUT_VARIABLE nvcc_version
    ERROR_QUIET
    RESULT_VARIABLE nvcc_failed)
  string(REGEX MATCH "release ([0-9]+)" nvcc_release "${nvcc_version}")
  if(nvcc_failed OR NOT nvcc_release)
    set(DNNFAST_NVCC_REASON "${CMAKE_CUDA_COMPILER} does not run")
  elseif(CMAKE_MATCH_1 LESS 13)
    set(DNNFAST_NVCC_REASON "${CMAKE_CUDA_COMPILER} is of CUDA ${CMAKE_MATCH_1}; 13 is needed")
  endif()
endif()
