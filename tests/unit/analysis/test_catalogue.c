#include "unit/check.h"

#include "analysis/catalogue.h"

#define GOOD "../conf/middleboxes.conf"

static struct catalogue *load_text(const char *text, size_t len, char error[512])
{
    char path[64];
    FILE *f = tmpfile();

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    fflush(f);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fileno(f));
    error[0] = '\0';
    struct catalogue *c = catalogue_load(path, error, 512);
    fclose(f);
    return c;
}

/* ---- the file that is shipped ----------------------------------------------------------- */

static void test_shipped(void **state)
{
    char error[512];
    struct catalogue *c = catalogue_load(GOOD, error, sizeof error);

    (void)state;
    if (c == NULL)
        fail_msg("%s", error);
    const struct catalogue_entry *e = catalogue_find(c, "asa-ehlo-kw-x");
    assert_non_null(e);
    assert_int_equal(e->severity, SEVERITY_CRITICAL);
    assert_int_equal(e->confidence, CONFIDENCE_HIGH);
    assert_string_equal(e->direction, "s2c");
    assert_string_equal(e->findings[0], "SV-02");
    assert_non_null(strstr(e->fix, "allow-tls"));
    assert_true(catalogue_looks_at(c, e, PLACE_EHLO));
    assert_false(catalogue_looks_at(c, e, PLACE_BANNER));
    assert_null(catalogue_find(c, "no-such-box"));
    assert_true(catalogue_stamp(c) != 0);
    catalogue_free(&c);
    assert_null(c);
    catalogue_free(&c);
}

struct match_case {
    enum catalogue_place place;
    const char *text, *ids;
};

static const struct match_case matches[] = {
    { PLACE_BANNER, "**20***************************2*0", "pix-banner-mask" },
    { PLACE_BANNER, "*****", "pix-banner-mask pix4-banner-all-star" },
    { PLACE_BANNER, "mx.example.com ESMTP Postfix", "" },
    { PLACE_BANNER, "mx.example.com AVAST! smtp proxy ready.", "avast-mailshield-proxy" },
    { PLACE_EHLO, "XXXXXXXA", "asa-ehlo-kw-x asa-starttls-roundtrip isp-starttls-mask" },
    { PLACE_EHLO, "XXXB", "asa-ehlo-kw-x" },
    { PLACE_EHLO, "CHU*KING", "smtpgated-star-mask" },
    { PLACE_EHLO, "STARTTLS", "" },
    { PLACE_REPLY, "541 5.4.1 Content blocked by Palo Alto Networks Firewall", "paloalto-541" },
    { PLACE_REPLY, "500 5.5.1 Command unrecognized: \"XXXXXXXX\"",
      "pix-verb-x asa-line-x asa-starttls-roundtrip" },
    { PLACE_REPLY, "250 2.1.0 Ok", "" },
    { PLACE_COMMAND, "XXXX client.example.net", "pix-verb-x asa-charmode-x" },
    { PLACE_COMMAND, "NOOP      ", "pix-cmd-noop" },
    { PLACE_HEADER, "X-NAT-Received: 10.0.0.2", "smtp-gated" },
    { PLACE_ISSUER, "CN=Avast Web/Mail Shield Root", "avast-tls-mitm" },
    { PLACE_ISSUER, "C=US, O=Let's Encrypt, CN=R3", "" },
};

static void test_matches(void **state)
{
    char error[512];
    struct catalogue *c = catalogue_load(GOOD, error, sizeof error);

    (void)state;
    assert_non_null(c);
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        const struct match_case *m = &matches[i];
        const struct catalogue_entry *e = NULL;
        char ids[200] = "";
        while ((e = catalogue_match(c, m->place, guarded_str(m->text), e)) != NULL)
            snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%s%s",
                     ids[0] != '\0' ? " " : "", e->id);
        if (strcmp(ids, m->ids) != 0)
            fail_msg("%s: %s, want %s", m->text, ids, m->ids);
    }
    catalogue_free(&c);
}

static void test_products_of_a_finding(void **state)
{
    char error[512];
    struct catalogue *c = catalogue_load(GOOD, error, sizeof error);
    const struct catalogue_entry *e;

    (void)state;
    assert_non_null(c);
    e = catalogue_for(c, "SV-03", NULL);
    assert_string_equal(e->id, "smtpgated-star-mask");
    assert_null(catalogue_for(c, "SV-03", e));
    assert_null(catalogue_for(c, "SV-99", NULL));
    catalogue_free(&c);
}

/* ---- files of users ---- */

