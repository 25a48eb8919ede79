/* A test program in C or C++: test("what is shown"); CHECK...(); test("the next"); ...; return finish();
 * A test fails when one of its checks does. The last line is `N passed, N failed`. */
#ifndef CHECK_H
#define CHECK_H
#include <stdio.h>
#include <string.h>

#include "zus.h"

static struct {
  const char *name;
  int open, bad, passed, failed;
} tests;

static inline void end_test(void) {
  if (tests.open && tests.bad) printf("FAILED  %s\n", tests.name);
  if (tests.open) tests.bad ? tests.failed++ : tests.passed++;
  tests.open = 0;
  fflush(stdout);
}

static inline void test(const char *name) {
  end_test();
  tests.name = name;
  tests.open = 1;
  tests.bad = 0;
}

static inline int finish(void) {
  end_test();
  printf("%d passed, %d failed\n", tests.passed, tests.failed);
  return tests.failed == 0 && tests.passed > 0 ? 0 : 1;
}

static inline int check(int good, const char *file, int line, const char *what) {
  if (!good) {
    printf("%s:%d: %s\n", file, line, what);
    tests.bad = 1;
  }
  return good;
}

static inline int check_number(long long actual, long long expected, const char *file, int line, const char *what) {
  if (!check(actual == expected, file, line, what)) printf("    is %lld, should be %lld\n", actual, expected);
  return actual == expected;
}

static inline int check_code(zus_code actual, zus_code expected, const char *file, int line, const char *what) {
  if (!check(actual == expected, file, line, what))
    printf("    is %s, should be %s\n", zus_code_name(actual), zus_code_name(expected));
  return actual == expected;
}

static inline int check_text(const char *actual, const char *expected, const char *file, int line, const char *what) {
  int good = actual != NULL && strcmp(actual, expected) == 0;
  if (!check(good, file, line, what)) printf("    is \"%s\", should be \"%s\"\n", actual ? actual : "(NULL)", expected);
  return good;
}

static inline int check_contains(const char *actual, const char *part, const char *file, int line, const char *what) {
  int good = actual != NULL && strstr(actual, part) != NULL;
  if (!check(good, file, line, what)) printf("    is \"%s\", should contain \"%s\"\n", actual ? actual : "(NULL)", part);
  return good;
}

#define CHECK(condition) check((condition) ? 1 : 0, __FILE__, __LINE__, #condition)
#define CHECK_NUMBER(actual, expected) check_number((long long)(actual), (long long)(expected), __FILE__, __LINE__, #actual)
#define CHECK_CODE(actual, expected) check_code(actual, expected, __FILE__, __LINE__, #actual)
#define CHECK_TEXT(actual, expected) check_text(actual, expected, __FILE__, __LINE__, #actual)
#define CHECK_CONTAINS(actual, part) check_contains(actual, part, __FILE__, __LINE__, #actual)
#endif
