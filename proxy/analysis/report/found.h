/*
 * found - a finding that is kept: what struct finding says, with texts of its own.
 */
#ifndef ANALYSIS_REPORT_FOUND_H
#define ANALYSIS_REPORT_FOUND_H

#include "analysis/report/step.h"
#include "transcript/finding.h"

enum {
    FOUND_ID_MAX = 8,
    FOUND_NAME_MAX = 40,
    FOUND_FIELD_MAX = 16,
    FOUND_NEXT_MAX = 240,
    FOUND_PRODUCT_MAX = 48,
};

struct found {
    char id[FOUND_ID_MAX], name[FOUND_NAME_MAX];
    enum severity severity;
    enum confidence confidence;
    enum blame side;
    uint64_t record; /* 0: none */
    char field[FOUND_FIELD_MAX];
    uint64_t at;
    unsigned char bytes[FINDING_BYTES_MAX];
    size_t len; /* of bytes */
    char text[FINDING_TEXT_MAX];
    char next_test[FOUND_NEXT_MAX];
    char products[FINDING_PRODUCTS_MAX][FOUND_PRODUCT_MAX]; /* "": no more */
};

void found_copy(struct found *out, const struct finding *f);
/* Which of a step's wires its field is; WIRE_COUNT: none of them. */
enum wire found_wire(const struct found *f);

#endif
