/*
 * run_dir.h - the folder where daemons of one machine find each other.
 *
 * It holds sockets named <name>.<pid>.rpc (and .rpc.bus), and for each process
 * <name>.<pid>.admin, whose one line is the address of its admin port.
 */
#ifndef LIB_RUN_DIR_H
#define LIB_RUN_DIR_H

/* Makes it and its parents where missing, for us alone. 0 or a negative errno. */
int run_dir_make(const char *path);

/* Removes what processes of that name left that are gone and answer no more (kill -9). */
void run_dir_sweep(const char *path, const char *name);

/* 0 or a negative errno. */
int run_dir_write_admin(const char *path, const char *name, const char *address);
void run_dir_remove_admin(const char *path, const char *name);

#endif
