// The public interface of zlib. deflateInit2 is a macro Swift can't call; its body stands here.
#include <zlib.h>

static inline int ingot_deflate_init2(z_stream *stream, int level, int windowBits) {
  return deflateInit2(stream, level, Z_DEFLATED, windowBits, 9, Z_DEFAULT_STRATEGY);
}

static inline int ingot_inflate_init2(z_stream *stream, int windowBits) {
  return inflateInit2(stream, windowBits);
}
