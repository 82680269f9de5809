// The public interface of libarchive.
#include <archive.h>
#include <archive_entry.h>
