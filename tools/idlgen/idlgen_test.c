/* SPDX-License-Identifier: MIT */
#include "idl.h"
#include "testutil/testutil.h"
#include "typedesc/typedesc.h"

/* Files that imports find: pairs of path and text. */
static const char *const files[] = {
	"pkg/other/other.idl", "struct Thing {\n\tName string\n}\nenum Kind {\n\ta\n}\n",
	"pkg/loop/loop.idl", "import \"loop/loop.idl\"\n",
	"pkg/bad/bad.idl", "struct X {\n\tA nothing\n}\n",
};

static int
read_import(void *arg unused_, struct arena *a unused_, struct str path, struct str *r_text, struct errmsg *e)
{
	for (size_t i = 0; i < ARRAY_LEN(files); i += 2) {
		if (str_is(path, str_of(files[i]))) {
			*r_text = str_of(files[i + 1]);
			return 0;
		}
	}
	return err_set(e, ERR_NOTFOUND, STRF ": not found", STRA(path));
}

static int
parse(const char *text, struct idl_file **r_file, struct errmsg *e)
{
	return idl_parse(test_arena(), S("pkg/shop/shop.idl"), test_exact(str_of(text)), read_import, NULL, r_file, e);
}

static struct str
emit(const char *text, void (*fn)(struct arena *a, struct buf *b, const struct idl_file *f))
{
	struct buf b = BUF_ARENA(test_arena(), 1024 * 1024);
	struct errmsg e = { 0 };
	struct idl_file *f;

	if (parse(text, &f, &e) < 0)
		fail_msg("%s", e.text);
	fn(test_arena(), &b, f);
	return buf_str(&b);
}

static void
expect(struct str in, const char *what)
{
	if (str_search(in, str_of(what)) < 0)
		fail_msg("%s\nis not in\n" STRF, what, STRA(in));
}

