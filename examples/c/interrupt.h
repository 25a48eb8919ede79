/* Lets Ctrl-C trigger a zus_cancel, on a thread of its own: a signal handler must not call zus_cancel_trigger.
 *   interrupt_begin(cancel)   Call it before the program makes a thread, since a new thread inherits the signal mask. Returns 0, or -1
 *                             where the system has no thread for it.
 *   interrupt_end()           Call it once. Afterwards the cancel can be freed. */
#ifndef INTERRUPT_H
#define INTERRUPT_H
#include "zus.h"

static const zus_cancel *interrupt_cancel;

#ifdef _WIN32
#  include <windows.h>

static BOOL WINAPI interrupt_handler(DWORD event) { /* runs on a thread that Windows makes */
  if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) return FALSE;
  zus_cancel_trigger(interrupt_cancel);
  return TRUE;
}

static int interrupt_begin(const zus_cancel *cancel) {
  interrupt_cancel = cancel;
  return SetConsoleCtrlHandler(interrupt_handler, TRUE) ? 0 : -1;
}

static void interrupt_end(void) { SetConsoleCtrlHandler(interrupt_handler, FALSE); }
#else
#  include <pthread.h>
#  include <signal.h>

static pthread_t interrupt_thread;

static void *interrupt_wait(void *unused) {
  sigset_t signals;
  int number;
  (void)unused;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  if (sigwait(&signals, &number) == 0) zus_cancel_trigger(interrupt_cancel);
  return NULL;
}

static int interrupt_begin(const zus_cancel *cancel) {
  sigset_t signals;
  interrupt_cancel = cancel;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  if (pthread_sigmask(SIG_BLOCK, &signals, NULL) != 0) return -1;
  return pthread_create(&interrupt_thread, NULL, interrupt_wait, NULL) == 0 ? 0 : -1;
}

static void interrupt_end(void) {
  pthread_cancel(interrupt_thread); /* it waits in sigwait, which can be cancelled */
  pthread_join(interrupt_thread, NULL);
}
#endif
#endif
