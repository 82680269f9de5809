// The public interface of zstd.
#include <zstd.h>
