#ifndef CCATALOGS_H
#define CCATALOGS_H

#include <stddef.h>

/// The files of Config/catalogs, as bytes; the Swift compiler takes minutes for literals of their size.
unsigned CCatalogs_count(void);

/// The name of a catalog, from 0; of the last one for a larger number.
const char *CCatalogs_name(unsigned place);

const unsigned char *CCatalogs_bytes(unsigned place);
size_t CCatalogs_size(unsigned place);

#endif
