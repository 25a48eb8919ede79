/* A sandbox of a test's own: the program that ZUS_SANDBOX names, on a free port of the loopback, gone with the test. POSIX. */
#ifndef SANDBOX_H
#define SANDBOX_H
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "zus.h"

/* The sanitizers' own locks don't survive a fork while other threads run. valgrind runs the tests of it. */
#if defined(__has_feature)
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define FORKS_WITH_THREADS 0
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define FORKS_WITH_THREADS 0
#elif !defined(FORKS_WITH_THREADS)
#  define FORKS_WITH_THREADS 1
#endif

typedef struct {
  pid_t process;
  int keep_alive; /* its standard input: closed, it ends */
  FILE *output;
  char api[256], oauth[256];
} sandbox;

static inline void give_up(const char *why) {
  fprintf(stderr, "the sandbox: %s\n", why);
  exit(1);
}

/* options: up to 12 words, the last one NULL; NULL for none. */
static inline void sandbox_start(sandbox *box, const char *const *options) {
  const char *program = getenv("ZUS_SANDBOX");
  const char *words[16];
  int in[2], out[2], count = 0;
  char line[512];
  if (program == NULL) give_up("ZUS_SANDBOX is not set");
  words[count++] = program;
  words[count++] = "--until-stdin-closes";
  words[count++] = "--quiet";
  while (options != NULL && *options != NULL && count < 15) words[count++] = *options++;
  words[count] = NULL;
  if (pipe(in) != 0 || pipe(out) != 0) give_up("no pipe");
  fcntl(in[1], F_SETFD, FD_CLOEXEC); /* not into the next sandbox, which would keep this one alive */
  fcntl(out[0], F_SETFD, FD_CLOEXEC);
  box->process = fork();
  if (box->process == 0) {
    dup2(in[0], 0);
    dup2(out[1], 1);
    close(in[0]);
    close(out[1]);
    execv(program, (char **)(void *)words);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  box->keep_alive = in[1];
  box->output = fdopen(out[0], "r");
  box->api[0] = box->oauth[0] = '\0';
  while (fgets(line, sizeof line, box->output) != NULL && strcmp(line, "ready\n") != 0) {
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "ZOOM_API_URL=", 13) == 0) snprintf(box->api, sizeof box->api, "%.250s", line + 13);
    if (strncmp(line, "ZOOM_OAUTH_URL=", 15) == 0) snprintf(box->oauth, sizeof box->oauth, "%.250s", line + 15);
  }
  if (box->api[0] == '\0' || box->oauth[0] == '\0') give_up("it did not start");
}

static inline void sandbox_stop(sandbox *box) {
  close(box->keep_alive);
  waitpid(box->process, NULL, 0);
  fclose(box->output);
}

/* One plain HTTP exchange with the sandbox's control pages; the response's body, cut to fit. */
static inline void sandbox_control(const sandbox *box, const char *method, const char *path, char *body, size_t capacity) {
  struct sockaddr_in address;
  char request[256], *text = (char *)malloc(1 << 22), *start;
  const char *port = strrchr(box->api, ':');
  size_t used = 0;
  ssize_t n;
  int length, s = socket(AF_INET, SOCK_STREAM, 0);
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((unsigned short)atoi(port + 1));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (text == NULL || connect(s, (struct sockaddr *)&address, sizeof address) != 0) give_up("no control connection");
  length = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", method, path);
  if (write(s, request, (size_t)length) != length) give_up("no control request");
  while (used < (1 << 22) - 1 && (n = read(s, text + used, (1 << 22) - 1 - used)) > 0) used += (size_t)n;
  close(s);
  text[used] = '\0';
  start = strstr(text, "\r\n\r\n");
  if (strncmp(text, "HTTP/1.1 2", 10) != 0 || start == NULL) give_up(text);
  if (capacity > 0) snprintf(body, capacity, "%s", start + 4);
  free(text);
}

/* A number of the ledger: of the whole sandbox (user NULL), or of one user; 0 for a user that was never received. */
static inline long ledger(const sandbox *box, const char *user, const char *name) {
  static char text[1 << 20];
  char key[256];
  const char *from = text;
  sandbox_control(box, "GET", "/sandbox/ledger", text, sizeof text);
  if (user != NULL) {
    snprintf(key, sizeof key, "\"%s\":{", user);
    from = strstr(text, key);
    if (from == NULL) return 0;
  }
  snprintf(key, sizeof key, "\"%s\":", name);
  from = strstr(from, key);
  return from == NULL ? -1 : atol(from + strlen(key));
}

/* The sandbox's static token, no rate limit, no retries: most tests need these settings. */
static inline zus_config *config_for(const sandbox *box) {
  zus_config *config = zus_config_new();
  if (zus_config_set_token(config, "sandbox-token") != ZUS_OK || zus_config_set_urls(config, box->api, box->oauth) != ZUS_OK ||
      zus_config_set_rate(config, 0, 1000) != ZUS_OK || zus_config_set_retry(config, 1, 1, 1) != ZUS_OK)
    give_up("its own configuration is refused");
  return config;
}

/* A client from a configuration, which is freed. */
static inline zus_client *client_from(zus_config *config) {
  zus_client *client = NULL;
  zus_code code = zus_client_new(config, &client);
  zus_config_free(config);
  if (code != ZUS_OK) give_up(zus_code_name(code));
  return client;
}

static inline double seconds_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static inline void sleep_ms(long ms) {
  struct timespec span;
  span.tv_sec = ms / 1000;
  span.tv_nsec = ms % 1000 * 1000000;
  nanosleep(&span, NULL);
}
#endif
