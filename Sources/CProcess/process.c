#include "CProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <features.h>
#include <malloc.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static int argument_count;
static char **arguments;
static sem_t signals;
// Of those that the semaphore counts.
static atomic_int hang_ups;

int cprocess_argument_count(void) { return argument_count; }

const char *const *cprocess_arguments(void) { return (const char *const *)arguments; }

void cprocess_give_back_large_blocks(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
}

static struct sigaction action_of(void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    return action;
}

static bool handle_end_signals(void (*handler)(int)) {
    struct sigaction action = action_of(handler);
    return sigaction(SIGTERM, &action, NULL) == 0 && sigaction(SIGINT, &action, NULL) == 0;
}

// As a shell reports the end by a signal.
static void end_at_once(int number) { _exit(128 + number); }

static void count(int number) {
    int error = errno;
    if (number == SIGHUP) atomic_fetch_add(&hang_ups, 1);
    sem_post(&signals);
    errno = error;
}

bool cprocess_count_signals(void) {
    struct sigaction action = action_of(count);
    return sem_init(&signals, 0, 0) == 0 && sigaction(SIGHUP, &action, NULL) == 0 && handle_end_signals(count);
}

bool cprocess_wait_for_signal(void) {
    while (sem_wait(&signals) != 0 && errno == EINTR) {
    }
    // One thread waits, so what is there stays there. Of two different signals either may be told first.
    if (atomic_load(&hang_ups) == 0) return true;
    atomic_fetch_sub(&hang_ups, 1);
    return false;
}

// A standard descriptor that the process is started without becomes the first file or socket that it opens, and what is printed is
// then written there. Swift's runtime opens descriptors before the first line of an asynchronous `main`.
__attribute__((constructor)) static void open_standard_descriptors(void) {
    for (int number = STDIN_FILENO; number <= STDERR_FILENO; number++) {
        if (fcntl(number, F_GETFD) != -1) continue;
        // This is the lowest free number, so it is taken. Where there is no /dev, a directory is; nothing can be written to one.
        if (open("/dev/null", O_RDWR) == -1) open("/", O_RDONLY);
    }
}

#ifdef __GLIBC__
// glibc calls what is in .init_array with the arguments of `main` (elf/dl-init.c, csu/libc-start.c). Swift's own way to them looks
// for them beside the environment, which a preloaded library may have moved, and then in /proc, which may not be there.
static void before_main(int count, char **values, char **environment) {
    (void)environment;
    argument_count = count;
    arguments = values;
    // The kernel throws away signals to process 1 of a container for which it has no handler.
    if (getpid() == 1) handle_end_signals(end_at_once);
    // A reload is asked for before the handler is there: the file is read after this anyway. Other commands end with their terminal.
    if (count > 1 && strcmp(values[1], "serve") == 0) {
        struct sigaction action = action_of(SIG_IGN);
        sigaction(SIGHUP, &action, NULL);
    }
}

__attribute__((section(".init_array"), used)) static void (*first_of_all)(int, char **, char **) = before_main;
#endif
