/* offboard [FILE]
 *
 * Deactivates every user in FILE (or on standard input), one user ID or e-mail address per line, and prints a line for each
 * user when that user's update has ended: DONE or FAIL. Ctrl-C cancels the batch. At the end, a REMAINS line names each user
 * who was not sent, or whose outcome is unknown, so that
 *   offboard leavers.txt | sed -n 's/^REMAINS //p' > again.txt
 * keeps the users for the next run. Exit status: 0 all done, 1 some failed, 2 usage error, 3 ended early, 130 Ctrl-C.
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
} id_list;

typedef struct {
  char *remaining; /* for each user: 1 until the update is done or has failed */
  size_t done, failed;
} report;

static int out_of_memory(void) {
  fprintf(stderr, "out of memory\n");
  return -1;
}

/* Appends a copy of LENGTH bytes. Returns 0, or -1 with a line on stderr. */
static int append_id(id_list *list, size_t *capacity, const char *start, size_t length) {
  char *copy;
  if (list->count == *capacity) {
    size_t larger = *capacity * 2 + 64;
    char **ids = (char **)realloc(list->ids, larger * sizeof *ids);
    if (ids == NULL) return out_of_memory();
    list->ids = ids;
    *capacity = larger;
  }
  copy = (char *)malloc(length + 1);
  if (copy == NULL) return out_of_memory();
  memcpy(copy, start, length);
  copy[length] = '\0';
  list->ids[list->count++] = copy;
  return 0;
}

/* Reads the lines without leading and trailing whitespace, since the library sends a user ID as it is. Returns 0, or -1 with a
 * line on stderr. */
static int read_ids(FILE *file, id_list *list) {
  char line[1024];
  size_t capacity = 0;
  unsigned long number = 0;
  while (fgets(line, sizeof line, file) != NULL) {
    char *start = line, *end = line + strlen(line);
    number++;
    if (end == line + sizeof line - 1 && end[-1] != '\n') {
      fprintf(stderr, "line %lu is too long for a user ID\n", number);
      return -1;
    }
    if (number == 1 && strncmp(start, "\xEF\xBB\xBF", 3) == 0) start += 3; /* the byte order mark of a Windows file */
    while (*start == ' ' || *start == '\t') start++;
    while (end > start && strchr(" \t\r\n", end[-1]) != NULL) end--;
    if (end > start && append_id(list, &capacity, start, (size_t)(end - start)) != 0) return -1;
  }
  if (!ferror(file)) return 0;
  perror("cannot read the users");
  return -1;
}

/* Runs on the main thread, once for each user whose update has ended. */
static int32_t on_result(void *userdata, size_t index, const zus_result *result) {
  report *so_far = (report *)userdata;
  zus_code code = zus_result_code(result);
  if (code == ZUS_OK) {
    so_far->done++;
    so_far->remaining[index] = 0;
    printf("DONE %s\n", zus_result_user_id(result));
  } else if (code != ZUS_ERR_CANCELLED) { /* a cancelled update may have been applied: the user remains */
    so_far->failed++;
    so_far->remaining[index] = 0;
    printf("FAIL %s %s %d/%d %s [%s]\n", zus_result_user_id(result), zus_code_name(code), (int)zus_result_http_status(result),
           (int)zus_result_zoom_code(result), zus_result_message(result), zus_result_tracking_id(result));
  }
  return fflush(stdout) == 0 ? 0 : 1; /* the output can't be written: stop */
}

static zus_code update_all(const id_list *list, report *so_far, const zus_cancel *cancel) {
  zus_client *client = NULL;
  zus_config *config = zus_config_new();
  zus_code code = zus_config_set_from_env(config);
  if (code == ZUS_OK) code = zus_client_new(config, &client);
  if (code != ZUS_OK) fprintf(stderr, "%s\n", zus_config_message(config));
  zus_config_free(config);
  if (code == ZUS_OK)
    code = zus_update_status_many(client, (const char *const *)list->ids, list->count, ZUS_DEACTIVATE, cancel, on_result, so_far);
  zus_client_free(client);
  return code;
}

static int exit_status(zus_code code) {
  if (code == ZUS_OK) return 0;
  if (code == ZUS_ERR_PARTIAL) return 1;
  if (code == ZUS_ERR_CANCELLED) return 130;
  return code < 20 ? 2 : 3;
}

/* Prints a line for each user who was not sent, or whose outcome is unknown, and returns how many there are. */
static size_t print_remaining(const id_list *list, const report *so_far) {
  size_t i, count = 0;
  for (i = 0; i < list->count; i++)
    if (so_far->remaining[i]) {
      printf("REMAINS %s\n", list->ids[i]);
      count++;
    }
  return count;
}

static int offboard(const id_list *list) {
  report so_far = {NULL, 0, 0};
  zus_cancel *cancel = zus_cancel_new();
  int status = 2;
  so_far.remaining = (char *)malloc(list->count);
  if (so_far.remaining == NULL) {
    out_of_memory();
  } else if (interrupt_begin(cancel) != 0) {
    fprintf(stderr, "no thread for Ctrl-C\n");
  } else {
    zus_code code;
    size_t remaining;
    memset(so_far.remaining, 1, list->count);
    code = update_all(list, &so_far, cancel);
    interrupt_end(); /* nobody uses the cancel any more */
    remaining = print_remaining(list, &so_far);
    fprintf(stderr, "%lu done, %lu failed, %lu remaining: %s\n", (unsigned long)so_far.done, (unsigned long)so_far.failed,
            (unsigned long)remaining, zus_code_text(code));
    status = exit_status(code);
  }
  zus_cancel_free(cancel);
  free(so_far.remaining);
  return status;
}

int main(int argc, char **argv) {
  id_list list = {NULL, 0};
  size_t i;
  int status;
  FILE *file = argc > 1 ? fopen(argv[1], "r") : stdin;
  if (argc > 2 || file == NULL) {
    if (argc == 2) perror(argv[1]);
    fprintf(stderr, "usage: %s [FILE]\n", argc > 0 ? argv[0] : "offboard");
    if (file != NULL && file != stdin) fclose(file);
    return 2;
  }
  status = read_ids(file, &list) == 0 ? 0 : 2;
  if (file != stdin) fclose(file);
  if (status == 0 && list.count != 0) status = offboard(&list);
  for (i = 0; i < list.count; i++) free(list.ids[i]);
  free(list.ids);
  return status;
}