#define WORDS                                                                                  \
    "product = \"P\"; does = \"d\"; direction = \"c2s\"; severity = \"low\"; "                 \
    "confidence = \"low\";"
#define SIXTY_FOUR  "0123456789012345678901234567890123456789012345678901234567890123"
#define ENTRY(more) "entries = (\n{ id = \"a\"; " WORDS "\n" more "\n});"

static const struct {
    const char *text, *error; /* NULL: it is good */
} files[] = {
    { "entries = ( );", NULL },
    { ENTRY(""), NULL },
    { ENTRY("patterns = { banner = \"x\"; ehlo = [ \"y\", \"z\" ]; };"), NULL },
    { ENTRY("patterns = { }; findings = [ ];"), NULL },
    { ENTRY("findings = \"SV-01\";"), NULL },
    { ENTRY("findings = ( \"SV-01\", \"TV-24\" );"), NULL },
    { ENTRY("fix = \"\"; source = \"\";"), NULL },
    { "", "no entries" },
    { "entries = 7;", ":1: entries is no list" },
    { "entries = { };", ":1: entries is no list" },
    { "\nbox = ( );", ":2: \"box\" is no key of a catalogue" },
    { "entries = ( 7 );", "an entry is no group" },
    { "entries = (", "syntax error" },
    { "entries = ( { id = \"a\";\nid = \"b\"; } );", ":2: duplicate setting name" },
    { ENTRY("colour = \"red\";"), ":3: \"colour\" is no key of an entry; there are id" },
    { ENTRY("patterns = \"x\";"), ":3: patterns is no group" },
    { ENTRY("patterns = { body = \"x\"; };"), ":3: \"body\" is no place" },
    { ENTRY("patterns = { banner = 7; };"), ":3: banner is no list of texts" },
    { ENTRY("patterns = { banner = [ 7 ]; };"), ":3: banner is no list of texts" },
    { ENTRY("patterns = { banner = ( ( \"x\" ) ); };"), ":3: banner is no list of texts" },
    { ENTRY("patterns = { reply = \"(\"; };"), ":3: pattern \"(\" is no extended" },
    { ENTRY("patterns = { reply = \"\"; };"), "is empty" },
    { ENTRY("patterns = { reply = \"(a)\\\\1\"; };"), "back reference" },
    { ENTRY("findings = [ \"SV-1\" ];"), ":3: finding \"SV-1\" is no id" },
    { ENTRY("findings = [ 1 ];"), ":3: findings is no list of texts" },
    { ENTRY("fix = 7;"), ":3: fix is no text" },
    { ENTRY("fix = \"a\\x1b\";"), "control character" },
    { "entries = ( { id = \"a\"; } );", "the entry has no product" },
    { "entries = ( { id = \"A b\"; " WORDS "} );", "id \"A b\" is no id" },
    { "entries = ( { id = \"\"; " WORDS "} );", "id is empty" },
    { "entries = ( { id = \"" SIXTY_FOUR "\"; " WORDS "} );", NULL },
    { "entries = ( { id = \"a" SIXTY_FOUR "\"; " WORDS "} );", "is no id" },
    { "entries = ( { id = \"a\"; " WORDS "},\n{ id = \"a\"; " WORDS "} );",
      ":2: id \"a\" is there twice" },
    { "entries = ( { id = \"a\"; product = \"P\"; does = \"d\"; direction = \"up\"; "
      "severity = \"low\"; confidence = \"low\"; } );",
      "direction \"up\" is not known; write c2s, s2c, both or conn" },
    { "entries = ( { id = \"a\"; product = \"P\"; does = \"d\"; direction = \"c2s\"; "
      "severity = \"bad\"; confidence = \"low\"; } );",
      "severity \"bad\" is not known; write info, low, medium, high or critical" },
    { "entries = ( { id = \"a\"; product = \"P\"; does = \"d\"; direction = \"c2s\"; "
      "severity = \"low\"; confidence = \"sure\"; } );",
      "confidence \"sure\" is not known" },
};

static void test_files(void **state)
{
    char error[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct catalogue *c = load_text(files[i].text, strlen(files[i].text), error);
        if ((c != NULL) != (files[i].error == NULL))
            fail_msg("%s: %s", files[i].text, c != NULL ? "taken" : error);
        if (c == NULL && strstr(error, files[i].error) == NULL)
            fail_msg("%s: \"%s\", want \"%s\"", files[i].text, error, files[i].error);
        if (c == NULL)
            assert_int_equal(strncmp(error, "/proc/self/fd/", 14), 0);
        catalogue_free(&c);
    }
}

