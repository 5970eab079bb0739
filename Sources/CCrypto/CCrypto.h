#ifndef CCRYPTO_H
#define CCRYPTO_H

// A hash's state as a value, which can be copied in the middle of a text: the functions of OpenSSL 3 that replace these keep it on the
// heap, and cost half as much again for a short text.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#endif
