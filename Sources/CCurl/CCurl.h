#ifndef CCURL_H
#define CCURL_H

// Makes CURL and CURLM pointers to structures of their own instead of `void *`, so that the two cannot be mixed up
// here.
#define CURL_STRICTER
#include <curl/curl.h>

// Swift cannot call variadic functions. Each shim stands for one type of argument: libcurl reads a `long`, a pointer or
// a `curl_off_t` from the stack and believes whatever is there.

static inline CURLcode ccurl_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}

/// Takes `CURLOPT_…_LARGE` options.
static inline CURLcode ccurl_set_offset(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}

/// libcurl copies the string.
static inline CURLcode ccurl_set_string(CURL *_Nonnull easy, CURLoption option, const char *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

/// For `CURLOPT_PRIVATE`, `CURLOPT_POSTFIELDS` and callbacks' userdata: libcurl keeps the pointer and copies nothing.
static inline CURLcode ccurl_set_pointer(CURL *_Nonnull easy, CURLoption option, const void *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

/// libcurl keeps the list and copies nothing.
static inline CURLcode ccurl_set_list(CURL *_Nonnull easy, CURLoption option, struct curl_slist *_Nullable value) {
    return curl_easy_setopt(easy, option, value);
}

/// For `CURLOPT_WRITEFUNCTION` and `CURLOPT_HEADERFUNCTION`.
static inline CURLcode ccurl_set_sink(
    CURL *_Nonnull easy, CURLoption option,
    size_t (*_Nonnull value)(char *_Nullable, size_t, size_t, void *_Nullable)) {
    return curl_easy_setopt(easy, option, value);
}

static inline CURLcode ccurl_set_prerequest(
    CURL *_Nonnull easy, int (*_Nonnull value)(void *_Nullable, char *_Nullable, char *_Nullable, int, int)) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, value);
}

static inline CURLcode ccurl_set_progress(
    CURL *_Nonnull easy, int (*_Nonnull value)(void *_Nullable, curl_off_t, curl_off_t, curl_off_t, curl_off_t)) {
    return curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, value);
}

static inline CURLcode ccurl_set_sockopt(
    CURL *_Nonnull easy, int (*_Nonnull value)(void *_Nullable, curl_socket_t, curlsocktype)) {
    return curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, value);
}

static inline CURLcode ccurl_set_opensocket(
    CURL *_Nonnull easy, curl_socket_t (*_Nonnull value)(void *_Nullable, curlsocktype, struct curl_sockaddr *_Nullable)) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, value);
}

static inline CURLcode ccurl_set_closesocket(
    CURL *_Nonnull easy, int (*_Nonnull value)(void *_Nullable, curl_socket_t)) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, value);
}

static inline CURLcode ccurl_set_debug(
    CURL *_Nonnull easy, int (*_Nonnull value)(CURL *_Nonnull, curl_infotype, char *_Nullable, size_t, void *_Nullable)) {
    return curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, value);
}

static inline CURLcode ccurl_get_long(CURL *_Nonnull easy, CURLINFO info, long *_Nonnull value) {
    return curl_easy_getinfo(easy, info, value);
}

static inline CURLcode ccurl_get_socket(CURL *_Nonnull easy, curl_socket_t *_Nonnull value) {
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, value);
}

/// What `CURLOPT_PRIVATE` was set to.
static inline CURLcode ccurl_get_private(CURL *_Nonnull easy, void *_Nullable *_Nonnull value) {
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, value);
}

static inline CURLMcode ccurl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}

/// `CURLVERSION_NOW` is a macro, which Swift does not see. The structure lives as long as the process.
static inline const curl_version_info_data *_Nonnull ccurl_version(void) {
    return curl_version_info(CURLVERSION_NOW);
}

// Under another name, because the C library hides `ppoll` unless it is asked for its extensions before its first header.
extern int ccurl_ppoll(void *_Nonnull, unsigned long, const struct timespec *_Nonnull, const void *_Nullable) __asm__("ppoll");

/// `poll`, to the nanosecond. `entries` are `count` of `struct pollfd`.
static inline int ccurl_poll(void *_Nonnull entries, unsigned long count, long seconds, long nanoseconds) {
    const struct timespec span = {seconds, nanoseconds};
    return ccurl_ppoll(entries, count, &span, 0);
}

#endif
