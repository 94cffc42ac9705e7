// gzip streams: zlib for streaming, libdeflate for whole members in memory.
#pragma once
#include <libdeflate.h>
#include <zlib.h>
