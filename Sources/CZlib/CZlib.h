#ifndef CZLIB_H
#define CZLIB_H

#include <string.h>
#include <zlib.h>

/// Begins to unpack gzip (RFC 1952), and nothing else. `inflateInit2` is a macro, which Swift does not see.
static inline int CZlib_begin(z_stream *stream) {
    memset(stream, 0, sizeof *stream);
    return inflateInit2(stream, 16 + MAX_WBITS);
}

#endif
