// libspng: PNG encoding and decoding.
#pragma once
#include <spng.h>
