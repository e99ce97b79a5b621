// SPDX-License-Identifier: GPL-3.0-or-later
#include "engine/data/photo.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jpeglib.h> // behind stdio.h, which it needs

enum { CHANNELS = 3 };

static const char again[] = "remove it, or save it again as PNG or JPEG";

bool photo_named(const char *name)
{
	static const char *const ends[] = {".png", ".jpg", ".jpeg"};
	size_t length = strlen(name);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (length > strlen(ends[i]) && strcasecmp(name + length - strlen(ends[i]), ends[i]) == 0)
			return true;
	return false;
}

void photo_free(struct photo *p)
{
	free(p->pixels);
	p->pixels = NULL;
}

static bool make_room(struct photo *p, const char *path, long h, long w, struct fault *f)
{
	if (h < 1 || w < 1 || h > MOST_DECODED || w > MOST_DECODED)
		return fault_set(f, path, again, "%ldx%ld pixels: a side may have up to %d", h, w, MOST_DECODED);
	p->h = (int)h;
	p->w = (int)w;
	p->pixels = malloc((size_t)h * (size_t)w * CHANNELS);
	return p->pixels || fault_memory(f, path);
}

// ---- PNG -------------------------------------------------------------------------------------------------------------------

// What the library calls where it goes wrong; both libraries leave by a jump.
struct trouble {
	jmp_buf back;
	char text[160];
};

static void png_trouble(png_structp png, png_const_charp text)
{
	struct trouble *t = png_get_error_ptr(png);
	snprintf(t->text, sizeof t->text, "%s", text);
	longjmp(t->back, 1);
}

static void png_remark(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void png_ask_for_rgb(png_structp png, png_infop info)
{
	png_set_user_limits(png, MOST_DECODED, MOST_DECODED);
	png_set_chunk_malloc_max(png, 64 << 20);
	png_read_info(png, info);
	png_set_expand(png);
	png_set_scale_16(png);
	png_set_gray_to_rgb(png);
	png_set_strip_alpha(png);
	png_set_interlace_handling(png);
	png_read_update_info(png, info);
}

// Rows may be visited several times, where the file is interlaced: all of it is read at once, by pointers to rows.
static bool read_png(FILE *file, struct photo *p, const char *path, struct fault *f)
{
	struct trouble t = {.text = ""};
	png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &t, png_trouble, png_remark);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	png_bytep *volatile row = NULL;
	volatile bool ok = info || fault_memory(f, path);
	if (ok && setjmp(t.back)) {
		ok = fault_set(f, path, again, "not a PNG file in order: %s", t.text);
	} else if (ok) {
		png_init_io(png, file);
		png_ask_for_rgb(png, info);
		ok = make_room(p, path, png_get_image_height(png, info), png_get_image_width(png, info), f);
		if (ok && png_get_rowbytes(png, info) != (size_t)p->w * CHANNELS)
			ok = fault_set(f, path, again, "its rows do not become red, green and blue");
		row = ok ? calloc((size_t)p->h, sizeof *row) : NULL;
		for (int y = 0; row && y < p->h; y++)
			row[y] = p->pixels + (size_t)y * (size_t)p->w * CHANNELS;
		if (row) {
			png_read_image(png, row);
			png_read_end(png, NULL);
		}
		ok = ok && (row || fault_memory(f, path));
	}
	free(row);
	png_destroy_read_struct(&png, &info, NULL);
	return ok;
}

// ---- JPEG ------------------------------------------------------------------------------------------------------------------

struct jpeg_trouble {
	struct jpeg_error_mgr manager; // first, as the library hands it back
	struct trouble trouble;
};

static void jpeg_trouble(j_common_ptr jpeg)
{
	struct jpeg_trouble *t = (struct jpeg_trouble *)(void *)jpeg->err;
	char text[JMSG_LENGTH_MAX];
	jpeg->err->format_message(jpeg, text);
	snprintf(t->trouble.text, sizeof t->trouble.text, "%.*s", (int)sizeof t->trouble.text - 1, text);
	longjmp(t->trouble.back, 1);
}

