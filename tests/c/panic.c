/* A bug in the library must come out as ZUS_ERR_PANIC: shown on the release libzus.so by a clock that fails under it,
 * which the standard library of Rust takes for a bug. Linux: the library's calls of clock_gettime come here. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "sandbox.h"

static atomic_int broken;

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (broken) {
    errno = EIO;
    return -1;
  }
  return (int)syscall(SYS_clock_gettime, clock, now);
}

static int32_t count(void *userdata, size_t index, const zus_result *result) {
  (void)index;
  (void)result;
  ++*(int *)userdata;
  return 0;
}

int main(void) {
  static const char *const options[] = {NULL};
  const char *ids[] = {"ada@example.com"};
  sandbox box;
  zus_config *config = zus_config_new();
  zus_client *client = NULL, *other = (zus_client *)&box;
  zus_result *result = (zus_result *)&box;
  zus_code code;
  int calls = 0;
  sandbox_start(&box, options);
  zus_config_set_token(config, "sandbox-token");
  zus_config_set_urls(config, box.api, NULL);
  CHECK_CODE(zus_client_new(config, &client), ZUS_OK);

  test("a panic is a code, and no result");
  broken = 1;
  code = zus_update_status(client, ids[0], ZUS_DEACTIVATE, NULL, &result);
  broken = 0;
  CHECK_CODE(code, ZUS_ERR_PANIC);
  CHECK(result == NULL);

  test("and where a client is made");
  broken = 1;
  code = zus_client_new(config, &other);
  broken = 0;
  CHECK_CODE(code, ZUS_ERR_PANIC);
  CHECK(other == NULL);

  test("and in a batch");
  broken = 1;
  code = zus_update_status_many(client, ids, 1, ZUS_DEACTIVATE, NULL, count, &calls);
  broken = 0;
  CHECK_CODE(code, ZUS_ERR_PANIC);

  test("the client works on");
  CHECK_CODE(zus_update_status(client, ids[0], ZUS_DEACTIVATE, NULL, &result), ZUS_OK);
  zus_result_free(result);
  zus_client_free(client);
  zus_config_free(config);
  sandbox_stop(&box);
  return finish();
}
