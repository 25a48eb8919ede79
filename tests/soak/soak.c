/* One client, eight threads, a million calls, a server that fails one time in a hundred: nothing grows, and the server's
 * ledger agrees with every call.
 *
 *     soak CALLS SECONDS LEDGER
 *
 * ends after CALLS calls or SECONDS seconds, whichever comes first. Writes what it did to the file LEDGER, a line a user:
 * id, requests sent, calls that succeeded. Where the sandbox is and its credentials come from the environment. */

#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "zus.h"

enum { THREADS = 8, USERS = 1000, ROUND = 2000 /* calls of a thread between two measurements */ };

static zus_client *client;
static _Atomic long attempts[USERS], done[USERS], codes[100], calls;
static _Atomic int unexpected;

struct held {
  long bytes, resident_kb, descriptors, threads;
};

static long entries(const char *path) {
  long n = 0;
  DIR *dir = opendir(path);
  for (struct dirent *entry; dir && (entry = readdir(dir));)
    n += entry->d_name[0] != '.';
  if (dir)
    closedir(dir);
  return n;
}

static struct held now(void) {
  struct held held;
  struct mallinfo2 info = mallinfo2();
  long pages = 0, resident = 0;
  FILE *statm = fopen("/proc/self/statm", "r");
  if (!statm || fscanf(statm, "%ld %ld", &pages, &resident) != 2)
    exit(2);
  fclose(statm);
  held.bytes = (long)(info.uordblks + info.hblkhd);
  held.resident_kb = resident * (sysconf(_SC_PAGESIZE) / 1024);
  held.descriptors = entries("/proc/self/fd");
  held.threads = entries("/proc/self/task");
  return held;
}

static void *work(void *seed) {
  unsigned random = (unsigned)(size_t)seed;
  for (int n = 0; n < ROUND; n++) {
    int user = rand_r(&random) % USERS;
    char id[64];
    zus_result *result = NULL;
    snprintf(id, sizeof id, "user%05d@example.com", user + 1);
    zus_code code = zus_update_status(client, id, n % 2 ? ZUS_ACTIVATE : ZUS_DEACTIVATE, NULL, &result);
    if (zus_result_code(result) != code || strcmp(zus_result_user_id(result), id) != 0)
      unexpected++;
    if (code != ZUS_OK && unexpected++ < 10)
      fprintf(stderr, "%s: %s: %s\n", id, zus_code_name(code), zus_result_message(result));
    attempts[user] += zus_result_attempts(result);
    done[user] += code == ZUS_OK;
    codes[code]++;
    calls++;
    zus_result_free(result);
  }
  return NULL;
}

static int run_round(unsigned seed) {
  pthread_t threads[THREADS];
  for (size_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, work, (void *)(seed * THREADS + i)) != 0)
      return 2;
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  return 0;
}

static const char *need(const char *name) {
  const char *value = getenv(name);
  if (!value) {
    fprintf(stderr, "%s is not set\n", name);
    exit(2);
  }
  return value;
}

int main(int argc, char **argv) {
  if (argc != 4)
    return 2;
  long most = atol(argv[1]), seconds = atol(argv[2]);
  mallopt(M_ARENA_MAX, 1); /* mallinfo2 counts one arena */

  struct held before_all = now();
  zus_config *config = zus_config_new();
  if (zus_config_set_urls(config, need("ZOOM_API_URL"), need("ZOOM_OAUTH_URL")) != ZUS_OK ||
      zus_config_set_oauth(config, need("ZOOM_ACCOUNT_ID"), need("ZOOM_CLIENT_ID"), need("ZOOM_CLIENT_SECRET")) != ZUS_OK ||
      zus_config_set_proxy(config, "") != ZUS_OK || zus_config_set_rate(config, 0, 1) != ZUS_OK ||
      zus_config_set_retry(config, 10, 1, 5) != ZUS_OK || zus_client_new(config, &client) != ZUS_OK)
    return 2;
  zus_config_free(config);

  time_t begin = time(NULL);
  struct held first = {0}, last = {0};
  unsigned rounds = 0;
  while (calls < most && time(NULL) - begin < seconds) {
    if (run_round(rounds++) != 0)
      return 2;
    last = now();
    if (rounds == 2) /* all is as large as it gets */
      first = last;
    if (rounds % 10 == 2)
      printf("%8ld calls, %5ld s: %ld bytes in use, %ld KB resident, %ld descriptors, %ld threads\n", (long)calls,
             (long)(time(NULL) - begin), last.bytes, last.resident_kb, last.descriptors, last.threads);
    fflush(stdout);
  }
  zus_client_free(client);
  struct held after_all = now();

  int failed = 0;
#define CHECK(what, condition)            \
  do {                                    \
    int good = (condition);               \
    printf("%s: %s\n", what, good ? "ok" : "FAILED"); \
    failed += !good;                      \
  } while (0)
  printf("%ld calls in %ld s, %ld done\n", (long)calls, (long)(time(NULL) - begin), (long)codes[ZUS_OK]);
  printf("in use: %ld bytes after the second round, %ld after the last, %+ld after all is freed\n", first.bytes,
         last.bytes, after_all.bytes - before_all.bytes);
  CHECK("every call succeeded, with its own user", unexpected == 0 && codes[ZUS_OK] == calls);
  CHECK("three rounds and more", rounds >= 3);
  /* Connections that were lost just now, with their buffers, make the difference. */
  CHECK("memory in use is flat", last.bytes - first.bytes < 1024 * 1024);
  CHECK("resident memory is flat", last.resident_kb - first.resident_kb < 8 * 1024);
  CHECK("descriptors are flat", last.descriptors - first.descriptors <= THREADS);
  CHECK("no thread stays", last.threads == first.threads && after_all.threads == before_all.threads);
  CHECK("no descriptor stays", after_all.descriptors == before_all.descriptors);
  CHECK("no memory stays", after_all.bytes - before_all.bytes < 64 * 1024);

  FILE *ledger = fopen(argv[3], "w");
  if (!ledger)
    return 2;
  for (int user = 0; user < USERS; user++)
    if (attempts[user])
      fprintf(ledger, "user%05d@example.com %ld %ld\n", user + 1, (long)attempts[user], (long)done[user]);
  fclose(ledger);
  printf("%d passed, %d failed\n", 8 - failed, failed);
  return failed != 0;
}
