/*
 * record-reference - the reference of all records, from records.def. Runs in the build only.
 *
 *   record-reference schema   the JSON Schema of a line
 *   record-reference man      smtpscope-transcript(5)
 */
#include "base/attributes.h"
#include "transcript/record_table.h"

#include <stdio.h>
#include <string.h>

static const char *const schemas[] = {
#define TYPE(id, form, schema, text) [TYPE_##id] = schema,
    RECORD_TYPES(TYPE)
#undef TYPE
};

static const char *const type_texts[] = {
#define TYPE(id, form, schema, text) [TYPE_##id] = text,
    RECORD_TYPES(TYPE)
#undef TYPE
};

/* The text with `quoted` before each character of `special`. */
static void put_quoted(const char *text, const char *special, const char *quoted)
{
    for (; *text != '\0'; text++)
        printf("%s%c", strchr(special, *text) != NULL ? quoted : "", *text);
}

/* Calls put for each field of the object, those of its parts in place. */
static void each_field(unsigned object,
                       void (*put)(const struct record_row *, const char *kind),
                       const char *kind)
{
    for (unsigned i = object + 1; i < ROW_COUNT && record_rows[i].role != ROW_IS_OBJECT; i++) {
        if (record_rows[i].role == ROW_IS_PART)
            each_field(record_rows[i].object, put, kind);
        else
            put(&record_rows[i], kind);
    }
}

static void each_object(void (*put)(unsigned object, const struct record_row *row))
{
    for (unsigned i = 0; i < ROW_COUNT; i++)
        if (record_rows[i].role == ROW_IS_OBJECT)
            put(i, &record_rows[i]);
}

/* ---- schema ---- */

static const char *comma;

static void schema_words(const char *words)
{
    const char *separator = "\"enum\":[\"";

    for (size_t len; *words != '\0'; words += len + (words[len] == ' ')) {
        len = strcspn(words, " ");
        printf("%s%.*s", separator, (int)len, words);
        separator = "\",\"";
    }
    fputs("\"]", stdout);
}

static void schema_type(const struct record_row *f)
{
    const char *object = record_rows[f->object].key;

    if (f->type == TYPE_WORD)
        schema_words(f->words);
    else if (f->type == TYPE_OBJECT)
        printf("\"$ref\":\"#/$defs/%s\"", object);
    else if (f->type == TYPE_OBJECTS)
        printf("\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/%s\"}", object);
    else
        fputs(schemas[f->type], stdout);
}

static void schema_field(const struct record_row *f, const char *kind)
{
    printf("%s\n    \"%s\":{", comma, f->key);
    if (f == &record_rows[ROW_head_kind])
        printf("\"const\":\"%s\"", kind);
    else
        schema_type(f);
    fputs(",\"description\":\"", stdout);
    put_quoted(f->text, "\"\\", "\\");
    fputs("\"}", stdout);
    comma = ",";
}

static void schema_required(const struct record_row *f, const char *kind)
{
    (void)kind;
    if (!f->required)
        return;
    printf("%s\"%s\"", comma, f->key);
    comma = ",";
}

static bool is_part(unsigned object)
{
    for (unsigned i = 0; i < ROW_COUNT; i++)
        if (record_rows[i].role == ROW_IS_PART && record_rows[i].object == object)
            return true;
    return false;
}

static void schema_object(unsigned object, const struct record_row *row)
{
    static bool any;

    if (is_part(object))
        return;
    printf("%s\n  \"%s\":{\"type\":\"object\",\"description\":\"", any ? "," : "", row->key);
    any = true;
    put_quoted(row->text, "\"\\", "\\");
    fputs("\",\"properties\":{", stdout);
    comma = "";
    each_field(object, schema_field, row->key);
    fputs("},\n   \"required\":[", stdout);
    comma = "";
    each_field(object, schema_required, row->key);
    /* An object without required fields is left out when it is empty. */
    printf("],%s\"additionalProperties\":false}", *comma != '\0' ? "" : "\"minProperties\":1,");
}

