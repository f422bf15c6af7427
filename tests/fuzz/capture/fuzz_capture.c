/*
 * fuzz_capture - any octets as a capture file.
 *
 * Whatever is in it, the import ends, and holds nothing afterwards (AddressSanitizer); what it
 * counts fits together. Records are formatted, and dropped by a writer to /dev/null.
 */
#include "fuzz/always.h"

#include "capture/capture.h"
#include "transcript/writer.h"

#include <fcntl.h>
#include <string.h>

static struct writer *writer;
static struct stream *records;

static void start(void)
{
    char error[256];
    const struct writer_config config = {
        .fd = open("/dev/null", O_WRONLY | O_CLOEXEC),
        .vantage = "fuzz",
        .content = CONTENT_LEVEL_HEADERS,
        .flush_ms = UINT32_MAX,
        .on_full = ON_FULL_DROP,
    };

    writer = writer_start(&config, error, sizeof error);
    ALWAYS(writer != NULL);
    records = stream_new(writer, NULL, NULL);
    ALWAYS(records != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct capture_config config = { .file = "fuzz", .findings = true };
    struct capture_result result;
    char error[512];

    if (size == 0)
        return 0;
    if (records == NULL)
        start();
    config.records = records;
    config.open = fmemopen((void *)(uintptr_t)data, size, "rb");
    ALWAYS(config.open != NULL);
    bool whole = capture_import(&config, &result, error, sizeof error);
    ALWAYS(whole == (error[0] == '\0'));
    ALWAYS(!whole || !result.truncated);
    ALWAYS(result.skipped <= result.packets && result.sessions <= result.packets);
    ALWAYS((result.gaps == 0) == (result.missing == 0));
    return 0;
}
