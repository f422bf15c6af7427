"""What must hold for every page: well-formed, named, and nothing in it that acts or leads out."""
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "rect"}
TAGS = {"html", "head", "meta", "title", "style", "body", "a", "header", "main", "footer", "section", "article",
        "h1", "h2", "h3", "h4", "p", "b", "i", "ul", "li", "dl", "dt", "dd", "div", "span", "table", "caption",
        "thead", "tbody", "tr", "th", "td", "figure", "figcaption", "pre", "code", "mark", "details", "summary",
        "svg", "desc", "g", "path", "rect", "text"}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.wrong, self.ids, self.refs, self.levels = [], [], [], [], []
        self.text, self.tables = "", []
        self.policy = None
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append("not closed: %s" % self.open)
        self.wrong += ["id twice: " + i for i in set(self.ids) if self.ids.count(i) > 1]
        self.wrong += ["points nowhere: " + r for r in self.refs if r not in self.ids]
        self.wrong += ["table without a caption" for t in self.tables if not t]
        before = 0
        for level in self.levels:
            if level > before + 1:
                self.wrong.append("heading h%d behind h%d" % (level, before))
            before = level
        if self.levels.count(1) != 1:
            self.wrong.append("not one h1")

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if tag not in TAGS:
            self.wrong.append("element " + tag)
        if len(names) != len(set(names)):
            self.wrong.append("attribute twice in " + tag)
        for name, value in attrs:
            self.attribute(tag, name, value)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("h1", "h2", "h3", "h4"):
            self.levels.append(int(tag[1]))
        if tag == "table":
            self.tables.append(False)
        if tag == "caption":
            self.tables[-1] = True
        if tag == "th" and "scope" not in names:
            self.wrong.append("th without scope")
        if tag == "svg" and (dict(attrs).get("role") != "img" or "aria-labelledby" not in names):
            self.wrong.append("svg without a name")

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.wrong.append("closed at once: " + tag)

    def attribute(self, tag, name, value):
        if name.startswith("on") or name in ("style", "src", "srcset", "action", "xlink:href"):
            self.wrong.append("attribute %s in %s" % (name, tag))
        if name == "id":
            self.ids.append(value)
        if name == "href":
            if not value.startswith("#"):
                self.wrong.append("leads out: " + value)
            self.refs.append(value[1:])
        if name == "aria-labelledby":
            self.refs += value.split()
        if name == "content" and "default-src" in value:
            self.policy = value

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append("</%s> inside %s" % (tag, self.open[-3:]))
            return
        self.open.pop()

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.text += data

    def handle_comment(self, data):
        self.wrong.append("comment")

    def handle_pi(self, data):
        self.wrong.append("processing instruction")

    def unknown_decl(self, data):
        self.wrong.append("declaration")


def contrast(a, b):
    """WCAG 2 of two colours as #rrggbb."""
    def light(colour):
        parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b_ = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * r + 0.7152 * g + 0.0722 * b_
    hi, lo = sorted((light(a), light(b)), reverse=True)
    return (hi + 0.05) / (lo + 0.05)