static void print_schema(void)
{
    fputs("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
          " \"title\":\"smtpscope transcript record\",\n"
          " \"description\":\"One line of a transcript. Bytes of the wire are stored as Latin-1"
          " code points: byte b is U+00bb.\",\n \"oneOf\":[",
          stdout);
    for (unsigned k = 0; k < RECORD_KIND_COUNT; k++)
        printf("%s{\"$ref\":\"#/$defs/%s\"}", k > 0 ? "," : "",
               record_rows[record_kind_row(k)].key);
    fputs("],\n \"$defs\":{", stdout);
    each_object(schema_object);
    fputs("\n }}\n", stdout);
}

/* ---- man ---- */

static void man_text(const char *text)
{
    for (const char *begin = text; *text != '\0'; text++) {
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '`')
            fputs("\\(dq", stdout);
        else if (text > begin && *text == ' ' && strchr(".?", text[-1]) != NULL)
            putchar('\n'); /* a sentence begins a line */
        else
            putchar(*text);
    }
}

static void man_type(const struct record_row *f)
{
    if (f->type == TYPE_WORD)
        for (const char *w = f->words; *w != '\0'; w++)
            fputs(*w == ' ' ? " | " : (char[]){ *w, '\0' }, stdout);
    else if (f->type == TYPE_OBJECT || f->type == TYPE_OBJECTS)
        printf("%s%s", f->type == TYPE_OBJECTS ? "list of " : "", record_rows[f->object].key);
    else
        fputs(type_texts[f->type], stdout);
}

static void man_field(const struct record_row *f, const char *kind)
{
    (void)kind;
    printf(".It Cm %s No (", f->key);
    man_type(f);
    printf("%s)\n", f->required ? "" : "; optional");
    man_text(f->text);
    fputs(".\n", stdout);
}

static void man_object(unsigned object, const struct record_row *row)
{
    printf(".Ss %s\n", row->key);
    man_text(row->text);
    putchar('\n');
    fputs(".Bl -tag -width Ds\n", stdout);
    for (unsigned i = object + 1; i < ROW_COUNT && record_rows[i].role != ROW_IS_OBJECT; i++) {
        const struct record_row *f = &record_rows[i];
        if (f->role == ROW_IS_FIELD)
            man_field(f, row->key);
        else
            printf(".It Em the fields of %s\n", record_rows[f->object].key);
    }
    fputs(".El\n", stdout);
}

static void man_record(unsigned object, const struct record_row *row)
{
    if (row->kind != RECORD_KIND_COUNT)
        man_object(object, row);
}

static void man_inner(unsigned object, const struct record_row *row)
{
    if (row->kind == RECORD_KIND_COUNT)
        man_object(object, row);
}

static void print_man(void)
{
    fputs(".Dd December 1, 2026\n.Dt SMTPSCOPE-TRANSCRIPT 5\n.Os\n.Sh NAME\n"
          ".Nm smtpscope-transcript\n.Nd records of SMTP sessions\n.Sh DESCRIPTION\n"
          "A transcript, written by\n.Xr smtpscope 1 ,\n"
          "holds one record in each line, a JSON object.\n"
          "The records of a session have the same\n.Cm sid\nand are numbered by\n.Cm n ;\n"
          "those of different sessions are interleaved.\n.Pp\n"
          "Bytes of the wire are stored as Latin-1 code points: the byte 0xE9 is U+00E9.\n"
          "What is secret is masked with\n.Ql *** .\n"
          "Times are in UTC; durations end in\n.Cm us\nand are in microseconds.\n"
          ".Pp\nReaders should ignore fields they do not know: later versions may add some.\n"
          ".Sh RECORDS\n",
          stdout);
    each_object(man_record);
    fputs(".Sh OBJECTS IN RECORDS\n", stdout);
    each_object(man_inner);
    fputs(".Sh SEE ALSO\n.Xr smtpscope 1 ,\n.Xr smtpscope.conf 5\n", stdout);
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "schema") == 0)
        print_schema();
    else if (argc == 2 && strcmp(argv[1], "man") == 0)
        print_man();
    else
        return 2;
    return fflush(stdout) == 0 ? 0 : 1;
}
