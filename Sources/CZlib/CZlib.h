#ifndef CZLIB_H
#define CZLIB_H

#include <string.h>
#include <zlib.h>

/// Begins to unpack gzip (RFC 1952), and nothing else. `inflateInit2` is a macro, which Swift does not see.
static inline int CZlib_begin(z_stream *stream) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, 16 + MAX_WBITS);
}

/// `deflateInit2` is a macro; 31 asks for gzip with the largest window, 8 is the usual memory.
static inline int CZlib_beginGzip(z_stream *stream, int level) {
    memset(stream, 0, sizeof *stream);
    return deflateInit2(stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY);
}

#endif
