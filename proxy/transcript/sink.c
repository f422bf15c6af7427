#include "transcript/sink.h"

#include "transcript/file.h"

struct sink *sink_of(const struct writer_config *c)
{
    return file_new(c);
}
