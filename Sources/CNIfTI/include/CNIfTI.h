// libnifti2, reached without its include folder on the search path.
#pragma once
#include <nifti/nifti2_io.h>
