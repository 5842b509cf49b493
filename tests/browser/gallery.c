/*
 * gallery.c - writes every sample page and the static files into a folder.
 *
 *     gallery FOLDER
 *
 * gallery.py builds and runs it, serves the folder and takes the pictures.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway_static.h"
#include "samples.h"

static void write_file(const char *folder, const char *name, const void *bytes, size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "wb");
	if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
		fprintf(stderr, "gallery: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

static void write_page(const char *folder, const struct sample *sample, enum locale locale)
{
	struct html_out out = sample_out(locale);
	char name[128];

	sample->render(&out);
	snprintf(name, sizeof(name), "%s%s.html", sample->name, locale == LOCALE_EN ? "-en" : "");
	write_file(folder, name, html_written(&out).bytes, html_written(&out).size);
	html_out_free(&out);
}

int main(int argc, char **argv)
{
	char folder[400];
	size_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: gallery FOLDER\n");
		return 1;
	}
	for (i = 0; i < n_samples; i++) {
		write_page(argv[1], &samples[i], LOCALE_FR);
		write_page(argv[1], &samples[i], LOCALE_EN);
	}
	snprintf(folder, sizeof(folder), "%s/static", argv[1]);
	if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
		fprintf(stderr, "gallery: %s: %s\n", folder, strerror(errno));
		return 1;
	}
	for (i = 0; i < n_static_files; i++)
		write_file(argv[1], static_files[i].url + 1, static_files[i].bytes,
			   static_files[i].size);
	return 0;
}
