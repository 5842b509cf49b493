/*
 * static_files.h - style sheet, script and icons, compiled in and named by their content.
 */
#ifndef GATEWAY_STATIC_FILES_H
#define GATEWAY_STATIC_FILES_H

#include <stdbool.h>

struct http_request;

/* Answers when the path is a static file's. */
bool static_answer(struct http_request *);

#endif
