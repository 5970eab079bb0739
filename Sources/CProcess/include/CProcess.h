#ifndef CPROCESS_H
#define CPROCESS_H

#include <stdbool.h>

// What a program has to do in C, because it comes before Swift, or in a signal's handler.

/// Has blocks of a MiB and more given back to the system as soon as they are free. By itself glibc keeps what the first of them took for
/// all that follow (mallopt(3), M_MMAP_THRESHOLD), and small blocks among them keep it for good: 215 MiB after forty answers of 8 MB.
void cprocess_give_back_large_blocks(void);

/// How many words the program was started with, its name included; 0 where the system does not tell.
int cprocess_argument_count(void);

/// The words themselves. They live as long as the program.
const char *const _Nullable *_Nullable cprocess_arguments(void);

/// Has SIGTERM, SIGINT and SIGHUP be counted instead of ending the process. Returns false, and errno says why, if that cannot be.
bool cprocess_count_signals(void);

/// Returns when one more of them has come: false for SIGHUP, true for the others. For one thread.
bool cprocess_wait_for_signal(void);

#endif