// A warning, of data that end too early, say, is an error here: the picture would be half gray.
static void jpeg_message(j_common_ptr jpeg, int level)
{
	if (level < 0)
		jpeg_trouble(jpeg);
}

static bool read_jpeg(FILE *file, struct photo *p, const char *path, struct fault *f)
{
	struct jpeg_decompress_struct jpeg = {0};
	struct jpeg_trouble t = {0};
	volatile bool ok = true;
	jpeg.err = jpeg_std_error(&t.manager);
	t.manager.error_exit = jpeg_trouble;
	t.manager.emit_message = jpeg_message;
	if (setjmp(t.trouble.back)) {
		ok = fault_set(f, path, again, "not a JPEG file in order: %s", t.trouble.text);
	} else {
		jpeg_create_decompress(&jpeg);
		jpeg_stdio_src(&jpeg, file);
		jpeg_read_header(&jpeg, TRUE);
		if (jpeg.num_components == 4)
			ok = fault_set(f, path, again, "its colours are those of print (CMYK)");
		jpeg.out_color_space = JCS_RGB;
		ok = ok && make_room(p, path, (long)jpeg.image_height, (long)jpeg.image_width, f);
		if (ok) {
			jpeg_start_decompress(&jpeg);
			while (jpeg.output_scanline < jpeg.output_height) {
				JSAMPROW row = p->pixels + (size_t)jpeg.output_scanline * (size_t)p->w * CHANNELS;
				jpeg_read_scanlines(&jpeg, &row, 1);
			}
			jpeg_finish_decompress(&jpeg);
		}
	}
	jpeg_destroy_decompress(&jpeg);
	return ok;
}

// ---- either ----------------------------------------------------------------------------------------------------------------

static bool read_opened(FILE *file, struct photo *p, const char *path, struct fault *f)
{
	uint8_t first[8] = {0};
	size_t got = fread(first, 1, sizeof first, file);
	rewind(file);
	if (got == sizeof first && png_sig_cmp(first, 0, sizeof first) == 0)
		return read_png(file, p, path, f);
	if (got >= 3 && first[0] == 0xff && first[1] == 0xd8 && first[2] == 0xff)
		return read_jpeg(file, p, path, f);
	return fault_set(f, path, again, "neither a PNG nor a JPEG file");
}

bool photo_read(const char *path, struct photo *p, struct fault *f)
{
	struct stat status;
	*p = (struct photo){0};
	// Without O_NONBLOCK a FIFO in the file's place would be waited for.
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return fault_set(f, path, "make it readable", "%s", strerror(errno));
	FILE *file = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? fdopen(fd, "rb") : NULL;
	if (!file) {
		close(fd);
		return fault_set(f, path, "remove it", "not a file");
	}
	bool ok = read_opened(file, p, path, f);
	fclose(file);
	if (!ok)
		photo_free(p);
	return ok;
}

// ---- another size ----------------------------------------------------------------------------------------------------------

// PIL's bilinear filter, a triangle as wide as the step between new pixels, in its own fixed point: so the bytes are the same.
enum { FIXED = 22 };

// What each new pixel takes of the old ones: part[to][wide] from first[to] on, count[to] of them.
struct taps {
	int wide, *first, *count;
	int32_t *part;
};

static void taps_free(struct taps *t)
{
	free(t->first);
	free(t->part);
}

