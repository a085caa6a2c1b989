
/* a text that means a value of a column, with ASCII letters in any case or not */
struct spelling {
    const char *text;
    int any_case;
    int value;
};

static int small(unsigned char c) { return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c; }

static int is_same(const char *a, const char *b, int any_case) {
    if (!any_case) return strcmp(a, b) == 0;
    for (; *a || *b; a++, b++) if (small((unsigned char)*a) != small((unsigned char)*b)) return 0;
    return 1;
}

/* the place of the value, or -1 */
static int find(const struct spelling *all, int count, const char *text) {
    for (int i = 0; i < count; i++) if (is_same(all[i].text, text, all[i].any_case)) return all[i].value;
    return -1;
}
