#include "networks.h"
#include <string.h>

void segpipe_to_half(const float *in, uint16_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    float x = in[i];
    uint32_t bits;
    memcpy(&bits, &x, 4);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7fffffff;
    if (bits > 0x477fe000) bits = 0x477fe000;  // 65504
    if (bits < 0x38800000) {                   // below 2^-14: a multiple of 2^-24
      memcpy(&x, &bits, 4);
      x += 0.5f;  // the sum's last bit is worth 2^-24
      memcpy(&bits, &x, 4);
      out[i] = sign | (uint16_t)(bits - 0x3f000000);
    } else {
      bits += 0xfff + (bits >> 13 & 1);
      out[i] = sign | (uint16_t)((bits - 0x38000000) >> 13);
    }
  }
}

void segpipe_from_half(const uint16_t *in, float *out, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t bits = (uint32_t)(in[i] & 0x7fff) << 13, sign = (uint32_t)(in[i] & 0x8000) << 16;
    float magnitude;
    memcpy(&magnitude, &bits, 4);
    magnitude *= 0x1p112f;
    uint32_t result;
    memcpy(&result, &magnitude, 4);
    result |= sign;
    memcpy(out + i, &result, 4);
  }
}
