/* The elements of SVG that our pictures need, and their one style sheet. */
// SPDX-License-Identifier: MIT
#include "tools/draw/svg.h"

/* The second half is for readers with a dark scheme. Colours are chosen so that text on any of the
 * fills keeps a contrast of 4.5 to 1. */
static const char style[] =
	"text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace;"
	"fill:#1f2328;white-space:pre}\n"
	".paper{fill:#ffffff}\n"
	"text.title{font-weight:bold}\n"
	"text.id{font-weight:bold}\n"
	"text.dim{fill:#59636e}\n"
	"text.auto{fill:#8a5a00}\n"
	"text.onbus{fill:#ffffff;font-weight:bold}\n"
	"text.onbusdim{fill:#dbe6f3}\n"
	"text.host{fill:#59636e}\n"
	".device{fill:#f6f8fa;stroke:#818b98}\n"
	".controller{fill:#fff8e6;stroke:#9a6700}\n"
	".hostbox{fill:#ffffff;stroke:#818b98;stroke-dasharray:3 2}\n"
	".bus{fill:#33517a;stroke:none}\n"
	".rail{fill:none;stroke:#33517a;stroke-width:4}\n"
	".stub{fill:none;stroke:#33517a;stroke-width:2}\n"
	".wire{fill:none;stroke:#6e7781;stroke-width:1.5;stroke-dasharray:5 3}\n"
	".wiredot{fill:#6e7781}\n"
	".rule{fill:none;stroke:#d1d9e0}\n"
	".ram{fill:#dafbe1;stroke:#1a7f37}\n"
	".window{fill:#eef4fb;stroke:#54789f;stroke-dasharray:4 2}\n"
	".fixed{fill:#ffebe9;stroke:#a40e26}\n"
	".claim{fill:#f6f8fa;stroke:#818b98}\n"
	".placed{fill:#fff1cf;stroke:#9a6700}\n"
	".hole{fill:none;stroke:#d1d9e0;stroke-dasharray:2 3}\n"
	".route{fill:none;stroke-width:2}\n"
	".hue0{stroke:#cf222e}.dot0,text.ink0{fill:#cf222e}\n"
	".hue1{stroke:#0969da}.dot1,text.ink1{fill:#0969da}\n"
	".hue2{stroke:#1a7f37}.dot2,text.ink2{fill:#1a7f37}\n"
	".hue3{stroke:#8250df}.dot3,text.ink3{fill:#8250df}\n"
	".hue4{stroke:#bc4c00}.dot4,text.ink4{fill:#bc4c00}\n"
	".hue5{stroke:#0b7285}.dot5,text.ink5{fill:#0b7285}\n"
	".hue6{stroke:#bf3989}.dot6,text.ink6{fill:#bf3989}\n"
	".hue7{stroke:#57606a}.dot7,text.ink7{fill:#57606a}\n"
	"@media (prefers-color-scheme:dark){\n"
	"text{fill:#e6edf3}.paper{fill:#0d1117}text.dim,text.host{fill:#9198a1}\n"
	"text.auto{fill:#e3b341}.device,.claim{fill:#161b22;stroke:#6e7681}\n"
	".controller{fill:#272115;stroke:#d29922}.hostbox{fill:#0d1117;stroke:#6e7681}\n"
	".bus{fill:#3d5f8c}.rail,.stub{stroke:#6b93c7}.wire{stroke:#9198a1}\n"
	".wiredot{fill:#9198a1}.rule,.hole{stroke:#30363d}.ram{fill:#12261e;stroke:#3fb950}\n"
	".window{fill:#111d2e;stroke:#6b93c7}.fixed{fill:#2d1214;stroke:#f85149}\n"
	".placed{fill:#272115;stroke:#d29922}\n"
	".hue0{stroke:#ff7b72}.dot0,text.ink0{fill:#ff7b72}\n"
	".hue1{stroke:#58a6ff}.dot1,text.ink1{fill:#58a6ff}\n"
	".hue2{stroke:#3fb950}.dot2,text.ink2{fill:#3fb950}\n"
	".hue3{stroke:#bc8cff}.dot3,text.ink3{fill:#bc8cff}\n"
	".hue4{stroke:#ffa657}.dot4,text.ink4{fill:#ffa657}\n"
	".hue5{stroke:#39c5cf}.dot5,text.ink5{fill:#39c5cf}\n"
	".hue6{stroke:#f778ba}.dot6,text.ink6{fill:#f778ba}\n"
	".hue7{stroke:#9198a1}.dot7,text.ink7{fill:#9198a1}\n"
	"}\n";