static bool taps_of(int from, int to, struct taps *t)
{
	double scale = (double)from / to, support = fmax(scale, 1);
	t->wide = (int)ceil(support) * 2 + 1;
	t->first = calloc(2 * (size_t)to, sizeof *t->first);
	t->part = calloc((size_t)to * (size_t)t->wide, sizeof *t->part);
	double *weight = calloc((size_t)t->wide, sizeof *weight);
	bool ok = t->first && t->part && weight;
	t->count = t->first + to;
	for (int i = 0; ok && i < to; i++) {
		double centre = (i + 0.5) * scale, sum = 0;
		int low = (int)(centre - support + 0.5), high = (int)(centre + support + 0.5);
		low = low < 0 ? 0 : low;
		high = high > from ? from : high;
		for (int k = 0; k < high - low; k++) {
			double x = fabs((k + low - centre + 0.5) / support);
			weight[k] = x < 1 ? 1 - x : 0;
			sum += weight[k];
		}
		for (int k = 0; k < high - low; k++)
			t->part[(long)i * t->wide + k] = (int32_t)floor(0.5 + weight[k] / sum * (1 << FIXED));
		t->first[i] = low;
		t->count[i] = high - low;
	}
	free(weight);
	return ok;
}

// One line of `to` pixels from one of old ones; pixels are `step` bytes apart in both.
static void resample_line(const struct taps *t, int to, const uint8_t *old, uint8_t *new, size_t step)
{
	for (int i = 0; i < to; i++)
		for (int c = 0; c < CHANNELS; c++) {
			int32_t sum = 1 << (FIXED - 1);
			for (int k = 0; k < t->count[i]; k++)
				sum += t->part[(long)i * t->wide + k] * old[(size_t)(t->first[i] + k) * step + (size_t)c];
			sum >>= FIXED;
			new[(size_t)i * step + (size_t)c] = (uint8_t)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
		}
}

// Along rows first, rounded to bytes, then along columns.
static bool resample(struct photo *p, int h, int w)
{
	struct taps across = {0}, down = {0};
	uint8_t *wide = malloc((size_t)p->h * (size_t)w * CHANNELS), *new = malloc((size_t)h * (size_t)w * CHANNELS);
	bool ok = wide && new &&taps_of(p->w, w, &across) && taps_of(p->h, h, &down);
	for (int y = 0; ok && y < p->h; y++)
		resample_line(&across, w, p->pixels + (size_t)y * (size_t)p->w * CHANNELS,
			wide + (size_t)y * (size_t)w * CHANNELS, CHANNELS);
	for (int x = 0; ok && x < w; x++)
		resample_line(&down, h, wide + (size_t)x * CHANNELS, new + (size_t)x *CHANNELS, (size_t)w * CHANNELS);
	taps_free(&across);
	taps_free(&down);
	free(wide);
	if (!ok) {
		free(new);
		return false;
	}
	free(p->pixels);
	*p = (struct photo){h, w, new};
	return true;
}

// In place: a row moves towards the front.
static void cut_centre(struct photo *p, int side)
{
	int top = (int)nearbyint((p->h - side) / 2.0), left = (int)nearbyint((p->w - side) / 2.0);
	for (int y = 0; y < side; y++)
		memmove(p->pixels + (size_t)y * (size_t)side * CHANNELS,
			p->pixels + ((size_t)(top + y) * (size_t)p->w + (size_t)left) * CHANNELS, (size_t)side * CHANNELS);
	p->h = p->w = side;
}

bool photo_prepare(struct photo *p, long resize, long crop, const char *path, struct fault *f)
{
	if (resize && resize != (p->h < p->w ? p->h : p->w)) {
		long longer = p->h < p->w ? resize * p->w / p->h : resize * p->h / p->w;
		if (longer > MOST_DECODED)
			return fault_set(f, path, "remove it, or cut it", "it is %dx%d: too narrow", p->h, p->w);
		if (!resample(p, (int)(p->h <= p->w ? resize : longer), (int)(p->h <= p->w ? longer : resize)))
			return fault_memory(f, path);
	}
	if (crop && (p->h < crop || p->w < crop))
		return fault_set(f, path,
			"give a larger resize=, or a smaller crop=", "at %dx%d it is smaller than the crop of %ldx%ld", p->h,
			p->w, crop, crop);
	if (crop)
		cut_centre(p, (int)crop);
	return true;
}
