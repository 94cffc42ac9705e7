// nifti2_io.h asks for <znzlib.h>, which Debian keeps in a folder that is not searched.
#include <nifti/znzlib.h>