static void test_no_file(void **state)
{
    char error[512];

    (void)state;
    assert_null(catalogue_load("/no/such/file", error, sizeof error));
    assert_string_equal(error, "/no/such/file: No such file or directory");
    assert_null(catalogue_load("/", error, sizeof error));
    assert_non_null(strstr(error, "directory"));
    assert_null(load_text("entries = ();\0", 14, error));
    assert_non_null(strstr(error, "NUL"));
}

static void add(char **text, size_t *len, const char *more)
{
    size_t n = strlen(more);

    *text = realloc(*text, *len + n + 1);
    assert_non_null(*text);
    memcpy(*text + *len, more, n + 1);
    *len += n;
}

/* ---- limits ------------------------------------------------------------------------------ */

static void check_entries(unsigned count, bool good)
{
    char *text = NULL, one[300], error[512];
    size_t len = 0;

    add(&text, &len, "entries = (");
    for (unsigned i = 0; i < count; i++) {
        snprintf(one, sizeof one, "%s{ id = \"a%u\"; " WORDS " }", i > 0 ? "," : "", i);
        add(&text, &len, one);
    }
    add(&text, &len, ");");
    struct catalogue *c = load_text(text, len, error);
    assert_int_equal(c != NULL, good);
    if (!good)
        assert_non_null(strstr(error, "more than 1000 entries"));
    catalogue_free(&c);
    free(text);
}

static void check_list(const char *begin, const char *item, unsigned count, const char *want)
{
    char *text = NULL, error[512];
    size_t len = 0;

    add(&text, &len, begin);
    for (unsigned i = 0; i < count; i++) {
        add(&text, &len, i > 0 ? "," : "");
        add(&text, &len, item);
    }
    add(&text, &len, strstr(begin, "patterns") != NULL ? "]; }; });" : "]; });");
    struct catalogue *c = load_text(text, len, error);
    if (want == NULL && c == NULL)
        fail_msg("%s", error);
    if (want != NULL)
        assert_non_null(strstr(error, want));
    catalogue_free(&c);
    free(text);
}

static void test_limits(void **state)
{
    (void)state;
    check_entries(1000, true);
    check_entries(1001, false);
    const char *patterns = "entries = ( { id = \"a\"; " WORDS " patterns = { reply = [";
    check_list(patterns, "\"x\"", 16, NULL);
    check_list(patterns, "\"x\"", 17, "more than 16 patterns");
    const char *findings = "entries = ( { id = \"a\"; " WORDS " findings = [";
    check_list(findings, "\"SV-01\"", 16, NULL);
    check_list(findings, "\"SV-01\"", 17, "more than 16 findings");
}

static void test_too_long(void **state)
{
    size_t len = (4 << 20) + 1;
    char *text = malloc(len), error[512];

    (void)state;
    assert_non_null(text);
    memset(text, ' ', len);
    assert_null(load_text(text, len, error));
    assert_non_null(strstr(error, "4 MiB"));
    free(text);
}

/* A file beside it, as the head of the shipped one says. */
static void test_include(void **state)
{
    char folder[] = "/tmp/smtpscope-unit-XXXXXX", main_file[64], mine[64], error[512];

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(main_file, sizeof main_file, "%s/main.conf", folder);
    snprintf(mine, sizeof mine, "%s/mine.conf", folder);
    for (int bad = 0; bad < 2; bad++) {
        FILE *f = fopen(main_file, "w");
        fprintf(f, "entries = (\n@include \"mine.conf\"\n{ id = \"b\"; " WORDS " });\n");
        fclose(f);
        f = fopen(mine, "w");
        fprintf(f, "\n{ id = \"mine\"; " WORDS " %s },\n", bad ? "x = 1;" : "");
        fclose(f);
        struct catalogue *c = catalogue_load(main_file, error, sizeof error);
        if (bad)
            assert_non_null(strstr(error, "mine.conf:2: \"x\" is no key"));
        else
            assert_non_null(catalogue_find(c, "mine"));
        catalogue_free(&c);
    }
    unlink(main_file);
    unlink(mine);
    assert_int_equal(rmdir(folder), 0);
}

/* ---- where it lies ---- */

static void test_default_file(void **state)
{
    char path[4096], small[8];

    (void)state;
    assert_true(catalogue_default_file(path, sizeof path));
    assert_non_null(strstr(path, "/smtpscope/middleboxes.conf")); /* tests/ is no program */
    assert_false(catalogue_default_file(small, sizeof small));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_matches),
        cmocka_unit_test(test_products_of_a_finding),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_no_file),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_include),
        cmocka_unit_test(test_default_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
