/* offboard [FILE]
 *
 * Deactivates every user in FILE (or on standard input), an id or e-mail address a line, and prints a line each as it
 * ends. Ctrl-C stops within moments. What was not done is printed at the end as LEFT lines, so that
 *   offboard leavers.txt | sed -n 's/^LEFT //p' > again.txt
 * keeps what to run again. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 stopped by Ctrl-C.
 *
 *   cc -Iinclude examples/c/offboard.c -Ltarget/release -lzus -Wl,-rpath,"$PWD/target/release" -pthread -o offboard */
#if !defined(_WIN32) && !defined(_POSIX_C_SOURCE)
#  define _POSIX_C_SOURCE 200809L /* sigwait */
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "zus.h"

typedef struct {
  char **ids;
  size_t count;
} list;

typedef struct {
  char *left; /* per id: 1 until it is known to be done or rejected */
  size_t done, failed;
} report;

/* The lines of a file without leading and trailing whitespace: the library sends a user ID as it is. 0, or -1 with a line on stderr. */
static int read_ids(FILE *file, list *ids) {
  char line[1024];
  size_t room = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    char *start = line, *end = line + strlen(line), *copy;
    if (end == line + sizeof line - 1 && end[-1] != '\n') {
      fprintf(stderr, "line %lu is too long for an id\n", (unsigned long)ids->count + 1);
      return -1;
    }
    if (ids->count == 0 && strncmp(start, "\xEF\xBB\xBF", 3) == 0) start += 3; /* the mark that Windows puts first */
    while (*start == ' ' || *start == '\t') start++;
    while (end > start && strchr(" \t\r\n", end[-1]) != NULL) end--;
    if (end == start) continue;
    *end = '\0';
    if (ids->count == room) {
      char **more = (char **)realloc(ids->ids, (room = room * 2 + 64) * sizeof *more);
      if (more == NULL) return -1;
      ids->ids = more;
    }
    copy = (char *)malloc((size_t)(end - start) + 1);
    if (copy == NULL) return -1;
    ids->ids[ids->count++] = strcpy(copy, start);
  }
  if (ferror(file)) perror("reading");
  return ferror(file) ? -1 : 0;
}

/* Called on the main thread, as each user ends. */
static int32_t on_result(void *userdata, size_t index, const zus_result *result) {
  report *so_far = (report *)userdata;
  zus_code code = zus_result_code(result);
  if (code == ZUS_OK) {
    so_far->done++;
    so_far->left[index] = 0;
    printf("DONE %s\n", zus_result_user_id(result));
  } else if (code != ZUS_ERR_CANCELLED) { /* a cancelled one may or may not have reached Zoom: it stays to be done */
    so_far->failed++;
    so_far->left[index] = 0;
    printf("FAIL %s %s %d/%d %s [%s]\n", zus_result_user_id(result), zus_code_name(code), (int)zus_result_http_status(result),
           (int)zus_result_zoom_code(result), zus_result_message(result), zus_result_tracking_id(result));
  }
  return fflush(stdout) == 0 ? 0 : 1; /* nobody reads any more: stop */
}

static zus_code run(const list *ids, report *so_far, zus_cancel *cancel) {
  zus_client *client = NULL;
  zus_code code;
  zus_config *config = zus_config_new();
  code = zus_config_set_from_env(config);
  if (code == ZUS_OK) code = zus_client_new(config, &client);
  if (code != ZUS_OK) fprintf(stderr, "%s\n", zus_config_message(config));
  zus_config_free(config);
  if (code == ZUS_OK)
    code = zus_update_status_many(client, (const char *const *)ids->ids, ids->count, ZUS_DEACTIVATE, cancel, on_result, so_far);
  zus_client_free(client);
  return code;
}

/* What the exit status says. */
static int exit_status(zus_code code) {
  if (code == ZUS_OK) return 0;
  if (code == ZUS_ERR_PARTIAL) return 1;
  if (code == ZUS_ERR_CANCELLED) return 130;
  return code < 20 ? 2 : 3;
}

/* What was not done: never sent, or cancelled on its way. */
static size_t print_left(const list *ids, const report *so_far) {
  size_t i, left = 0;
  for (i = 0; i < ids->count; i++)
    if (so_far->left[i]) {
      printf("LEFT %s\n", ids->ids[i]);
      left++;
    }
  return left;
}

static int offboard(const list *ids) {
  report so_far = {NULL, 0, 0};
  zus_cancel *cancel = zus_cancel_new();
  zus_code code;
  so_far.left = (char *)malloc(ids->count);
  if (so_far.left == NULL || interrupt_begin(cancel) != 0) {
    fprintf(stderr, "no memory, or no thread for Ctrl-C\n");
    free(so_far.left);
    return 2;
  }
  memset(so_far.left, 1, ids->count);
  code = run(ids, &so_far, cancel);
  interrupt_end(); /* from here on nobody raises it */
  zus_cancel_free(cancel);
  fprintf(stderr, "%lu done, %lu failed, %lu left: %s\n", (unsigned long)so_far.done, (unsigned long)so_far.failed,
          (unsigned long)print_left(ids, &so_far), zus_code_text(code));
  free(so_far.left);
  return exit_status(code);
}

int main(int argc, char **argv) {
  list ids = {NULL, 0};
  size_t i;
  int status;
  FILE *file = argc > 1 ? fopen(argv[1], "r") : stdin;
  if (argc > 2 || file == NULL) {
    fprintf(stderr, "usage: %s [FILE]\n", argv[0]);
    return 2;
  }
  status = read_ids(file, &ids) == 0 ? 0 : 2;
  if (file != stdin) fclose(file);
  if (status == 0 && ids.count != 0) status = offboard(&ids);
  for (i = 0; i < ids.count; i++) free(ids.ids[i]);
  free(ids.ids);
  return status;
}
