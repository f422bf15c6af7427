# embed.cmake - IN, a file, becomes OUT, C source with its octets.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," hex "${hex}")
file(WRITE ${OUT} "#include \"analysis/report/page.h\"\n
const unsigned char page_style[] = {
${hex}
};
const size_t page_style_len = sizeof page_style;
")
