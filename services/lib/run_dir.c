/*
 * run_dir.c - makes the run folder, and clears it of sockets nobody listens on.
 *
 * A process that was killed leaves its sockets behind, and every caller would go
 * on trying them. A file goes only when its pid is gone from here AND a connection
 * is refused: the pid alone misleads where containers share the folder, and the
 * refusal alone would hit a replica between bind and listen.
 */
#include "lib/run_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define ADMIN_SUFFIX ".admin"

int run_dir_make(const char *path)
{
	char part[PATH_MAX];
	size_t length = strlen(path);

	if (length >= sizeof part)
		return -ENAMETOOLONG;
	memcpy(part, path, length + 1);
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return -errno;
		part[i] = path[i];
	}
	return access(path, W_OK | X_OK) < 0 ? -errno : 0;
}

/* The pid in "topics.4711.rpc"; 0 when the file is not one of that name's. */
static pid_t pid_in(const char *file, const char *name)
{
	const size_t length = strlen(name);
	char *end;
	long pid;

	if (strncmp(file, name, length) != 0 || file[length] != '.')
		return 0;
	pid = strtol(file + length + 1, &end, 10);
	return *end == '.' && pid > 0 && pid <= INT_MAX ? (pid_t)pid : 0;
}

static bool process_is_gone(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static bool connection_is_refused(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd;
	bool refused;

	if (strlen(path) >= sizeof address.sun_path)
		return false;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (struct sockaddr *)&address, sizeof address) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

static bool is_admin_file(const char *file)
{
	const size_t length = strlen(file), suffix = strlen(ADMIN_SUFFIX);

	return length > suffix && strcmp(file + length - suffix, ADMIN_SUFFIX) == 0;
}

void run_dir_sweep(const char *path, const char *name)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char file[PATH_MAX];
	pid_t pid;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		pid = pid_in(entry->d_name, name);
		if (pid == 0 || !process_is_gone(pid) ||
		    snprintf(file, sizeof file, "%s/%s", path, entry->d_name) >= (int)sizeof file)
			continue;
		if (is_admin_file(entry->d_name) || connection_is_refused(file))
			unlink(file);
	}
	closedir(folder);
}

static void admin_file(char file[PATH_MAX], const char *path, const char *name)
{
	snprintf(file, PATH_MAX, "%s/%s.%d" ADMIN_SUFFIX, path, name, (int)getpid());
}

/* Under another name first, so that nobody reads half of it. */
int run_dir_write_admin(const char *path, const char *name, const char *address)
{
	char file[PATH_MAX], unfinished[PATH_MAX + 8];
	int fd, result = 0;

	admin_file(file, path, name);
	snprintf(unfinished, sizeof unfinished, "%s.new", file);
	fd = open(unfinished, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", address) < 0)
		result = -errno;
	if (close(fd) < 0 || rename(unfinished, file) < 0)
		result = -errno;
	return result;
}

void run_dir_remove_admin(const char *path, const char *name)
{
	char file[PATH_MAX];

	admin_file(file, path, name);
	unlink(file);
}
