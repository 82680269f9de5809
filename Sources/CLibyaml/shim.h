// The whole public interface of libyaml; it needs no shims.
#include <yaml.h>
