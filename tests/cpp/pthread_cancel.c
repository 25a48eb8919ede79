/* pthread_cancel in the middle of a call (docs/threads.md): pthread_cancel disabled|enabled API
 * Disabled, the call ends as always, and the thread after it. Enabled, the system ends the process. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zus.h>

static zus_client *client;
static zus_cancel *cancel;
static int disabled;

static void *work(void *unused) {
  int before = PTHREAD_CANCEL_ENABLE;
  zus_code code;
  (void)unused;
  if (disabled) pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  code = zus_update_status(client, "answer-never@example.com", ZUS_DEACTIVATE, cancel, NULL);
  puts(zus_code_name(code));
  fflush(stdout);
  if (disabled) pthread_setcancelstate(before, &before);
  pthread_testcancel();
  return NULL;
}

int main(int argc, char **argv) {
  zus_config *config = zus_config_new();
  pthread_t thread;
  void *end = NULL;
  if (argc != 3) return 2;
  disabled = strcmp(argv[1], "disabled") == 0;
  cancel = zus_cancel_new();
  zus_config_set_token(config, "sandbox-token");
  zus_config_set_urls(config, argv[2], NULL);
  if (zus_client_new(config, &client) != ZUS_OK || pthread_create(&thread, NULL, work, NULL) != 0) return 2;
  sleep(1); /* it is inside the call */
  pthread_cancel(thread);
  sleep(1);
  zus_cancel_trigger(cancel);
  pthread_join(thread, &end);
  puts(end == PTHREAD_CANCELED ? "then the thread was cancelled" : "the thread returned");
  puts(zus_code_name(zus_update_status(client, "ada@example.com", ZUS_DEACTIVATE, NULL, NULL)));
  zus_client_free(client);
  zus_cancel_free(cancel);
  zus_config_free(config);
  return 0;
}