unsigned mw_svg_width(unsigned columns)
{
	return (columns * 75 + 9) / 10; /* 0.625 of the font's size; they have 0.55 to 0.602 */
}

unsigned mw_svg_text_width(const char *text)
{
	return mw_svg_width(mw_draw_columns(text));
}

void mw_svg_begin(FILE *out, unsigned width, unsigned height, const char *title,
		  const char *summary)
{
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		"viewBox=\"0 0 %u %u\" role=\"img\">\n<title>",
		width, height, width, height);
	mw_draw_put(out, MW_ESCAPE_XML, title);
	fputs("</title>\n<desc>", out);
	mw_draw_put(out, MW_ESCAPE_XML, summary);
	fprintf(out, "</desc>\n<style>\n%s</style>\n", style);
	mw_svg_box(out, "paper", 0, 0, (long)width, (long)height);
}

void mw_svg_end(FILE *out)
{
	fputs("</svg>\n", out);
}

void mw_svg_text(FILE *out, const char *class, long x, long y, const char *text)
{
	fprintf(out, "<text class=\"%s\" x=\"%ld\" y=\"%ld\">", class, x, y);
	mw_draw_put(out, MW_ESCAPE_XML, text);
	fputs("</text>\n", out);
}

void mw_svg_box(FILE *out, const char *class, long x, long y, long width, long height)
{
	fprintf(out, "<rect class=\"%s\" x=\"%ld\" y=\"%ld\" width=\"%ld\" height=\"%ld\"/>\n",
		class, x, y, width, height);
}

void mw_svg_line(FILE *out, const char *class, long x1, long y1, long x2, long y2)
{
	if (x1 == x2 || y1 == y2)
		fprintf(out, "<path class=\"%s\" d=\"M%ld %ldL%ld %ld\"/>\n", class, x1, y1, x2,
			y2);
	else
		fprintf(out, "<path class=\"%s\" d=\"M%ld %ldV%ldH%ld\"/>\n", class, x1, y1, y2,
			x2);
}

void mw_svg_dot(FILE *out, const char *class, long x, long y)
{
	fprintf(out, "<circle class=\"%s\" cx=\"%ld\" cy=\"%ld\" r=\"3\"/>\n", class, x, y);
}

void mw_svg_open(FILE *out, const char *class, const char *name, const char *tip)
{
	fprintf(out, "<g class=\"%s\"", class);
	if (name) {
		fputs(" data-name=\"", out);
		mw_draw_put(out, MW_ESCAPE_XML, name);
		fputc('"', out);
	}
	fputc('>', out);
	if (tip) {
		fputs("<title>", out);
		/* Line by line: a tip may have several. */
		for (const char *end; *tip; tip = *end ? end + 1 : end) {
			char line[512];

			for (end = tip; *end && *end != '\n';)
				end++;
			snprintf(line, sizeof(line), "%.*s", (int)(end - tip), tip);
			mw_draw_put(out, MW_ESCAPE_XML, line);
			if (*end)
				fputc('\n', out);
		}
		fputs("</title>", out);
	}
	fputc('\n', out);
}

void mw_svg_close(FILE *out)
{
	fputs("</g>\n", out);
}
