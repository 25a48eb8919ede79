/* unload LIBRARY blocking|started: unloads the library while a look-up hangs that a call began, and goes on until the look-up
 * has ended. tests/common/preload.c makes "slow.test" a name whose look-up takes 1 s. A program that only makes blocking
 * calls does unload the library otherwise (on a thread that ends: glibc keeps a library for the thread-local storage of
 * one that doesn't); once a call was started, the library stays. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zus.h"

#define CALL(name) ((__typeof__(&name))symbol(#name))

static void *library;

static void *symbol(const char *name) {
  void *found = dlsym(library, name);
  if (found == NULL) exit(2);
  return found;
}

static int is_loaded(const char *path) {
  void *there = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
  if (there != NULL) dlclose(there);
  return there != NULL;
}

static zus_client *client_of(const char *url, uint32_t total_ms) {
  zus_config *config = CALL(zus_config_new)();
  zus_client *client = NULL;
  if (CALL(zus_config_set_token)(config, "token") != ZUS_OK || CALL(zus_config_set_urls)(config, url, NULL) != ZUS_OK ||
      CALL(zus_config_set_timeouts)(config, total_ms, total_ms) != ZUS_OK ||
      CALL(zus_client_new)(config, &client) != ZUS_OK)
    exit(2);
  CALL(zus_config_free)(config);
  return client;
}

static void *blocking(void *url) {
  zus_client *client = client_of((const char *)url, 200);
  zus_code code = CALL(zus_update_status)(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL);
  CALL(zus_client_free)(client);
  printf("a blocking call: %s, ", CALL(zus_code_name)(code));
  return NULL;
}

static void *started(void *url) {
  zus_client *client = client_of((const char *)url, 200);
  zus_queue *queue = CALL(zus_queue_new)();
  zus_code code = CALL(zus_update_status_start)(client, "ada@example.com", ZUS_DEACTIVATE, NULL, queue, NULL);
  usleep(50000); /* now it looks the name up */
  CALL(zus_client_free)(client);
  CALL(zus_queue_free)(queue);
  printf("a started call: %s, ", CALL(zus_code_name)(code));
  return NULL;
}

static void load_call_unload(const char *path, void *(*call)(void *), const char *url) {
  pthread_t thread;
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == NULL || pthread_create(&thread, NULL, call, (void *)(uintptr_t)url) != 0) exit(2);
  pthread_join(thread, NULL);
  dlclose(library);
  printf("then the library is %s\n", is_loaded(path) ? "loaded" : "unloaded");
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  load_call_unload(argv[1], blocking, "http://127.0.0.1:1/v2");
  load_call_unload(argv[1], strcmp(argv[2], "started") == 0 ? started : blocking, "https://slow.test/v2");
  usleep(2500000); /* the look-up ends, and what waited for it; then the threads */
  library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (library == NULL) return 2;
  dlclose(library);
  printf("the program goes on, and the library is %s\n", is_loaded(argv[1]) ? "loaded" : "unloaded");
  return 0;
}