TEST(names)
{
	static const char *const rows[][2] = {
		{ "SMTPMaxMessageSize", "smtp_max_message_size" }, { "IPs", "ips" }, { "NATIPs", "natips" }, { "DNSBLs", "dnsbls" }, { "messageIDs", "message_ids" },
		{ "ID", "id" }, { "DKIM", "dkim" }, { "FromIDLoginAddresses", "from_id_login_addresses" }, { "AccountHTTPS", "account_https" }, { "x", "x" },
		{ "TLS1_0", "tls1_0" }, { "already_lower", "already_lower" }, { "BaseURL", "base_url" }, { "I32", "i32" }, { "sha256Sum", "sha256_sum" },
		{ "HostTLSRPT", "host_tlsrpt" }, { "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_strz(idl_lower(test_arena(), str_of(rows[i][0])), rows[i][1]);
}

TEST(errors)
{
	static const char *const rows[][2] = {
		{ "struct A {\n\tX string\n", "3: expected a field" },
		{ "struct A {\n\tX strnig\n}\n", "2: unknown type \"strnig\"" },
		{ "struct A {\n\tX\n}\n", "2: expected a type" },
		{ "struct A {\n\tX string big\n}\n", "2: unknown attribute" },
		{ "struct A {\n\tX string optional, default=x\n}\n", "2: expected an attribute or the end of the line" },
		{ "struct A {\n\tX string min\n}\n", "2: unknown attribute" },
		{ "struct A {\n\tX i64 default=a\n}\n", "2: default of \"X\" does not fit its type" },
		{ "struct A {\n\tX ?duration default=5\n}\n", "2: default of \"X\" does not fit its type" },
		{ "struct A {\n\tX bool min=1\n}\n", "2: min or max of \"X\" does not fit its type" },
		{ "struct A {\n\tX duration min=1\n}\n", "2: min or max of \"X\" does not fit its type" },
		{ "struct A {\n\tX i64 secret\n}\n", "2: \"X\": only a string can be secret" },
		{ "struct A {\n\tX opaque\n}\n", "2: \"X\": opaque is for internal fields" },
		{ "struct A {\n\tX []opaque internal\n}\n", "2: opaque stands alone" },
		{ "struct A {\n\tX string\n\tX bool\n}\n", "3: \"x\" is there twice in C" },
		{ "struct A {\n\tX string\n\tY bool json=\"X\"\n}\n", "3: \"X\" is there twice" },
		{ "struct A {\n\tX string\n}\nstruct B {\n\tembed A\n\tX bool\n}\n", "6: \"X\" is there twice" },
		{ "struct A {\n\tDefault string\n}\n", "2: \"default\" is a word of C: give another with c=" },
		{ "struct A {\n\tDefault string c=dflt\n\tfoo-bar i64\n}\n", "3: \"foo-bar\" is no name" },
		{ "struct A {\n\tX ??string\n}\n", "2: \"?\" twice" },
		{ "struct A {\n\tX ?[]string\n\tY [][][][][][][][][][][][]string\n}\n", "3: type nested too deeply" },
		{ "struct A {\n\tX map[i64]string\n}\n", "2: expected \"string\" as the type of keys" },
		{ "struct A {\n\tX []\n}\n", "2: expected a type" },
		{ "struct A {\n\tB B\n}\nstruct B {\n\tA A\n}\n", "1: \"A\" contains itself" },
		{ "struct A {\n\tembed A\n}\n", "1: \"A\" contains itself" },
		{ "struct A {\n\tembed string\n}\n", "2: only a struct can be embedded" },
		{ "struct A {\n}\nenum A {\n\tx\n}\n", "3: \"A\" is declared twice" },
		{ "enum A {\n}\n", "1: enum without values" },
		{ "enum A {\n\tx\n\ty = \"x\"\n}\n", "1: value \"y\" is there twice" },
		{ "row A {\n}\n", "1: row without columns" },
		{ "row A {\n\tid int\n}\n", "1: unknown kind of column \"int\"" },
		{ "row A {\n\tid i64\n}\nstruct B {\n\tA A\n}\n", "5: unknown type \"A\"" },
		{ "func A(\n", "2: expected a parameter" },
		{ "func A(x string) errors\n", "1: expected \"(\"" },
		{ "func A(x string)\nfunc A()\n", "2: \"A\" is declared twice" },
		{ "func A(x Nothing)\n", "1: unknown type \"Nothing\"" },
		{ "type A\n", "1: expected import, struct, enum, row or func" },
		{ "struct A { X string }\n", "1: expected the end of the line" },
		{ "struct A {\n\tX string default=\"a\n}\n", "2: text without closing quote" },
		{ "struct A {\n\tX string default=\"\\n\"\n}\n", "2: unknown escape in text" },
		{ "struct A {\n\tX string ;\n}\n", "2: unexpected character" },
		{ "/// a */ b\nstruct A {\n}\n", "1: documentation cannot hold the end of a C comment" },
		{ "import other\n", "1: expected a quoted path" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };
		struct idl_file *f;

		test_row("%s", rows[i][0]);
		assert_err(parse(rows[i][0], &f, &e), ERR_INVALID);
		assert_str(str_of(e.text), str_fmt(test_arena(), "pkg/shop/shop.idl:%s", rows[i][1]));
	}
}

TEST(import_errors)
{
	static const char *const rows[][2] = {
		{ "import \"none/none.idl\"\n", "pkg/none/none.idl: not found" },
		{ "import \"loop/loop.idl\"\n", "pkg/loop/loop.idl:1: imports nested too deeply" },
		{ "import \"bad/bad.idl\"\n", "pkg/bad/bad.idl:2: unknown type \"nothing\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct errmsg e = { 0 };
		struct idl_file *f;

		assert_err(parse(rows[i][0], &f, &e), ERR_INVALID);
		assert_strz(str_of(e.text), rows[i][1]);
	}
}

static const char shop[] =
    "// remark\n\n"
    "/// The shop.\n/// With \"quotes\".\n\n"
    "import \"other/other.idl\"\n\n"
    "/// An order.\n"
    "struct Order {\n"
    "\tItems []Item\n"
    "\t/// Who.\n"
    "\tBuyer ?Person optional\n"
    "\tTotals map[string]f64\n"
    "\tTags ?[]string\n"
    "\tGrid [][]i64\n"
    "\tThing other.Thing\n"
    "\tKinds []other.Kind\n"
    "\tState State\n"
    "\tWait duration default=\"1h\" max=24h\n"
    "\tSecret string secret internal c=pin\n"
    "}\n"
    "struct Item { // before what it is part of\n"
    "\tName string\n"
    "\tParts []Item\n"
    "}\n"
    "struct Person {\n\tName string json=\"full name\"\n}\n"
    "enum State {\n\topen\n\t/// Done.\n\tClosed = \"closed!\"\n}\n"
    "/// A table.\nrow Entry {\n\tid i64\n\tparent ?i64\n\ttext text\n}\n"
    "/// Buys.\n"
    "func Buy(order Order, new bool) (number i64, state State) errors(user:soldOut)\n"
    "func Ping()\n";

TEST(header)
{
	struct str h = emit(shop, idl_emit_h);

	expect(h, "#ifndef SHOP_SHOP_IDL_H\n");
	expect(h, "#include \"other/other_idl.h\"\n");
	expect(h, "/*\n * The shop.\n * With \"quotes\".\n */\n");
	expect(h, "enum shop_state {\n\tSHOP_STATE_UNSET = 0,\n\tSHOP_STATE_OPEN = 1,\n\t/* Done. */\n\tSHOP_STATE_CLOSED = 2,\n};\n");
	expect(h, "/* An order. */\nstruct shop_order {\n\tstruct shop_item_list items;\n\t/* Who. */\n\tstruct shop_person *buyer;\n");
	expect(h, "\tstruct shop_f64_map totals;\n\tstruct typedesc_str_list tags;\n\tstruct shop_i64_list_list grid;\n\tstruct other_thing thing;\n");
	expect(h, "\tstruct other_kind_list kinds;\n\tenum shop_state state;\n\tint64_t wait;\n\tstruct str pin;\n};\n");
	expect(h, "struct shop_f64_entry { struct str k; double v; };\n");
	expect(h, "struct shop_entry {\n\tint64_t id;\n\tint64_t parent;\n\tbool has_parent;\n\tstruct str text;\n};\n");
	expect(h, "#define SHOP_ENTRY_COLUMNS \"id, parent, text\"\n");
	expect(h, "struct shop_buy_in {\n\tstruct shop_order order;\n\tbool new;\n};\nstruct shop_buy_out {\n\tint64_t number;\n\tenum shop_state state;\n};\n");
	expect(h, "/* Buys. */\nint shop_buy(struct apictx *c, const struct shop_buy_in *in, struct shop_buy_out *out) must_use_;\n");
	expect(h, "struct shop_ping_in {\n\tchar none;\n};\n");
	expect(h, "extern const struct typedesc_api shop_shop_api;\n");
}

TEST(source)
{
	struct str c = emit(shop, idl_emit_c);

	expect(c, ".name = \"Wait\", .type = &typedesc_duration, .offset = offsetof(struct shop_order, wait), .flags = TYPEDESC_HAS_MAX, .max = INT64_C(86400000000), .def = \"1h\"");
	expect(c, ".name = \"Secret\", .type = &typedesc_string, .offset = offsetof(struct shop_order, pin), .flags = TYPEDESC_INTERNAL | TYPEDESC_SECRET,");
	expect(c, "static const struct typedesc null_list_of_string = {\n\t.kind = TYPEDESC_LIST, .nullable = true, .name = \"?[]string\"");
	expect(c, "\t{ \"parent\", TYPEDESC_I64, offsetof(struct shop_entry, parent), offsetof(struct shop_entry, has_parent) },\n");
	expect(c, "static const char *const shop_buy_errors[] = { \"user:soldOut\", NULL };\n");
	expect(c, "\treturn shop_buy(c, in, out);\n");
	expect(c, ".doc = \"The shop.\\nWith \\\"quotes\\\".\"");
}

TEST(api_json)
{
	struct str j = emit(shop, idl_emit_json), value;

	assert_ok(typedesc_json_decode(test_arena(), &typedesc_json, j, 1024 * 1024, 0, &value, NULL));
	expect(j, "{ \"Name\": \"Buy\", \"Docs\": \"Buys.\", \"Params\": [\n\t\t\t{ \"Name\": \"order\", \"Typewords\": [\"Order\"] },");
	expect(j, "{ \"Name\": \"Buyer\", \"Docs\": \"Who.\", \"Typewords\": [\"nullable\", \"Person\"] }");
	expect(j, "{ \"Name\": \"Tags\", \"Docs\": \"\", \"Typewords\": [\"nullable\", \"[]\", \"string\"] }");
	expect(j, "{ \"Name\": \"Thing\", \"Docs\": \"\", \"Fields\": [");         /* imported, and used */
	expect(j, "{ \"Name\": \"Closed\", \"Value\": \"closed!\", \"Docs\": \"Done.\" }");
	assert_true(str_search(j, S("Secret")) < 0);
	assert_true(str_search(j, S("Entry")) < 0);
}

TEST(typescript)
{
	struct str t = emit(shop, idl_emit_ts);

	expect(t, "export interface Order {\n\tItems: Array<Item>\n\t// Who.\n\tBuyer?: Person | null\n\tTotals: { [key: string]: number }\n\tTags: Array<string> | null\n");
	expect(t, "export interface Person {\n\t\"full name\": string\n}\n");
	expect(t, "export type State = \"open\" | \"closed!\" | \"\"\n");
	expect(t, "\t// Buys.\n\tasync Buy(order: Order, new_: boolean): Promise<[number, State]> {\n"
	    "\t\treturn await call(this.baseURL, this.options, \"Buy\", [order, new_], [[\"number\"], [\"State\"]])\n\t}\n");
	expect(t, "\tasync Ping(): Promise<void> {\n\t\treturn await call(this.baseURL, this.options, \"Ping\", [], [])\n\t}\n");
	expect(t, "// The shop.\n// With \"quotes\".\nexport class Client {");
}

/* Each prefix is read, or refused with a message. */
TEST(truncated)
{
	for (size_t n = 0; n < sizeof(shop) - 1; n++) {
		struct errmsg e = { 0 };
		struct idl_file *f;

		if (idl_parse(test_arena(), S("pkg/shop/shop.idl"), test_exact(str_n(shop, n)), read_import, NULL, &f, &e) < 0)
			assert_true(str_starts(str_of(e.text), S("pkg/")));
	}
}
